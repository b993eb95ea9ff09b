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
  const std::size_t D = state_size();
  batch.acting_rows.clear();
  batch.choosing_rows.clear();
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const std::size_t lane = index_of(lanes[row]);
    const std::int32_t player = batch.players[lane];
    outputs.terminal[row] = 0;
    outputs.disagreement[row] = 0.0;
    std::ranges::fill(outputs.rewards.row(row), 0.0);
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
  draw_next(batch, lanes, outputs);
  predict_rewards(batch, batch.paying_rows, outputs.rewards, outputs.disagreement);
  predict_next_states(batch, {batch.delta_inputs.data(), batch.continuing_rows.size(), delta_input_size()});
  for (std::size_t i = 0; i < batch.continuing_rows.size(); ++i) {
    float* state = &batch.states[index_of(lanes[index_of(batch.continuing_rows[i])]) * D];
    std::copy_n(&batch.next_states[i * D], D, state);
    if (options_.is_simultaneous) clear_choices(state);
  }
  observe_after_draws(batch, lanes, actions);
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
    const EpisodeKey& key = batch.keys[lane];
    Stream stream(key.seed, Purpose::transition, key.profile, key.rollout,
                  static_cast<std::uint32_t>(batch.num_actions_taken[lane]++));
    const bool is_over = stream.next_double() < sigmoid(batch.end_logits[i]) ||
                         index_of(batch.num_actions_taken[lane]) + room > max_episode_length();
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

/// Of the rows that go on what is observed and legal, of those within a round what is legal to the next seat.
void DynamicsEnsemble::observe_after_draws(Batch& batch, std::span<const std::int32_t> lanes,
                                           std::span<const std::int32_t> actions) const {
  const std::size_t D = state_size(), NO = num_players() * observation_size(), A = num_actions();
  const std::size_t num_continuing = batch.continuing_rows.size();
  std::vector<std::int32_t>& rows = batch.continuing_rows;
  rows.insert(rows.end(), batch.choosing_rows.begin(), batch.choosing_rows.end());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t lane = index_of(lanes[index_of(rows[i])]);
    set_shared_input(&batch.shared_inputs[i * shared_input_size()], &batch.states[lane * D], batch.players[lane]);
  }
  predict_observations(batch, rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t row = index_of(rows[i]), lane = index_of(lanes[row]);
    const float* output = &batch.shared_outputs[i * (NO + A)];
    if (i < num_continuing) decode_observations(output, &batch.observations[lane * NO]);
    decode_legal_mask(output, &batch.legal_masks[lane * A]);
    if (batch.players[lane] == chance_player) std::fill_n(&batch.legal_masks[lane * A], A, std::uint8_t{0});
    set_known_part(batch, lane);
    append_event(batch, lane, actions[row]);
  }
}

void DynamicsEnsemble::chance_probabilities(Batch& batch, std::span<const std::int32_t> lanes,
                                            MatrixView<double> out) const {
  const std::size_t D = state_size(), C = num_chance_outcomes();
  for (std::size_t row = 0; row < lanes.size(); ++row)
    normalize_state(&batch.states[index_of(lanes[row]) * D], &batch.inputs[row * D]);
  networks_.chance->forward({batch.inputs.data(), lanes.size(), D}, {batch.chance_logits.data(), lanes.size(), C},
                            batch.workspace);
  for (std::size_t row = 0; row < lanes.size(); ++row) softmax({&batch.chance_logits[row * C], C}, out.row(row));
}

void DynamicsEnsemble::predict_outcomes(Batch& batch, std::size_t count) const {
  const MatrixView<const float> inputs{batch.inputs.data(), count, input_size()};
  networks_.end->forward(inputs, {batch.end_logits.data(), count, 1}, batch.workspace);
  if (predicts_mover())
    networks_.mover->forward(inputs, {batch.mover_logits.data(), count, num_movers()}, batch.workspace);
}

std::int32_t DynamicsEnsemble::draw_mover(Batch& batch, std::size_t row, std::int32_t player, double uniform) const {
  const auto N = static_cast<std::int32_t>(num_players());
  if (!predicts_mover()) return (player + 1) % N;
  softmax({&batch.mover_logits[row * num_movers()], num_movers()}, batch.probabilities);
  const auto drawn = static_cast<std::int32_t>(sample_categorical(batch.probabilities, uniform));
  return drawn == N ? chance_player : drawn;
}

void DynamicsEnsemble::append_next_mover(float* delta_input, const float* input, std::int32_t next_player) const {
  std::copy_n(input, input_size(), delta_input);
  if (!predicts_mover()) return;
  float* mover = delta_input + input_size();
  std::fill_n(mover, num_movers(), 0.0f);
  mover[next_player == chance_player ? num_players() : index_of(next_player)] = 1.0f;
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
