// What a DynamicsEnsemble knows of next states and observations, by kinds of entries.

#include <algorithm>

#include "coffee_fast/dynamics_ensemble.hpp"

namespace coffee_fast {
namespace {

std::size_t index_of(std::int32_t number) { return static_cast<std::size_t>(number); }

}  // namespace

std::span<const float> DynamicsEnsemble::known_of(Batch& batch, std::span<const float> first,
                                                  std::span<const float> second, std::int32_t player,
                                                  std::int32_t action) const {
  const std::size_t V = action_size(), W = outcome_size();
  batch.known.assign(first.begin(), first.end());
  batch.known.insert(batch.known.end(), second.begin(), second.end());
  const std::size_t vectors = batch.known.size();
  batch.known.resize(vectors + V + W, 0.0f);
  if (player == chance_player)
    std::copy_n(&knowledge_.chance_vectors[index_of(action) * W], W, &batch.known[vectors + V]);
  else
    std::copy_n(&action_vectors_[index_of(action) * V], V, &batch.known[vectors]);
  return batch.known;
}

void DynamicsEnsemble::settle_state(Batch& batch, const float* state, std::int32_t player, std::int32_t action,
                                    float* next) const {
  knowledge_.state.settle(mover_index(player), 0, known_of(batch, {state, state_size()}, {}, player, action),
                          {next, state_size()});
}

/// Of the rows that go on, whose lanes have entered their next states.
void DynamicsEnsemble::observe_by_kinds(Batch& batch, std::span<const std::int32_t> lanes,
                                        std::span<const std::int32_t> actions) const {
  const std::size_t N = num_players(), O = observation_size(), D = state_size();
  if (predicts_views_) predict_views(batch, lanes, actions);
  for (std::size_t i = 0; i < batch.continuing_rows.size(); ++i) {
    const std::size_t row = index_of(batch.continuing_rows[i]), lane = index_of(lanes[row]);
    const std::int32_t player = batch.last_movers[row];
    for (std::size_t seat = 0; seat < N; ++seat) {
      const std::span<float> own{&batch.observations[(lane * N + seat) * O], O};
      const auto known = known_of(batch, own, {&batch.states[lane * D], D}, player, actions[row]);
      if (predicts_views_) std::copy_n(&batch.views[(i * N + seat) * O], O, own.begin());
      knowledge_.observation.settle(mover_index(player), seat * O, known, own);
    }
  }
}

/// views [rows that go on, N, O], raw.
void DynamicsEnsemble::predict_views(Batch& batch, std::span<const std::int32_t> lanes,
                                     std::span<const std::int32_t> actions) const {
  const std::size_t N = num_players(), O = observation_size(), K = view_input_size();
  const std::size_t count = batch.continuing_rows.size() * N;
  for (std::size_t i = 0; i < batch.continuing_rows.size(); ++i) {
    const std::size_t row = index_of(batch.continuing_rows[i]), lane = index_of(lanes[row]);
    for (std::size_t seat = 0; seat < N; ++seat)
      set_view_input(&batch.view_inputs[(i * N + seat) * K], batch, lane, seat, batch.last_movers[row], actions[row]);
  }
  networks_.view->forward({batch.view_inputs.data(), count, K}, {batch.views.data(), count, O}, batch.workspace);
  for (std::size_t i = 0; i < count * O; ++i)
    batch.views[i] = batch.views[i] * observation_normalizer_.scale[i % O] + observation_normalizer_.mean[i % O];
}

void DynamicsEnsemble::normalize_observation(const float* observation, float* out) const {
  const auto& [mean, scale] = observation_normalizer_;
  for (std::size_t k = 0; k < observation_size(); ++k) out[k] = (observation[k] - mean[k]) / scale[k];
}

void DynamicsEnsemble::set_view_input(float* input, const Batch& batch, std::size_t lane, std::size_t seat,
                                      std::int32_t player, std::int32_t action) const {
  const std::size_t N = num_players(), O = observation_size(), V = action_size(), W = outcome_size();
  std::fill_n(input, view_input_size(), 0.0f);
  normalize_observation(&batch.observations[(lane * N + seat) * O], input);
  float* rest = input + O;
  rest[seat] = 1.0f;
  rest += N;
  rest[mover_index(player)] = 1.0f;
  rest += num_movers();
  rest[mover_index(batch.players[lane])] = 1.0f;
  rest += num_movers();
  if (options_.view_sees_move) {
    if (player == chance_player)
      std::copy_n(&chance_inputs_[index_of(action) * W], W, rest + V);
    else
      std::copy_n(&normalized_action_vectors_[index_of(action) * V], V, rest);
  }
  if (options_.view_sees_state) normalize_state(&batch.states[lane * state_size()], rest + V + W);
}

void DynamicsEnsemble::set_mask_input(float* input, const float* state, const float* observations,
                                      std::int32_t player) const {
  const std::size_t N = num_players(), O = observation_size();
  std::fill_n(input, mask_input_size(), 0.0f);
  normalize_observation(observations + index_of(std::max(player, 0)) * O, input);
  if (player != chance_player) input[O + index_of(player)] = 1.0f;
  if (options_.mask_sees_state) normalize_state(state, input + O + N);
}

}  // namespace coffee_fast
