// Episodes of a DynamicsEnsemble whose moves are given.

#include <algorithm>
#include <numeric>

#include "coffee_fast/check.hpp"
#include "coffee_fast/dynamics_ensemble.hpp"

namespace coffee_fast {
namespace {

std::size_t index_of(std::int64_t number) { return static_cast<std::size_t>(number); }

void check_moves(const DynamicsEnsemble& model, const DynamicsEnsemble::Moves& moves) {
  const std::size_t M = moves.states.rows, T = moves.actions.size();
  const std::size_t NO = model.num_players() * model.observation_size(), A = model.num_actions();
  check(moves.offsets.size() == M + 1 && moves.offsets.front() == 0 && index_of(moves.offsets.back()) == T &&
            std::ranges::is_sorted(moves.offsets),
        "follow: offsets must be ", M + 1, " ascending places of moves, from 0 to ", T);
  check(moves.states.columns == model.state_size() && moves.observations.rows == M && moves.observations.columns == NO,
        "follow: there must be ", M, " states of ", model.state_size(), " entries and observations of ", NO);
  check(moves.legal_masks.rows == M && moves.legal_masks.columns == A && moves.players.size() == T,
        "follow: there must be ", M, " legal masks of ", A, " actions, and ", T, " players");
  for (std::size_t m = 0; m < M; ++m)
    check(index_of(moves.offsets[m + 1] - moves.offsets[m]) <= model.max_episode_length(), "follow: episode ", m,
          " must have at most ", model.max_episode_length(), " moves, got ", moves.offsets[m + 1] - moves.offsets[m]);
}

}  // namespace

void DynamicsEnsemble::follow(const Moves& moves, const Followed& out) const {
  check_moves(*this, moves);
  check_actions("follow", moves.actions, moves.players, moves.actions.size());
  const std::size_t M = moves.states.rows, width = num_players() * num_members();
  Batch batch = make_batch(M);
  begin_following(batch, moves);
  std::vector<std::int32_t> lanes, actions, next_players;
  std::vector<std::int64_t> rows;
  std::vector<double> rewards(M * width), disagreement(M), ends(M);
  std::vector<std::uint8_t> terminal(M);
  for (std::int64_t time = 0; index_of(time) < max_episode_length(); ++time) {
    lanes.clear(), actions.clear(), next_players.clear(), rows.clear();
    for (std::size_t m = 0; m < M; ++m) {
      const std::int64_t row = moves.offsets[m] + time;
      if (row >= moves.offsets[m + 1]) continue;
      lanes.push_back(static_cast<std::int32_t>(m));
      rows.push_back(row);
      actions.push_back(moves.actions[index_of(row)]);
      const bool is_last = row + 1 == moves.offsets[m + 1];
      next_players.push_back(is_last ? nobody : moves.players[index_of(row) + 1]);
    }
    if (lanes.empty()) return;
    say_before_moves(batch, lanes, rows, out);
    const StepOutputs outputs{{rewards.data(), lanes.size(), width},
                              std::span(disagreement).first(lanes.size()),
                              std::span(terminal).first(lanes.size())};
    if (draws_ends())
      follow_by_draws(batch, lanes, actions, next_players, outputs, ends);
    else
      follow_by_states(batch, lanes, actions, next_players, outputs, ends);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      std::ranges::copy(outputs.rewards.row(i), out.rewards.row(index_of(rows[i])).begin());
      out.disagreement[index_of(rows[i])] = disagreement[i];
      out.ends[index_of(rows[i])] = ends[i];
    }
  }
}

void DynamicsEnsemble::begin_following(Batch& batch, const Moves& moves) const {
  for (std::size_t m = 0; m < moves.states.rows; ++m) {
    if (moves.offsets[m] == moves.offsets[m + 1]) continue;
    std::ranges::copy(moves.states.row(m), &batch.states[m * state_size()]);
    std::ranges::copy(moves.observations.row(m), &batch.observations[m * moves.observations.columns]);
    std::ranges::copy(moves.legal_masks.row(m), &batch.legal_masks[m * num_actions()]);
    batch.players[m] = moves.players[index_of(moves.offsets[m])];
    set_known_part(batch, m);
  }
}

void DynamicsEnsemble::say_before_moves(Batch& batch, std::span<const std::int32_t> lanes,
                                        std::span<const std::int64_t> rows, const Followed& out) const {
  const std::size_t D = state_size(), NO = num_players() * observation_size(), A = num_actions();
  const std::size_t I = information_state_size();
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    const std::size_t lane = index_of(lanes[i]), row = index_of(rows[i]);
    std::copy_n(&batch.states[lane * D], D, out.states.row(row).begin());
    std::copy_n(&batch.observations[lane * NO], NO, out.observations.row(row).begin());
    std::copy_n(&batch.legal_masks[lane * A], A, out.legal_masks.row(row).begin());
    std::copy_n(&batch.information_states[lane * I], I, out.information_states.row(row).begin());
    if (batch.players[lane] == chance_player) std::ranges::fill(out.information_states.row(row), 0.0f);
  }
}

void DynamicsEnsemble::follow_by_states(Batch& batch, std::span<const std::int32_t> lanes,
                                        std::span<const std::int32_t> actions,
                                        std::span<const std::int32_t> next_players, const StepOutputs& outputs,
                                        std::span<double> ends) const {
  const std::size_t D = state_size(), K = input_size();
  batch.paying_rows.resize(lanes.size());
  std::iota(batch.paying_rows.begin(), batch.paying_rows.end(), 0);
  batch.continuing_rows.clear();
  for (std::size_t row = 0; row < lanes.size(); ++row)
    set_input(&batch.inputs[row * K], &batch.states[index_of(lanes[row]) * D], actions[row], 0);
  std::copy_n(batch.inputs.begin(), lanes.size() * K, batch.paying_inputs.begin());
  predict_rewards(batch, batch.paying_rows, outputs.rewards, outputs.disagreement);
  predict_next_states(batch, {batch.inputs.data(), lanes.size(), K});
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const std::size_t lane = index_of(lanes[row]);
    const std::span<const float> next{&batch.next_states[row * D], D};
    ends[row] = is_terminal_state(next) ? 1.0 : 0.0;
    if (next_players[row] == nobody) continue;
    std::ranges::copy(next, &batch.states[lane * D]);
    batch.players[lane] = next_players[row];
    ++batch.num_actions_taken[lane];
    batch.continuing_rows.push_back(static_cast<std::int32_t>(row));
  }
  observe_next_states(batch, lanes, actions);
}

void DynamicsEnsemble::follow_by_draws(Batch& batch, std::span<const std::int32_t> lanes,
                                       std::span<const std::int32_t> actions,
                                       std::span<const std::int32_t> next_players, const StepOutputs& outputs,
                                       std::span<double> ends) const {
  const std::size_t K = input_size();
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    std::ranges::fill(outputs.rewards.row(row), 0.0);
    outputs.disagreement[row] = ends[row] = 0.0;
  }
  begin_step(batch, lanes, actions);
  const std::size_t count = batch.acting_rows.size();
  set_likely_codes(batch, count);
  predict_outcomes(batch, count);
  std::copy_n(batch.inputs.begin(), count * K, batch.paying_inputs.begin());
  predict_rewards(batch, batch.acting_rows, outputs.rewards, outputs.disagreement);
  batch.continuing_rows.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t row = batch.acting_rows[i], next_player = next_players[index_of(row)];
    ends[index_of(row)] = batch.ends[i];
    if (next_player == nobody) continue;
    const std::size_t lane = index_of(lanes[index_of(row)]);
    ++batch.num_actions_taken[lane];
    batch.players[lane] = next_player;
    append_next_mover(&batch.delta_inputs[batch.continuing_rows.size() * delta_input_size()], &batch.inputs[i * K],
                      next_player);
    batch.continuing_rows.push_back(row);
  }
  add_information(batch, outputs.disagreement);
  enter_next_states(batch, lanes, actions);
  observe_after_draws(batch, lanes, actions);
}

}  // namespace coffee_fast
