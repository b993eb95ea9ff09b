#include "coffee_fast/dynamics_ensemble.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/check.hpp"
#include "coffee_fast/rng.hpp"

namespace coffee_fast {
namespace {

std::size_t index_of(std::int32_t lane) { return static_cast<std::size_t>(lane); }

void check_network(const char* name, const std::shared_ptr<const Mlp>& network, std::size_t inputs,
                   std::size_t outputs) {
  check(network != nullptr, "DynamicsEnsemble: ", name, " network is missing");
  check(network->input_size() == inputs && network->output_size() == outputs, "DynamicsEnsemble: ", name,
        " network must have ", inputs, " inputs and ", outputs, " outputs, got ", network->input_size(), " and ",
        network->output_size());
}

void check_normalizer(const char* name, const DynamicsEnsemble::Normalizer& normalizer, std::size_t size) {
  check(normalizer.mean.size() == size && normalizer.scale.size() == size, "DynamicsEnsemble: ", name,
        " normalizer must have ", size, " means and scales, got ", normalizer.mean.size(), " and ",
        normalizer.scale.size());
  for (const float scale : normalizer.scale)
    check(scale > 0.0f && std::isfinite(scale), "DynamicsEnsemble: ", name, " scales must be positive, got ", scale);
}

}  // namespace

DynamicsEnsemble::DynamicsEnsemble(const Options& options, Networks networks, Normalizer state, Normalizer action,
                                   Normalizer observation, std::vector<float> action_vectors,
                                   InitialStates initial_states)
    : options_(options),
      networks_(std::move(networks)),
      state_normalizer_(std::move(state)),
      action_normalizer_(std::move(action)),
      observation_normalizer_(std::move(observation)),
      action_vectors_(std::move(action_vectors)),
      initial_states_(std::move(initial_states)) {
  const std::size_t N = options.num_players, A = options.num_actions, D = options.state_size;
  const std::size_t O = options.observation_size, V = action_size();
  check(N >= 1 && A >= 1 && D >= 1 && V >= 1 && options.max_episode_length >= 1,
        "DynamicsEnsemble: sizes must be at least 1");
  check(options.history_start <= O, "DynamicsEnsemble: history_start must be at most ", O, ", got ",
        options.history_start);
  check(options.history_source == HistorySource::observations || V == event_size(),
        "DynamicsEnsemble: history from actions needs action vectors of ", event_size(), " entries, got ", V);
  check(options.reward_scale > 0.0 && std::isfinite(options.reward_scale),
        "DynamicsEnsemble: reward_scale must be positive, got ", options.reward_scale);
  check(!networks_.delta.empty() && networks_.delta.size() == networks_.reward.size(),
        "DynamicsEnsemble: there must be as many reward as delta networks, at least 1, got ", networks_.reward.size(),
        " and ", networks_.delta.size());
  for (const auto& network : networks_.delta) check_network("delta", network, D + V, D);
  for (const auto& network : networks_.reward) check_network("reward", network, D + V, N);
  check_network("shared", networks_.shared, D, N * O + A);
  check_normalizer("state", state_normalizer_, D);
  check_normalizer("observation", observation_normalizer_, N * O);
  check_normalizer("action", action_normalizer_, V);
  check(action_vectors_.size() == A * V, "DynamicsEnsemble: action_vectors must have shape [", A, ", ", V, "]");
  const std::size_t M = initial_states_.players.size();
  check(M >= 1 && initial_states_.states.size() == M * D && initial_states_.observations.size() == M * N * O &&
            initial_states_.legal_masks.size() == M * A,
        "DynamicsEnsemble: initial states must be at least 1, with states [M, ", D, "], observations [M, ", N * O,
        "], legal masks [M, ", A, "] and players [M]");
  for (std::size_t m = 0; m < M; ++m) {
    check(initial_states_.players[m] >= 0 && index_of(initial_states_.players[m]) < N,
          "DynamicsEnsemble: player on move in initial state ", m, " must lie in [0, ", N, "), got ",
          initial_states_.players[m]);
    check(std::any_of(&initial_states_.legal_masks[m * A], &initial_states_.legal_masks[m * A] + A,
                      [](std::uint8_t legal) { return legal != 0; }),
          "DynamicsEnsemble: initial state ", m, " must have a legal action");
  }
  for (const float scale : state_normalizer_.scale) inverse_state_scale_.push_back(1.0f / scale);
  for (std::size_t i = 0; i < action_vectors_.size(); ++i)
    normalized_action_vectors_.push_back((action_vectors_[i] - action_normalizer_.mean[i % V]) /
                                         action_normalizer_.scale[i % V]);
}

DynamicsEnsemble::Batch DynamicsEnsemble::make_batch(std::size_t capacity) const {
  const std::size_t D = state_size(), NO = num_players() * observation_size();
  Batch batch;
  batch.states.resize(capacity * D);
  batch.observations.resize(capacity * NO);
  batch.information_states.resize(capacity * information_state_size());
  batch.legal_masks.resize(capacity * num_actions());
  batch.players.resize(capacity);
  batch.num_actions_taken.resize(capacity);
  batch.inputs.resize(capacity * input_size());
  batch.deltas.resize(capacity * D);
  batch.next_states.resize(capacity * D);
  batch.terminal_inputs.resize(capacity * input_size());
  batch.rewards.resize(capacity * num_players());
  batch.shared_inputs.resize(capacity * D);
  batch.shared_outputs.resize(capacity * (NO + num_actions()));
  return batch;
}

void DynamicsEnsemble::reset(Batch& batch, std::span<const std::int32_t> lanes,
                             std::span<const EpisodeKey> keys) const {
  const std::size_t D = state_size(), NO = num_players() * observation_size(), A = num_actions();
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
    begin_history(batch, lane);
  }
}

/// The part of the mover's observation that is not history goes to the front of the lane's information state.
void DynamicsEnsemble::begin_history(Batch& batch, std::size_t lane) const {
  const std::size_t I = information_state_size(), O = observation_size(), start = options_.history_start;
  float* information = &batch.information_states[lane * I];
  const float* observation = &batch.observations[(lane * num_players() + index_of(batch.players[lane])) * O];
  std::copy_n(observation, start, information);
  std::fill(information + start, information + I, 0.0f);
}

void DynamicsEnsemble::extend_history(Batch& batch, std::size_t lane, std::int32_t action) const {
  const std::size_t I = information_state_size(), O = observation_size(), start = options_.history_start;
  float* information = &batch.information_states[lane * I];
  const float* observation = &batch.observations[(lane * num_players() + index_of(batch.players[lane])) * O];
  std::copy_n(observation, start, information);
  const float* event = options_.history_source == HistorySource::observations
                           ? observation + start
                           : &action_vectors_[index_of(action) * action_size()];
  const std::size_t time = index_of(batch.num_actions_taken[lane]) - 1;
  std::copy_n(event, event_size(), information + start + time * event_size());
}

void DynamicsEnsemble::players_to_act(Batch& batch, std::span<const std::int32_t> lanes,
                                      std::span<std::int32_t> players) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) players[row] = batch.players[index_of(lanes[row])];
}

namespace {

template <class T>
void gather(const std::vector<T>& source, std::span<const std::int32_t> lanes, MatrixView<T> out) {
  for (std::size_t row = 0; row < lanes.size(); ++row)
    std::copy_n(&source[index_of(lanes[row]) * out.columns], out.columns, out.row(row).begin());
}

}  // namespace

void DynamicsEnsemble::information_states(Batch& batch, std::span<const std::int32_t> lanes,
                                          MatrixView<float> out) const {
  gather(batch.information_states, lanes, out);
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
  const std::size_t D = state_size();
  predict_next_states(batch, lanes, actions);
  batch.terminal_rows.clear();
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
    if (is_predicted_terminal) batch.terminal_rows.push_back(static_cast<std::int32_t>(row));
    if (is_over) {
      std::fill_n(&batch.states[lane * D], D, options_.terminal_state_value);
    } else {
      std::ranges::copy(next, &batch.states[lane * D]);
      batch.players[lane] = (batch.players[lane] + 1) % static_cast<std::int32_t>(num_players());
      batch.continuing_rows.push_back(static_cast<std::int32_t>(row));
    }
  }
  if (!batch.terminal_rows.empty()) predict_rewards(batch, outputs);
  if (!batch.continuing_rows.empty()) predict_observations(batch, lanes, actions);
}

void DynamicsEnsemble::predict_next_states(Batch& batch, std::span<const std::int32_t> lanes,
                                           std::span<const std::int32_t> actions) const {
  const std::size_t D = state_size(), V = action_size(), K = input_size(), count = lanes.size();
  for (std::size_t row = 0; row < count; ++row) {
    const float* state = &batch.states[index_of(lanes[row]) * D];
    float* input = &batch.inputs[row * K];
    for (std::size_t i = 0; i < D; ++i) input[i] = (state[i] - state_normalizer_.mean[i]) * inverse_state_scale_[i];
    std::copy_n(&normalized_action_vectors_[index_of(actions[row]) * V], V, input + D);
  }
  const MatrixView<const float> inputs{batch.inputs.data(), count, K};
  std::fill_n(batch.next_states.begin(), count * D, 0.0f);
  for (const auto& network : networks_.delta) {
    network->forward(inputs, {batch.deltas.data(), count, D}, batch.workspace);
    for (std::size_t i = 0; i < count * D; ++i) batch.next_states[i] += batch.deltas[i];
  }
  const float weight = 1.0f / static_cast<float>(num_members());
  for (std::size_t row = 0; row < count; ++row) {
    float* next = &batch.next_states[row * D];
    const float* input = &batch.inputs[row * K];
    for (std::size_t i = 0; i < D; ++i)
      next[i] = (input[i] + next[i] * weight) * state_normalizer_.scale[i] + state_normalizer_.mean[i];
  }
}

bool DynamicsEnsemble::is_terminal_state(std::span<const float> state) const {
  float distance = 0.0f;
  for (const float value : state) distance += std::abs(value - options_.terminal_state_value);
  return distance < options_.terminal_threshold * static_cast<float>(state.size());
}

void DynamicsEnsemble::predict_rewards(Batch& batch, const StepOutputs& outputs) const {
  const std::size_t K = input_size(), N = num_players(), E = num_members(), count = batch.terminal_rows.size();
  for (std::size_t i = 0; i < count; ++i)
    std::copy_n(&batch.inputs[index_of(batch.terminal_rows[i]) * K], K, &batch.terminal_inputs[i * K]);
  for (std::size_t member = 0; member < E; ++member) {
    networks_.reward[member]->forward({batch.terminal_inputs.data(), count, K}, {batch.rewards.data(), count, N},
                                      batch.workspace);
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t player = 0; player < N; ++player)
        outputs.rewards(index_of(batch.terminal_rows[i]), player * E + member) =
            options_.reward_scale * static_cast<double>(batch.rewards[i * N + player]);
  }
  for (const std::int32_t row : batch.terminal_rows)
    outputs.disagreement[index_of(row)] = disagreement_of(outputs.rewards.row(index_of(row)));
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

void DynamicsEnsemble::predict_observations(Batch& batch, std::span<const std::int32_t> lanes,
                                            std::span<const std::int32_t> actions) const {
  const std::size_t D = state_size(), NO = num_players() * observation_size(), A = num_actions();
  const std::size_t count = batch.continuing_rows.size();
  for (std::size_t i = 0; i < count; ++i) {
    const float* next = &batch.next_states[index_of(batch.continuing_rows[i]) * D];
    for (std::size_t k = 0; k < D; ++k)
      batch.shared_inputs[i * D + k] = (next[k] - state_normalizer_.mean[k]) * inverse_state_scale_[k];
  }
  networks_.shared->forward({batch.shared_inputs.data(), count, D}, {batch.shared_outputs.data(), count, NO + A},
                            batch.workspace);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t row = index_of(batch.continuing_rows[i]), lane = index_of(lanes[row]);
    const float* output = &batch.shared_outputs[i * (NO + A)];
    float* observation = &batch.observations[lane * NO];
    for (std::size_t k = 0; k < NO; ++k)
      observation[k] = output[k] * observation_normalizer_.scale[k] + observation_normalizer_.mean[k];
    std::uint8_t* mask = &batch.legal_masks[lane * A];
    std::uint8_t any = 0;
    for (std::size_t action = 0; action < A; ++action) {
      mask[action] = output[NO + action] > 0.5f;
      any |= mask[action];
    }
    if (!any) std::fill_n(mask, A, std::uint8_t{1});  // a model that sees no legal action forbids none
    extend_history(batch, lane, actions[row]);
  }
}

void DynamicsEnsemble::rewards(MatrixView<const float> states, std::span<const std::int32_t> actions,
                               MatrixView<double> member_rewards, std::span<double> disagreement) const {
  const std::size_t D = state_size(), V = action_size(), K = input_size(), N = num_players(), E = num_members();
  const std::size_t count = states.rows;
  check(states.columns == D, "rewards: states must have shape [L, ", D, "], got [", count, ", ", states.columns, "]");
  check(actions.size() == count, "rewards: actions must be ", count, ", one a state, got ", actions.size());
  std::vector<float> inputs(count * K), values(count * N);
  for (std::size_t row = 0; row < count; ++row) {
    check(actions[row] >= 0 && index_of(actions[row]) < num_actions(), "rewards: actions[", row, "] must lie in [0, ",
          num_actions(), "), got ", actions[row]);
    for (std::size_t i = 0; i < D; ++i)
      inputs[row * K + i] = (states(row, i) - state_normalizer_.mean[i]) * inverse_state_scale_[i];
    std::copy_n(&normalized_action_vectors_[index_of(actions[row]) * V], V, &inputs[row * K + D]);
  }
  Mlp::Workspace workspace;
  for (std::size_t member = 0; member < E; ++member) {
    networks_.reward[member]->forward({inputs.data(), count, K}, {values.data(), count, N}, workspace);
    for (std::size_t row = 0; row < count; ++row)
      for (std::size_t player = 0; player < N; ++player)
        member_rewards(row, player * E + member) =
            options_.reward_scale * static_cast<double>(values[row * N + player]);
  }
  for (std::size_t row = 0; row < count; ++row) disagreement[row] = disagreement_of(member_rewards.row(row));
}

}  // namespace coffee_fast
