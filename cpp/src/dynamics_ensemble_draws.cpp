// Steps of a DynamicsEnsemble that draws ends, movers and outcomes of chance, of games of any kind.

#include <algorithm>

#include "coffee_fast/dynamics_ensemble.hpp"
#include "coffee_fast/rng.hpp"
#include "softmax.hpp"

namespace coffee_fast {
namespace {

std::size_t index_of(std::int32_t number) { return static_cast<std::size_t>(number); }

}  // namespace

void DynamicsEnsemble::step_by_draws(Batch& batch, std::span<const std::int32_t> lanes,
                                     std::span<const std::int32_t> actions, const StepOutputs& outputs) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    outputs.terminal[row] = 0;
    outputs.disagreement[row] = 0.0;
    std::ranges::fill(outputs.rewards.row(row), 0.0);
  }
  begin_step(batch, lanes, actions);
  draw_codes(batch, lanes);
  draw_next(batch, lanes, outputs);
  predict_rewards(batch, batch.paying_rows, outputs.rewards, outputs.disagreement);
  add_information(batch, outputs.disagreement);
  enter_next_states(batch, lanes, actions);
  observe_after_draws(batch, lanes, actions);
}

void DynamicsEnsemble::begin_step(Batch& batch, std::span<const std::int32_t> lanes,
                                  std::span<const std::int32_t> actions) const {
  const std::size_t D = state_size();
  batch.acting_rows.clear();
  batch.choosing_rows.clear();
  batch.last_movers.clear();
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const std::size_t lane = index_of(lanes[row]);
    const std::int32_t player = batch.players[lane];
    batch.last_movers.push_back(player);
    if (is_within_round(player)) {
      choose_within_round(&batch.states[lane * D], player, actions[row]);
      ++batch.players[lane];
      ++batch.num_actions_taken[lane];
      batch.choosing_rows.push_back(static_cast<std::int32_t>(row));
    } else {
      set_input(&batch.inputs[batch.acting_rows.size() * input_size()], &batch.states[lane * D], actions[row], player);
      batch.acting_rows.push_back(static_cast<std::int32_t>(row));
    }
  }
}

void DynamicsEnsemble::set_code(float* input, std::size_t code) const {
  input[input_size() - num_codes() + code] = 1.0f;
}

/// The first draw of a move's stream, where there are codes.
void DynamicsEnsemble::draw_codes(Batch& batch, std::span<const std::int32_t> lanes) const {
  const std::size_t count = batch.acting_rows.size(), C = num_codes();
  if (C == 0) return;
  networks_.code->forward({batch.inputs.data(), count, input_size()}, {batch.logits.data(), count, C}, batch.workspace);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t lane = index_of(lanes[index_of(batch.acting_rows[i])]);
    softmax({&batch.logits[i * C], C}, {batch.probabilities.data(), C});
    const double uniform = stream_of_move(batch, lane).next_double();
    set_code(&batch.inputs[i * input_size()], sample_categorical({batch.probabilities.data(), C}, uniform));
  }
}

void DynamicsEnsemble::set_likely_codes(Batch& batch, std::size_t count) const {
  const std::size_t C = num_codes();
  if (C == 0) return;
  networks_.code->forward({batch.inputs.data(), count, input_size()}, {batch.logits.data(), count, C}, batch.workspace);
  for (std::size_t i = 0; i < count; ++i) {
    const float* logits = &batch.logits[i * C];
    set_code(&batch.inputs[i * input_size()], static_cast<std::size_t>(std::max_element(logits, logits + C) - logits));
  }
}

/// Of what the dynamics draws within the move that the lane is to make.
Stream DynamicsEnsemble::stream_of_move(const Batch& batch, std::size_t lane) const {
  const EpisodeKey& key = batch.keys[lane];
  return {key.seed, Purpose::transition, key.profile, key.rollout,
          static_cast<std::uint32_t>(batch.num_actions_taken[lane])};
}

/// Draws, of the acting rows, whether the episode is over and who moves next; sorts out which rows pay and go on.
void DynamicsEnsemble::draw_next(Batch& batch, std::span<const std::int32_t> lanes, const StepOutputs& outputs) const {
  const std::size_t D = state_size(), K = input_size();
  const std::size_t room = options_.is_simultaneous ? num_players() : 1;  // what another move or round takes
  batch.paying_rows.clear();
  batch.continuing_rows.clear();
  predict_outcomes(batch, batch.acting_rows.size());
  for (std::size_t i = 0; i < batch.acting_rows.size(); ++i) {
    const std::int32_t row = batch.acting_rows[i];
    const std::size_t lane = index_of(lanes[index_of(row)]);
    Stream stream = stream_of_move(batch, lane);
    if (num_codes() > 0) stream.next_double();  // the code's
    ++batch.num_actions_taken[lane];
    const bool is_over =
        stream.next_double() < batch.ends[i] || index_of(batch.num_actions_taken[lane]) + room > max_episode_length();
    outputs.terminal[index_of(row)] = is_over;
    if (is_over || options_.pays_every_step) {
      std::copy_n(&batch.inputs[i * K], K, &batch.paying_inputs[batch.paying_rows.size() * K]);
      batch.paying_rows.push_back(row);
    }
    if (is_over) {
      std::fill_n(&batch.states[lane * D], D, options_.terminal_state_value);
    } else {
      batch.players[lane] = draw_mover(batch, i, batch.players[lane], stream.next_double());
      append_next_mover(&batch.delta_inputs[batch.continuing_rows.size() * delta_input_size()], &batch.inputs[i * K],
                        batch.players[lane]);
      batch.continuing_rows.push_back(row);
    }
  }
}

void DynamicsEnsemble::enter_next_states(Batch& batch, std::span<const std::int32_t> lanes,
                                         std::span<const std::int32_t> actions) const {
  const std::size_t D = state_size(), count = batch.continuing_rows.size();
  batch.row_lanes.clear();
  for (const std::int32_t row : batch.continuing_rows) batch.row_lanes.push_back(lanes[index_of(row)]);
  predict_next_states(batch, {batch.delta_inputs.data(), count, delta_input_size()},
                      members_of(batch, batch.row_lanes));
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = index_of(batch.continuing_rows[i]);
    float *state = &batch.states[index_of(lanes[row]) * D], *next = &batch.next_states[i * D];
    if (has_kinds()) settle_state(batch, state, batch.last_movers[row], actions[row], next);
    std::copy_n(next, D, state);
    if (options_.is_simultaneous) clear_choices(state);
  }
}

/// Of the rows that go on what is observed and legal, of those within a round what is legal to the next seat.
void DynamicsEnsemble::observe_after_draws(Batch& batch, std::span<const std::int32_t> lanes,
                                           std::span<const std::int32_t> actions) const {
  const std::size_t D = state_size(), NO = num_players() * observation_size(), A = num_actions();
  const std::size_t num_continuing = batch.continuing_rows.size();
  std::vector<std::int32_t>& rows = batch.continuing_rows;
  if (has_kinds()) observe_by_kinds(batch, lanes, actions);
  rows.insert(rows.end(), batch.choosing_rows.begin(), batch.choosing_rows.end());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t lane = index_of(lanes[index_of(rows[i])]);
    if (has_kinds())
      set_mask_input(&batch.shared_inputs[i * mask_input_size()], &batch.states[lane * D],
                     &batch.observations[lane * NO], batch.players[lane]);
    else
      set_shared_input(&batch.shared_inputs[i * shared_input_size()], &batch.states[lane * D], batch.players[lane]);
  }
  predict_observations(batch, rows.size());
  const std::size_t num_outputs = has_kinds() ? A : NO + A;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t row = index_of(rows[i]), lane = index_of(lanes[row]);
    const float* output = &batch.shared_outputs[i * num_outputs];
    if (i < num_continuing && !has_kinds()) decode_observations(output, &batch.observations[lane * NO]);
    decode_legal_mask(output + num_outputs - A, &batch.legal_masks[lane * A]);
    if (batch.players[lane] == chance_player) std::fill_n(&batch.legal_masks[lane * A], A, std::uint8_t{0});
    set_known_part(batch, lane);
    append_event(batch, lane, actions[row]);
  }
}

void DynamicsEnsemble::chance_probabilities(Batch& batch, std::span<const std::int32_t> lanes,
                                            MatrixView<double> out) const {
  const std::size_t D = state_size();
  for (std::size_t row = 0; row < lanes.size(); ++row)
    normalize_state(&batch.states[index_of(lanes[row]) * D], &batch.chance_states[row * D]);
  mean_probabilities(batch, networks_.chance, {batch.chance_states.data(), lanes.size(), D}, out);
}

void DynamicsEnsemble::mean_probabilities(Batch& batch, const std::vector<std::shared_ptr<const Mlp>>& networks,
                                          MatrixView<const float> inputs, MatrixView<double> out) const {
  const std::size_t count = inputs.rows, C = out.columns;
  const double weight = 1.0 / static_cast<double>(networks.size());
  for (std::size_t row = 0; row < count; ++row) std::ranges::fill(out.row(row), 0.0);
  for (const auto& network : networks) {
    network->forward(inputs, {batch.logits.data(), count, C}, batch.workspace);
    for (std::size_t row = 0; row < count; ++row) {
      const std::span<double> given{batch.probabilities.data(), C};
      if (C == 1)
        given[0] = sigmoid(batch.logits[row]);
      else
        softmax({&batch.logits[row * C], C}, given);
      for (std::size_t k = 0; k < C; ++k) out(row, k) += weight * given[k];
      if (options_.outcome_disagreement) batch.information[row] -= weight * outcome_entropy(given);
    }
  }
  if (options_.outcome_disagreement)
    for (std::size_t row = 0; row < count; ++row) batch.information[row] += outcome_entropy(out.row(row));
}

void DynamicsEnsemble::predict_outcomes(Batch& batch, std::size_t count) const {
  const MatrixView<const float> inputs{batch.inputs.data(), count, input_size()};
  std::fill_n(batch.information.begin(), options_.outcome_disagreement ? count : 0, 0.0);
  mean_probabilities(batch, networks_.end, inputs, {batch.ends.data(), count, 1});
  if (options_.end_is_certain)
    for (std::size_t row = 0; row < count; ++row) batch.ends[row] = batch.ends[row] > 0.5 ? 1.0 : 0.0;
  if (!predicts_mover()) return;
  const MatrixView<double> movers{batch.movers.data(), count, num_movers()};
  mean_probabilities(batch, networks_.mover, inputs, movers);
  if (!options_.mover_is_certain) return;
  for (std::size_t row = 0; row < count; ++row) {
    const auto likely = std::ranges::max_element(movers.row(row)) - movers.row(row).begin();
    std::ranges::fill(movers.row(row), 0.0);
    movers(row, static_cast<std::size_t>(likely)) = 1.0;
  }
}

/// To the disagreement of the acting rows what members disagree about in ends and movers and, where chance moved, in
/// its outcomes.
void DynamicsEnsemble::add_information(Batch& batch, std::span<double> disagreement) const {
  if (!options_.outcome_disagreement) return;
  const std::size_t D = state_size(), count = batch.acting_rows.size();
  for (std::size_t i = 0; i < count; ++i)
    disagreement[index_of(batch.acting_rows[i])] += options_.reward_scale * batch.information[i];
  if (num_chance_outcomes() == 0) return;
  std::fill_n(batch.information.begin(), count, 0.0);
  for (std::size_t i = 0; i < count; ++i) std::copy_n(&batch.inputs[i * input_size()], D, &batch.chance_states[i * D]);
  mean_probabilities(batch, networks_.chance, {batch.chance_states.data(), count, D},
                     {batch.chances.data(), count, num_chance_outcomes()});
  for (std::size_t i = 0; i < count; ++i)
    if (batch.last_movers[index_of(batch.acting_rows[i])] == chance_player)
      disagreement[index_of(batch.acting_rows[i])] += options_.reward_scale * batch.information[i];
}

std::int32_t DynamicsEnsemble::draw_mover(Batch& batch, std::size_t row, std::int32_t player, double uniform) const {
  const auto N = static_cast<std::int32_t>(num_players());
  if (!predicts_mover()) return (player + 1) % N;
  const auto drawn =
      static_cast<std::int32_t>(sample_categorical({&batch.movers[row * num_movers()], num_movers()}, uniform));
  return drawn == N ? chance_player : drawn;
}

void DynamicsEnsemble::append_next_mover(float* delta_input, const float* input, std::int32_t next_player) const {
  std::copy_n(input, input_size(), delta_input);
  if (!predicts_mover()) return;
  float* mover = delta_input + input_size();
  std::fill_n(mover, num_movers(), 0.0f);
  mover[mover_index(next_player)] = 1.0f;
}

void DynamicsEnsemble::set_shared_input(float* input, const float* state, std::int32_t player) const {
  normalize_state(state, input);
  if (!draws_ends()) return;
  std::fill_n(input + state_size(), num_players(), 0.0f);
  if (player != chance_player) input[state_size() + index_of(player)] = 1.0f;
}

void DynamicsEnsemble::choose_within_round(float* state, std::int32_t player, std::int32_t action) const {
  const std::size_t V = action_size();
  float* choices = state + state_size() - num_players() * V;
  std::copy_n(&action_vectors_[index_of(action) * V], V, choices + index_of(player) * V);
}

void DynamicsEnsemble::clear_choices(float* state) const {
  const std::size_t size = num_players() * action_size();
  std::fill_n(state + state_size() - size, size, 0.0f);
}

}  // namespace coffee_fast
