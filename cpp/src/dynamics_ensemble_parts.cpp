// What a DynamicsEnsemble is made of; what it does lies in dynamics_ensemble.cpp.

#include <algorithm>
#include <cmath>
#include <utility>

#include "coffee_fast/check.hpp"
#include "coffee_fast/dynamics_ensemble.hpp"

namespace coffee_fast {
namespace {

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
  for (const float mean : normalizer.mean)
    check(std::isfinite(mean), "DynamicsEnsemble: ", name, " means must be finite, got ", mean);
  for (const float scale : normalizer.scale)
    check(scale > 0.0f && std::isfinite(scale), "DynamicsEnsemble: ", name, " scales must be positive, got ", scale);
}

}  // namespace

DynamicsEnsemble::DynamicsEnsemble(const Options& options, Networks networks, Normalizer state, Normalizer action,
                                   Normalizer observation, std::vector<float> action_vectors,
                                   InitialStates initial_states, std::vector<float> chance_inputs, Knowledge knowledge)
    : options_(options),
      networks_(std::move(networks)),
      state_normalizer_(std::move(state)),
      action_normalizer_(std::move(action)),
      observation_normalizer_(std::move(observation)),
      action_vectors_(std::move(action_vectors)),
      initial_states_(std::move(initial_states)),
      chance_inputs_(std::move(chance_inputs)),
      knowledge_(std::move(knowledge)) {
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
  check_networks();
  check_drawing_networks();
  check_knowledge();
  check_normalizer("state", state_normalizer_, D);
  check_normalizer("observation", observation_normalizer_, N * O);
  check_normalizer("action", action_normalizer_, V);
  check(action_vectors_.size() == A * V, "DynamicsEnsemble: action_vectors must have shape [", A, ", ", V, "]");
  check_initial_states();
  if (has_kinds()) {
    predicts_states_ = knowledge_.state.predicts_any(0, D);
    predicts_views_ = knowledge_.observation.predicts_any(0, N * O);
  }
  for (const float scale : state_normalizer_.scale) inverse_state_scale_.push_back(1.0f / scale);
  for (std::size_t i = 0; i < action_vectors_.size(); ++i)
    normalized_action_vectors_.push_back((action_vectors_[i] - action_normalizer_.mean[i % V]) /
                                         action_normalizer_.scale[i % V]);
}

void DynamicsEnsemble::check_networks() const {
  const std::size_t N = num_players(), A = num_actions(), D = state_size();
  check(!networks_.delta.empty() && networks_.delta.size() == networks_.reward.size(),
        "DynamicsEnsemble: there must be as many reward as delta networks, at least 1, got ", networks_.reward.size(),
        " and ", networks_.delta.size());
  for (const auto& network : networks_.delta) check_network("delta", network, delta_input_size(), D);
  for (const auto& network : networks_.reward) check_network("reward", network, input_size(), N);
  if (!has_kinds()) check_network("shared", networks_.shared, shared_input_size(), N * observation_size() + A);
}

void DynamicsEnsemble::check_drawing_networks() const {
  const std::size_t N = num_players(), D = state_size(), C = num_chance_outcomes();
  const bool needs_ends = options_.is_simultaneous || options_.pays_every_step || C > 0 || predicts_mover() ||
                          has_kinds() || networks_.pay != nullptr || networks_.code != nullptr ||
                          options_.outcome_disagreement;
  check(
      draws_ends() || !needs_ends,
      "DynamicsEnsemble: simultaneous moves, rewards at every step, chance, predicted movers, payments or luck, kinds "
      "of entries and disagreement about outcomes need an end network");
  const bool has_fixed_order = options_.is_simultaneous && C == 0;
  check(C == 0 || predicts_mover(), "DynamicsEnsemble: chance needs a mover network");
  check(!(has_fixed_order && predicts_mover()),
        "DynamicsEnsemble: simultaneous moves without chance have a fixed order, and no mover network");
  check(!options_.is_simultaneous || D >= N * action_size(),
        "DynamicsEnsemble: states of simultaneous moves must have ", N * action_size(),
        " entries for the choices of a round, got ", D);
  check(options_.history_source == HistorySource::observations || (!options_.is_simultaneous && C == 0),
        "DynamicsEnsemble: history from actions would show hidden choices and outcomes of chance");
  check((C == 0) == chance_inputs_.empty() && (C == 0 || chance_inputs_.size() % C == 0),
        "DynamicsEnsemble: chance_inputs must have shape [", C, ", W]");
  check((C == 0) == networks_.chance.empty(),
        "DynamicsEnsemble: there must be a chance network where there is chance, and only there");
  for (const auto* several : {&networks_.end, &networks_.mover, &networks_.chance})
    check(several->size() <= 1 || several->size() == num_members(),
          "DynamicsEnsemble: networks of ends, movers and chance must be one, or one a member, got ", several->size());
  for (const auto& network : networks_.end) check_network("end", network, input_size(), 1);
  for (const auto& network : networks_.mover) check_network("mover", network, input_size(), num_movers());
  for (const auto& network : networks_.chance) check_network("chance", network, D, C);
  if (networks_.pay) check_network("pay", networks_.pay, input_size(), 1);
  if (networks_.code) check_network("code", networks_.code, input_size(), num_codes());
}

void DynamicsEnsemble::check_knowledge() const {
  const std::size_t N = num_players(), D = state_size(), O = observation_size(), C = num_chance_outcomes();
  const std::size_t vectors = action_size() + outcome_size();
  const auto& [state, observation, chance_vectors, least, most] = knowledge_;
  check(least.size() == most.size() && (least.empty() || least.size() == N), "DynamicsEnsemble: there must be ", N,
        " bounds of rewards or none, got ", least.size(), " and ", most.size());
  for (std::size_t player = 0; player < least.size(); ++player)
    check(least[player] <= most[player], "DynamicsEnsemble: bounds of rewards of player ", player,
          " must be in order, got ", least[player], " and ", most[player]);
  if (!has_kinds()) return;
  state.check_shape("DynamicsEnsemble: entries of states", num_movers(), D, D + vectors);
  observation.check_shape("DynamicsEnsemble: entries of observations", num_movers(), N * O, O + D + vectors);
  check(chance_vectors.size() == C * outcome_size(), "DynamicsEnsemble: chance_vectors must have shape [", C, ", ",
        outcome_size(), "]");
  check_network("mask", networks_.mask, mask_input_size(), num_actions());
  if (observation.predicts_any(0, N * O)) check_network("view", networks_.view, view_input_size(), O);
}

void DynamicsEnsemble::check_initial_states() const {
  const std::size_t N = num_players(), A = num_actions(), D = state_size(), O = observation_size();
  const std::size_t M = initial_states_.players.size();
  for (const auto* values : {&initial_states_.states, &initial_states_.observations, &action_vectors_, &chance_inputs_})
    check(std::ranges::all_of(*values, [](float value) { return std::isfinite(value); }),
          "DynamicsEnsemble: initial states, their observations, action vectors and chance inputs must be finite");
  check(M >= 1 && initial_states_.states.size() == M * D && initial_states_.observations.size() == M * N * O &&
            initial_states_.legal_masks.size() == M * A,
        "DynamicsEnsemble: initial states must be at least 1, with states [M, ", D, "], observations [M, ", N * O,
        "], legal masks [M, ", A, "] and players [M]");
  for (std::size_t m = 0; m < M; ++m) {
    const std::int32_t player = initial_states_.players[m], least = num_chance_outcomes() > 0 ? chance_player : 0;
    check(player >= least && player < static_cast<std::int32_t>(N),
          "DynamicsEnsemble: player on move in initial state ", m, " must lie in [", least, ", ", N, "), got ", player);
    check(!options_.is_simultaneous || player <= 0, "DynamicsEnsemble: initial state ", m,
          " of simultaneous moves must be the beginning of a round, got player ", player, " on move");
    const std::span<const std::uint8_t> mask = std::span(initial_states_.legal_masks).subspan(m * A, A);
    if (player == chance_player) continue;
    check(std::ranges::find(mask, 1) != mask.end() && std::ranges::max(mask) == 1,
          "DynamicsEnsemble: legal mask of initial state ", m, " must hold zeros and ones, at least one 1");
  }
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
  batch.keys.resize(capacity);
  batch.members.resize(options_.member_per_episode ? capacity : 0);
  batch.member_inputs.resize(options_.member_per_episode ? capacity * delta_input_size() : 0);
  batch.inputs.resize(capacity * input_size());
  batch.deltas.resize(capacity * D);
  batch.next_states.resize(capacity * D);
  batch.paying_inputs.resize(capacity * input_size());
  batch.rewards.resize(capacity * num_players());
  batch.shared_inputs.resize(capacity * (has_kinds() ? mask_input_size() : shared_input_size()));
  batch.shared_outputs.resize(capacity * (NO + num_actions()));
  if (draws_ends()) {
    batch.delta_inputs.resize(capacity * delta_input_size());
    const std::size_t largest = std::max({num_movers(), num_chance_outcomes(), num_codes()});
    batch.ends.resize(capacity);
    batch.payments.resize(capacity);
    batch.movers.resize(predicts_mover() ? capacity * num_movers() : 0);
    batch.logits.resize(capacity * largest);
    batch.probabilities.resize(largest);
    batch.chance_states.resize(num_chance_outcomes() > 0 ? capacity * D : 0);
    if (options_.outcome_disagreement) {
      batch.information.resize(capacity);
      batch.chances.resize(capacity * num_chance_outcomes());
    }
    if (predicts_views_) {
      batch.views.resize(capacity * NO);
      batch.view_inputs.resize(capacity * num_players() * view_input_size());
    }
  }
  return batch;
}

}  // namespace coffee_fast
