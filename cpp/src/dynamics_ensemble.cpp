#include "coffee_fast/dynamics_ensemble.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/check.hpp"
#include "coffee_fast/rng.hpp"
#include "softmax.hpp"

namespace coffee_fast {
namespace {

std::size_t index_of(std::int32_t lane) { return static_cast<std::size_t>(lane); }

template <class T>
void gather(const std::vector<T>& source, std::span<const std::int32_t> lanes, MatrixView<T> out) {
  for (std::size_t row = 0; row < lanes.size(); ++row)
    std::copy_n(&source[index_of(lanes[row]) * out.columns], out.columns, out.row(row).begin());
}

}  // namespace

void DynamicsEnsemble::reset(Batch& batch, std::span<const std::int32_t> lanes,
                             std::span<const EpisodeKey> keys) const {
  const std::size_t D = state_size(), NO = num_players() * observation_size(), A = num_actions();
  const std::size_t I = information_state_size();
  const auto count = static_cast<std::uint32_t>(initial_states_.players.size());
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const std::size_t lane = index_of(lanes[row]);
    const EpisodeKey& key = keys[row];
    const std::size_t start = Stream(key.seed, Purpose::initial_state, key.profile, key.rollout).next_below(count);
    std::copy_n(&initial_states_.states[start * D], D, &batch.states[lane * D]);
    std::copy_n(&initial_states_.observations[start * NO], NO, &batch.observations[lane * NO]);
    std::copy_n(&initial_states_.legal_masks[start * A], A, &batch.legal_masks[lane * A]);
    batch.players[lane] = initial_states_.players[start];
    batch.num_actions_taken[lane] = 0;
    batch.keys[lane] = key;
    if (options_.member_per_episode)
      batch.members[lane] = static_cast<std::int32_t>(
          Stream(key.seed, Purpose::member, key.profile, key.rollout).next_below(std::uint32_t(num_members())));
    std::fill_n(&batch.information_states[lane * I], I, 0.0f);
    set_known_part(batch, lane);
  }
}

const float* DynamicsEnsemble::observation_of_mover(const Batch& batch, std::size_t lane) const {
  const std::int32_t seat = std::max(batch.players[lane], 0);
  return &batch.observations[(lane * num_players() + index_of(seat)) * observation_size()];
}

void DynamicsEnsemble::set_known_part(Batch& batch, std::size_t lane) const {
  std::copy_n(observation_of_mover(batch, lane), options_.history_start,
              &batch.information_states[lane * information_state_size()]);
}

void DynamicsEnsemble::append_event(Batch& batch, std::size_t lane, std::int32_t action) const {
  const float* event = options_.history_source == HistorySource::observations
                           ? observation_of_mover(batch, lane) + options_.history_start
                           : &action_vectors_[index_of(action) * action_size()];
  const std::size_t time = index_of(batch.num_actions_taken[lane]) - 1;
  std::copy_n(
      event, event_size(),
      &batch.information_states[lane * information_state_size()] + options_.history_start + time * event_size());
}

void DynamicsEnsemble::players_to_act(Batch& batch, std::span<const std::int32_t> lanes,
                                      std::span<std::int32_t> players) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) players[row] = batch.players[index_of(lanes[row])];
}

void DynamicsEnsemble::information_states(Batch& batch, std::span<const std::int32_t> lanes,
                                          MatrixView<float> out) const {
  gather(batch.information_states, lanes, out);
  if (num_chance_outcomes() == 0) return;
  for (std::size_t row = 0; row < lanes.size(); ++row)
    if (batch.players[index_of(lanes[row])] == chance_player) std::ranges::fill(out.row(row), 0.0f);
}

void DynamicsEnsemble::legal_masks(Batch& batch, std::span<const std::int32_t> lanes,
                                   MatrixView<std::uint8_t> out) const {
  gather(batch.legal_masks, lanes, out);
}

void DynamicsEnsemble::states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const {
  gather(batch.states, lanes, out);
}

void DynamicsEnsemble::observations(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const {
  gather(batch.observations, lanes, out);
}

void DynamicsEnsemble::step(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
                            const StepOutputs& outputs) const {
  if (draws_ends()) return step_by_draws(batch, lanes, actions, outputs);
  const std::size_t D = state_size(), K = input_size();
  for (std::size_t row = 0; row < lanes.size(); ++row)
    set_input(&batch.inputs[row * K], &batch.states[index_of(lanes[row]) * D], actions[row], 0);
  predict_next_states(batch, {batch.inputs.data(), lanes.size(), K}, members_of(batch, lanes));

  batch.paying_rows.clear();
  batch.continuing_rows.clear();
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const std::size_t lane = index_of(lanes[row]);
    const std::span<const float> next{&batch.next_states[row * D], D};
    const bool is_predicted_terminal = is_terminal_state(next);
    const bool is_over =
        is_predicted_terminal || ++batch.num_actions_taken[lane] >= static_cast<std::int32_t>(max_episode_length());
    outputs.terminal[row] = is_over;
    outputs.disagreement[row] = 0.0;
    std::ranges::fill(outputs.rewards.row(row), 0.0);
    if (is_predicted_terminal) {
      std::copy_n(&batch.inputs[row * K], K, &batch.paying_inputs[batch.paying_rows.size() * K]);
      batch.paying_rows.push_back(static_cast<std::int32_t>(row));
    }
    if (is_over) {
      std::fill_n(&batch.states[lane * D], D, options_.terminal_state_value);
    } else {
      std::ranges::copy(next, &batch.states[lane * D]);
      batch.players[lane] = (batch.players[lane] + 1) % static_cast<std::int32_t>(num_players());
      batch.continuing_rows.push_back(static_cast<std::int32_t>(row));
    }
  }
  predict_rewards(batch, batch.paying_rows, outputs.rewards, outputs.disagreement);
  observe_next_states(batch, lanes, actions);
}

void DynamicsEnsemble::normalize_state(const float* state, float* out) const {
  const float* mean = state_normalizer_.mean.data();
  const float* inverse_scale = inverse_state_scale_.data();
  for (std::size_t i = 0; i < state_size(); ++i) out[i] = (state[i] - mean[i]) * inverse_scale[i];
}

void DynamicsEnsemble::set_input(float* input, const float* state, std::int32_t action, std::int32_t player) const {
  normalize_state(state, input);
  float* rest = input + state_size();
  const std::size_t V = action_size(), W = outcome_size();
  if (draws_ends()) {
    std::fill(rest, input + input_size(), 0.0f);
    if (player == chance_player) {
      std::copy_n(&chance_inputs_[index_of(action) * W], W, rest + V + num_players());
      return;
    }
    rest[V + index_of(player)] = 1.0f;
  }
  std::copy_n(&normalized_action_vectors_[index_of(action) * V], V, rest);
}

std::span<const std::int32_t> DynamicsEnsemble::members_of(Batch& batch, std::span<const std::int32_t> lanes) const {
  if (!options_.member_per_episode) return {};
  batch.row_members.clear();
  for (const std::int32_t lane : lanes) batch.row_members.push_back(batch.members[index_of(lane)]);
  return batch.row_members;
}

void DynamicsEnsemble::predict_next_states(Batch& batch, MatrixView<const float> inputs,
                                           std::span<const std::int32_t> members) const {
  const std::size_t D = state_size(), count = inputs.rows;
  std::fill_n(batch.next_states.begin(), count * D, 0.0f);
  if (!predicts_states_) return;
  float weight = 1.0f;
  if (!members.empty()) {
    set_deltas_of(batch, inputs, members);
  } else {
    for (const auto& network : networks_.delta) {
      network->forward(inputs, {batch.deltas.data(), count, D}, batch.workspace);
      for (std::size_t i = 0; i < count * D; ++i) batch.next_states[i] += batch.deltas[i];
    }
    weight /= static_cast<float>(num_members());
  }
  for (std::size_t row = 0; row < count; ++row) {
    float* next = &batch.next_states[row * D];
    const float* input = inputs.row(row).data();
    for (std::size_t i = 0; i < D; ++i)
      next[i] = (input[i] + next[i] * weight) * state_normalizer_.scale[i] + state_normalizer_.mean[i];
  }
}

void DynamicsEnsemble::set_deltas_of(Batch& batch, MatrixView<const float> inputs,
                                     std::span<const std::int32_t> members) const {
  const std::size_t D = state_size(), K = inputs.columns;
  for (std::size_t member = 0; member < num_members(); ++member) {
    std::size_t count = 0;
    for (std::size_t row = 0; row < inputs.rows; ++row)
      if (index_of(members[row]) == member) std::ranges::copy(inputs.row(row), &batch.member_inputs[count++ * K]);
    if (count == 0) continue;
    networks_.delta[member]->forward({batch.member_inputs.data(), count, K}, {batch.deltas.data(), count, D},
                                     batch.workspace);
    const float* delta = batch.deltas.data();
    for (std::size_t row = 0; row < inputs.rows; ++row)
      if (index_of(members[row]) == member) {
        std::copy_n(delta, D, &batch.next_states[row * D]);
        delta += D;
      }
  }
}

bool DynamicsEnsemble::is_terminal_state(std::span<const float> state) const {
  float distance = 0.0f;
  for (const float value : state) distance += std::abs(value - options_.terminal_state_value);
  return distance < options_.terminal_threshold * static_cast<float>(state.size());
}

void DynamicsEnsemble::predict_rewards(Batch& batch, std::span<const std::int32_t> rows, MatrixView<double> rewards,
                                       std::span<double> disagreement) const {
  if (rows.empty()) return;
  const std::size_t N = num_players(), E = num_members(), count = rows.size();
  const MatrixView<const float> inputs{batch.paying_inputs.data(), count, input_size()};
  for (std::size_t member = 0; member < E; ++member) {
    networks_.reward[member]->forward(inputs, {batch.rewards.data(), count, N}, batch.workspace);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t player = 0; player < N; ++player)
        rewards(index_of(rows[i]), player * E + member) =
            bounded_reward(player, options_.reward_scale * static_cast<double>(batch.rewards[i * N + player]));
  }
  if (networks_.pay) {
    predict_payments(batch, inputs, batch.payments);
    for (std::size_t i = 0; i < count; ++i)
      for (double& reward : rewards.row(index_of(rows[i]))) reward *= batch.payments[i];
  }
  for (const std::int32_t row : rows) disagreement[index_of(row)] = disagreement_of(rewards.row(index_of(row)));
}

double DynamicsEnsemble::bounded_reward(std::size_t player, double reward) const {
  if (knowledge_.least_rewards.empty()) return reward;
  return std::clamp(reward, double(knowledge_.least_rewards[player]), double(knowledge_.most_rewards[player]));
}

void DynamicsEnsemble::predict_payments(Batch& batch, MatrixView<const float> inputs, std::span<double> out) const {
  networks_.pay->forward(inputs, {batch.logits.data(), inputs.rows, 1}, batch.workspace);
  for (std::size_t i = 0; i < inputs.rows; ++i) {
    out[i] = sigmoid(batch.logits[i]);
    if (options_.pay_is_certain) out[i] = out[i] > 0.5 ? 1.0 : 0.0;
  }
}

double DynamicsEnsemble::disagreement_of(std::span<const double> member_rewards) const {
  const std::size_t N = num_players(), E = num_members();
  double largest = 0.0, sum_of_ranges = 0.0;
  if (options_.disagreement == Disagreement::max_deviation) {
    for (std::size_t member = 0; member < E; ++member) {
      double deviation = 0.0;
      for (std::size_t player = 0; player < N; ++player) {
        double sum = 0.0;
        for (std::size_t other = 0; other < E; ++other) sum += member_rewards[player * E + other];
        deviation += std::abs(member_rewards[player * E + member] - sum / static_cast<double>(E));
      }
      largest = std::max(largest, deviation / static_cast<double>(N));
    }
    return largest;
  }
  for (std::size_t player = 0; player < N; ++player) {
    const auto [low, high] = std::ranges::minmax(member_rewards.subspan(player * E, E));
    largest = std::max(largest, high - low);
    sum_of_ranges += high - low;
  }
  return options_.disagreement == Disagreement::range_max ? largest : sum_of_ranges / static_cast<double>(N);
}

void DynamicsEnsemble::predict_observations(Batch& batch, std::size_t count) const {
  const Mlp& network = has_kinds() ? *networks_.mask : *networks_.shared;
  network.forward({batch.shared_inputs.data(), count, network.input_size()},
                  {batch.shared_outputs.data(), count, network.output_size()}, batch.workspace);
}

void DynamicsEnsemble::decode_observations(const float* output, float* observations) const {
  const std::size_t NO = num_players() * observation_size();
  const float* scale = observation_normalizer_.scale.data();
  const float* mean = observation_normalizer_.mean.data();
  for (std::size_t k = 0; k < NO; ++k) observations[k] = output[k] * scale[k] + mean[k];
}

void DynamicsEnsemble::decode_legal_mask(const float* scores, std::uint8_t* legal_mask) const {
  const std::size_t A = num_actions();
  for (std::size_t action = 0; action < A; ++action) legal_mask[action] = scores[action] > 0.5f;
  if (std::find(legal_mask, legal_mask + A, 1) == legal_mask + A)  // a model that sees no legal action forbids none
    std::fill_n(legal_mask, A, std::uint8_t{1});
}

void DynamicsEnsemble::observe_next_states(Batch& batch, std::span<const std::int32_t> lanes,
                                           std::span<const std::int32_t> actions) const {
  const std::size_t D = state_size(), NO = num_players() * observation_size(), A = num_actions();
  const std::size_t count = batch.continuing_rows.size();
  if (count == 0) return;
  for (std::size_t i = 0; i < count; ++i)
    normalize_state(&batch.next_states[index_of(batch.continuing_rows[i]) * D], &batch.shared_inputs[i * D]);
  predict_observations(batch, count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = index_of(batch.continuing_rows[i]), lane = index_of(lanes[row]);
    decode_observations(&batch.shared_outputs[i * (NO + A)], &batch.observations[lane * NO]);
    decode_legal_mask(&batch.shared_outputs[i * (NO + A) + NO], &batch.legal_masks[lane * A]);
    set_known_part(batch, lane);
    append_event(batch, lane, actions[row]);
  }
}

}  // namespace coffee_fast
