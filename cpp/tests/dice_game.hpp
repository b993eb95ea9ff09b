#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coffee_fast/dynamics.hpp"

/// Four rows: chance deals 0, 1 or 2 (never 1), player 0 picks 0 or 1, chance deals, player 1 picks. Row r pays
/// (action + 1) * 10^r to player 0 and half of it to player 1.
class DiceGame {
 public:
  struct Batch {
    std::vector<int> rows;
  };
  using Lanes = std::span<const std::int32_t>;

  std::size_t num_players() const { return 2; }
  std::size_t num_actions() const { return 2; }
  std::size_t num_members() const { return 1; }
  std::size_t num_chance_outcomes() const { return 3; }
  std::size_t state_size() const { return 1; }
  std::size_t observation_size() const { return 1; }
  std::size_t information_state_size() const { return 1; }
  std::size_t max_episode_length() const { return 4; }
  Batch make_batch(std::size_t capacity) const { return {std::vector<int>(capacity)}; }
  void reset(Batch& batch, Lanes lanes, std::span<const coffee_fast::EpisodeKey>) const {
    for (const auto lane : lanes) batch.rows[lane] = 0;
  }
  void players_to_act(Batch& batch, Lanes lanes, std::span<std::int32_t> players) const {
    for (std::size_t row = 0; row < lanes.size(); ++row)
      players[row] = batch.rows[lanes[row]] % 2 == 0 ? coffee_fast::chance_player : batch.rows[lanes[row]] / 2;
  }
  void information_states(Batch& batch, Lanes lanes, coffee_fast::MatrixView<float> out) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) out(row, 0) = static_cast<float>(batch.rows[lanes[row]]);
  }
  void legal_masks(Batch& batch, Lanes lanes, coffee_fast::MatrixView<std::uint8_t> out) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) out(row, 0) = out(row, 1) = batch.rows[lanes[row]] % 2;
  }
  void states(Batch& batch, Lanes lanes, coffee_fast::MatrixView<float> out) const {
    information_states(batch, lanes, out);
  }
  void observations(Batch& batch, Lanes lanes, coffee_fast::MatrixView<float> out) const {
    for (std::size_t row = 0; row < lanes.size(); ++row)
      out(row, 0) = out(row, 1) = static_cast<float>(batch.rows[lanes[row]]);
  }
  void chance_probabilities(Batch&, Lanes lanes, coffee_fast::MatrixView<double> out) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) {
      out(row, 0) = 0.25;
      out(row, 1) = 0.0;
      out(row, 2) = 0.75;
    }
  }
  void step(Batch& batch, Lanes lanes, std::span<const std::int32_t> actions,
            const coffee_fast::StepOutputs& outputs) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) {
      int& time = batch.rows[lanes[row]];
      constexpr double scales[] = {1.0, 10.0, 100.0, 1000.0};
      outputs.rewards(row, 0) = (actions[row] + 1) * scales[time];
      outputs.rewards(row, 1) = outputs.rewards(row, 0) / 2;
      outputs.disagreement[row] = 0.0;
      outputs.terminal[row] = ++time == 4;
    }
  }
};
static_assert(coffee_fast::HasChance<DiceGame>);
