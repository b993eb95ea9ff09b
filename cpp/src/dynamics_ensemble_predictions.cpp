// What the networks of a DynamicsEnsemble say at any states and actions.

#include <algorithm>

#include "coffee_fast/check.hpp"
#include "coffee_fast/dynamics_ensemble.hpp"

namespace coffee_fast {
namespace {

std::size_t index_of(std::int32_t number) { return static_cast<std::size_t>(number); }

}  // namespace

void DynamicsEnsemble::check_states(const char* function, MatrixView<const float> states) const {
  check(states.columns == state_size(), function, ": states must have shape [L, ", state_size(), "], got [",
        states.rows, ", ", states.columns, "]");
}

void DynamicsEnsemble::check_players(const char* function, std::span<const std::int32_t> players,
                                     std::size_t count) const {
  if (!draws_ends()) return;
  const std::int32_t least = num_chance_outcomes() > 0 ? chance_player : 0;
  check(players.size() == count, function, ": players must be ", count, ", one a state, got ", players.size());
  for (std::size_t row = 0; row < count; ++row)
    check(players[row] >= least && players[row] < static_cast<std::int32_t>(num_players()), function, ": players[", row,
          "] must lie in [", least, ", ", num_players(), "), got ", players[row]);
}

void DynamicsEnsemble::check_actions(const char* function, std::span<const std::int32_t> actions,
                                     std::span<const std::int32_t> players, std::size_t count) const {
  check_players(function, players, count);
  check(actions.size() == count, function, ": actions must be ", count, ", one a state, got ", actions.size());
  for (std::size_t row = 0; row < count; ++row) {
    const bool is_chance = draws_ends() && players[row] == chance_player;
    const std::size_t bound = is_chance ? num_chance_outcomes() : num_actions();
    check(actions[row] >= 0 && index_of(actions[row]) < bound, function, ": actions[", row, "] must lie in [0, ", bound,
          "), got ", actions[row]);
  }
}

void DynamicsEnsemble::next_states(MatrixView<const float> states, std::span<const std::int32_t> actions,
                                   std::span<const std::int32_t> players, std::span<const std::int32_t> next_players,
                                   MatrixView<float> out) const {
  check_states("next_states", states);
  check_actions("next_states", actions, players, states.rows);
  if (!next_players.empty()) check_players("next_states", next_players, states.rows);
  const std::size_t count = states.rows, D = state_size(), K = input_size();
  Batch batch = make_batch(count);
  for (std::size_t row = 0; row < count; ++row)
    set_input(&batch.inputs[row * K], states.row(row).data(), actions[row], draws_ends() ? players[row] : 0);
  set_likely_codes(batch, count);
  MatrixView<const float> inputs{batch.inputs.data(), count, K};
  if (predicts_mover()) {
    predict_outcomes(batch, count);
    for (std::size_t row = 0; row < count; ++row) {
      const double* movers = &batch.movers[row * num_movers()];
      const auto likely = static_cast<std::int32_t>(std::max_element(movers, movers + num_movers()) - movers);
      append_next_mover(&batch.delta_inputs[row * delta_input_size()], &batch.inputs[row * K],
                        next_players.empty() ? likely : next_players[row]);
    }
    inputs = {batch.delta_inputs.data(), count, delta_input_size()};
  }
  predict_next_states(batch, inputs);
  for (std::size_t row = 0; row < count; ++row) {
    float* next = &batch.next_states[row * D];
    if (draws_ends() && is_within_round(players[row])) {
      std::ranges::copy(states.row(row), next);
      choose_within_round(next, players[row], actions[row]);
    } else {
      if (has_kinds()) settle_state(batch, states.row(row).data(), players[row], actions[row], next);
      if (options_.is_simultaneous) clear_choices(next);
    }
    std::copy_n(next, D, out.row(row).begin());
  }
}

void DynamicsEnsemble::rewards(MatrixView<const float> states, std::span<const std::int32_t> actions,
                               std::span<const std::int32_t> players, MatrixView<double> member_rewards,
                               std::span<double> disagreement) const {
  check_states("rewards", states);
  check_actions("rewards", actions, players, states.rows);
  Batch batch = make_batch(states.rows);
  for (std::size_t row = 0; row < states.rows; ++row) {
    std::ranges::fill(member_rewards.row(row), 0.0);
    disagreement[row] = 0.0;
    if (draws_ends() && is_within_round(players[row])) continue;
    set_input(&batch.inputs[batch.paying_rows.size() * input_size()], states.row(row).data(), actions[row],
              draws_ends() ? players[row] : 0);
    batch.paying_rows.push_back(static_cast<std::int32_t>(row));
  }
  set_likely_codes(batch, batch.paying_rows.size());
  batch.paying_inputs.swap(batch.inputs);
  predict_rewards(batch, batch.paying_rows, member_rewards, disagreement);
}

void DynamicsEnsemble::observe(MatrixView<const float> states, std::span<const std::int32_t> players,
                               MatrixView<float> observations, MatrixView<std::uint8_t> legal_masks) const {
  check(!has_kinds(), "observe: what this model observes follows from what was observed before; follow moves");
  check_states("observe", states);
  check_players("observe", players, states.rows);
  Batch batch = make_batch(states.rows);
  for (std::size_t row = 0; row < states.rows; ++row)
    set_shared_input(&batch.shared_inputs[row * shared_input_size()], states.row(row).data(),
                     draws_ends() ? players[row] : 0);
  predict_observations(batch, states.rows);
  for (std::size_t row = 0; row < states.rows; ++row) {
    const float* output = &batch.shared_outputs[row * networks_.shared->output_size()];
    decode_observations(output, observations.row(row).data());
    decode_legal_mask(output + num_players() * observation_size(), legal_masks.row(row).data());
    if (draws_ends() && players[row] == chance_player) std::ranges::fill(legal_masks.row(row), std::uint8_t{0});
  }
}

void DynamicsEnsemble::legal_masks_at(MatrixView<const float> states, MatrixView<const float> observations,
                                      std::span<const std::int32_t> players, MatrixView<std::uint8_t> out) const {
  check_states("legal_masks", states);
  check_players("legal_masks", players, states.rows);
  const std::size_t count = states.rows, NO = num_players() * observation_size(), A = num_actions();
  check(observations.rows == count && observations.columns == NO, "legal_masks: observations must have shape [", count,
        ", ", NO, "], got [", observations.rows, ", ", observations.columns, "]");
  Batch batch = make_batch(count);
  for (std::size_t row = 0; row < count; ++row) {
    const std::int32_t player = draws_ends() ? players[row] : 0;
    const float* state = states.row(row).data();
    if (has_kinds())
      set_mask_input(&batch.shared_inputs[row * mask_input_size()], state, observations.row(row).data(), player);
    else
      set_shared_input(&batch.shared_inputs[row * shared_input_size()], state, player);
  }
  predict_observations(batch, count);
  const std::size_t num_outputs = has_kinds() ? A : NO + A;
  for (std::size_t row = 0; row < count; ++row) {
    decode_legal_mask(&batch.shared_outputs[(row + 1) * num_outputs - A], out.row(row).data());
    if (draws_ends() && players[row] == chance_player) std::ranges::fill(out.row(row), std::uint8_t{0});
  }
}

void DynamicsEnsemble::outcomes(MatrixView<const float> states, std::span<const std::int32_t> actions,
                                std::span<const std::int32_t> players, std::span<double> ends,
                                MatrixView<double> movers) const {
  check(draws_ends(), "outcomes: this model takes states for ends and draws nothing");
  check_states("outcomes", states);
  check_actions("outcomes", actions, players, states.rows);
  const std::size_t count = states.rows, N = num_players();
  Batch batch = make_batch(count);
  for (std::size_t row = 0; row < count; ++row)
    set_input(&batch.inputs[row * input_size()], states.row(row).data(), actions[row], players[row]);
  set_likely_codes(batch, count);
  predict_outcomes(batch, count);
  for (std::size_t row = 0; row < count; ++row) {
    ends[row] = is_within_round(players[row]) ? 0.0 : batch.ends[row];
    if (predicts_mover() && !is_within_round(players[row])) {
      std::copy_n(&batch.movers[row * num_movers()], num_movers(), movers.row(row).begin());
    } else {
      std::ranges::fill(movers.row(row), 0.0);
      movers(row, index_of(players[row] + 1) % N) = 1.0;
    }
  }
}

void DynamicsEnsemble::pays(MatrixView<const float> states, std::span<const std::int32_t> actions,
                            std::span<const std::int32_t> players, std::span<double> out) const {
  check(draws_ends(), "pays: this model pays at every end and draws nothing");
  check_states("pays", states);
  check_actions("pays", actions, players, states.rows);
  const std::size_t count = states.rows, K = input_size();
  std::ranges::fill(out, 1.0);
  if (networks_.pay) {
    Batch batch = make_batch(count);
    for (std::size_t row = 0; row < count; ++row)
      set_input(&batch.inputs[row * K], states.row(row).data(), actions[row], players[row]);
    set_likely_codes(batch, count);
    predict_payments(batch, {batch.inputs.data(), count, K}, out);
  }
  for (std::size_t row = 0; row < count; ++row)
    if (is_within_round(players[row])) out[row] = 0.0;
}

void DynamicsEnsemble::chance_probabilities(MatrixView<const float> states, MatrixView<double> out) const {
  check(num_chance_outcomes() > 0, "chance_probabilities: this model has no chance");
  check_states("chance_probabilities", states);
  Batch batch = make_batch(states.rows);
  for (std::size_t row = 0; row < states.rows; ++row) {
    std::ranges::copy(states.row(row), &batch.states[row * state_size()]);
    batch.continuing_rows.push_back(static_cast<std::int32_t>(row));
  }
  const std::vector<std::int32_t> lanes = batch.continuing_rows;
  chance_probabilities(batch, lanes, out);
}

}  // namespace coffee_fast
