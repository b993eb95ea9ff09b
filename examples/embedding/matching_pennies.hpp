#pragma once

#include <coffee_fast/coffee_fast.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// A game of one's own for the kernels: two players choose a side of a coin, the second without seeing the first's;
/// player 0 wins 1 if the sides are the same, else player 1 does. An information state is empty but for one constant.
class MatchingPennies {
 public:
  /// What one thread needs to advance many episodes: here each one's first move, -1 before it.
  struct Batch {
    std::vector<std::int32_t> first_move;
  };
  using Lanes = std::span<const std::int32_t>;

  std::size_t num_players() const { return 2; }
  std::size_t num_actions() const { return 2; }
  std::size_t num_members() const { return 1; }  // true payoffs, no ensemble
  std::size_t state_size() const { return 1; }
  std::size_t observation_size() const { return 1; }
  std::size_t information_state_size() const { return 1; }
  std::size_t max_episode_length() const { return 2; }

  Batch make_batch(std::size_t capacity) const { return {std::vector<std::int32_t>(capacity, -1)}; }

  void reset(Batch& batch, Lanes lanes, std::span<const coffee_fast::EpisodeKey>) const {
    for (const auto lane : lanes) first_move(batch, lane) = -1;
  }
  void players_to_act(Batch& batch, Lanes lanes, std::span<std::int32_t> players) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) players[row] = first_move(batch, lanes[row]) < 0 ? 0 : 1;
  }
  void information_states(Batch&, Lanes lanes, coffee_fast::MatrixView<float> features) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) features(row, 0) = 1.0f;
  }
  void legal_masks(Batch&, Lanes lanes, coffee_fast::MatrixView<std::uint8_t> masks) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) masks(row, 0) = masks(row, 1) = 1;
  }
  void states(Batch& batch, Lanes lanes, coffee_fast::MatrixView<float> features) const {
    for (std::size_t row = 0; row < lanes.size(); ++row)
      features(row, 0) = static_cast<float>(first_move(batch, lanes[row]));
  }
  void observations(Batch&, Lanes lanes, coffee_fast::MatrixView<float> features) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) features(row, 0) = features(row, 1) = 1.0f;
  }
  void step(Batch& batch, Lanes lanes, std::span<const std::int32_t> actions,
            const coffee_fast::StepOutputs& outputs) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) {
      std::int32_t& first = first_move(batch, lanes[row]);
      const bool is_over = first >= 0;
      const double won = !is_over ? 0.0 : first == actions[row] ? 1.0 : -1.0;
      outputs.rewards(row, 0) = won;
      outputs.rewards(row, 1) = -won;
      outputs.disagreement[row] = 0.0;
      outputs.terminal[row] = is_over;
      if (!is_over) first = actions[row];
    }
  }

 private:
  static std::int32_t& first_move(Batch& batch, std::int32_t lane) {
    return batch.first_move[static_cast<std::size_t>(lane)];
  }
};

static_assert(coffee_fast::Dynamics<MatchingPennies>);
