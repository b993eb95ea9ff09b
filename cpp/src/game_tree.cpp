#include "coffee_fast/game_tree.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace coffee_fast {

std::span<const float> GameTree::observation(std::size_t node, std::size_t player) const {
  const auto row = static_cast<std::size_t>(arrays_.observation_rows[node * num_players() + player]);
  return {arrays_.observations.data() + row * observation_size(), observation_size()};
}

std::span<const float> GameTree::information_state(std::size_t information_set) const {
  if (const std::size_t size = arrays_.information_state_size; size != 0)
    return std::span(arrays_.information_states).subspan(information_set * size, size);
  return observation(static_cast<std::size_t>(first_nodes_[information_set]),
                     static_cast<std::size_t>(player_of(information_set)));
}

void GameTree::reset(Batch& batch, std::span<const std::int32_t> lanes, std::span<const EpisodeKey> keys) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    batch.nodes[static_cast<std::size_t>(lanes[row])] = 0;
    batch.keys[static_cast<std::size_t>(lanes[row])] = keys[row];
    follow_luck(batch, lanes[row], {});
  }
}

/// Draws while luck is on move, and adds what it pays to `rewards`, if there are any.
void GameTree::follow_luck(Batch& batch, std::int32_t lane, std::span<double> rewards) const {
  std::int32_t& place = batch.nodes[static_cast<std::size_t>(lane)];
  while (at(batch, lane).player == luck) {
    const Node& node = at(batch, lane);
    const EpisodeKey& key = batch.keys[static_cast<std::size_t>(lane)];
    const auto first = static_cast<std::size_t>(node.first_child), count = static_cast<std::size_t>(node.num_children);
    const double drawn =
        Stream(key.seed, Purpose::transition, key.profile, key.rollout, static_cast<std::uint32_t>(place))
            .next_double();
    const std::size_t slot = sample_categorical(std::span(arrays_.probabilities).subspan(first, count), drawn);
    place = node.first_child + static_cast<std::int32_t>(slot);
    if (const std::span<const double> paid = payoffs(at(batch, lane)); !rewards.empty())
      std::ranges::transform(rewards, paid, rewards.begin(), std::plus{});
  }
}

/// max over members of the mean over players of |reward - mean over members|, as in a DynamicsEnsemble.
double GameTree::disagreement_of(std::span<const double> rewards) const {
  const std::size_t N = num_players(), E = num_members();
  if (E == 1) return 0.0;
  double largest = 0.0;
  for (std::size_t member = 0; member < E; ++member) {
    double deviation = 0.0;
    for (std::size_t player = 0; player < N; ++player) {
      const std::span<const double> all = rewards.subspan(player * E, E);
      const double mean = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(E);
      deviation += std::abs(all[member] - mean);
    }
    largest = std::max(largest, deviation / static_cast<double>(N));
  }
  return largest;
}

void GameTree::players_to_act(Batch& batch, std::span<const std::int32_t> lanes,
                              std::span<std::int32_t> players) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) players[row] = at(batch, lanes[row]).player;
}

void GameTree::information_states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    if (const Node& node = at(batch, lanes[row]); node.player >= 0)
      std::ranges::copy(information_state(static_cast<std::size_t>(node.information_set)), out.row(row).begin());
    else
      std::ranges::fill(out.row(row), 0.0f);
  }
}

void GameTree::legal_masks(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<std::uint8_t> out) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    std::ranges::fill(out.row(row), std::uint8_t{0});
    if (const Node& node = at(batch, lanes[row]); node.player >= 0)
      for (const std::int32_t action : actions_at(node)) out(row, static_cast<std::size_t>(action)) = 1;
  }
}

void GameTree::chance_probabilities(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<double> out) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    std::ranges::fill(out.row(row), 0.0);
    const Node& node = at(batch, lanes[row]);
    if (node.player != chance_player) continue;
    const std::span<const std::int32_t> outcomes = actions_at(node);
    for (std::size_t j = 0; j < outcomes.size(); ++j)
      out(row, static_cast<std::size_t>(outcomes[j])) = probability(static_cast<std::size_t>(node.first_child) + j);
  }
}

void GameTree::states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const {
  const std::size_t W = arrays_.hidden_size;
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const auto node = static_cast<std::size_t>(batch.nodes[static_cast<std::size_t>(lanes[row])]);
    if (nodes_[node].player == nobody) {
      std::ranges::fill(out.row(row), arrays_.terminal_state_value);
      continue;
    }
    auto next = out.row(row).begin();
    if (arrays_.observations_in_state)
      for (std::size_t player = 0; player < num_players(); ++player)
        next = std::ranges::copy(observation(node, player), next).out;
    if (W != 0)
      std::copy_n(arrays_.hidden.begin() + arrays_.hidden_rows[node] * static_cast<std::ptrdiff_t>(W), W, next);
  }
}

void GameTree::observations(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const auto node = static_cast<std::size_t>(batch.nodes[static_cast<std::size_t>(lanes[row])]);
    if (nodes_[node].player == nobody) {
      std::ranges::fill(out.row(row), 0.0f);
      continue;
    }
    auto next = out.row(row).begin();
    for (std::size_t player = 0; player < num_players(); ++player)
      next = std::ranges::copy(observation(node, player), next).out;
  }
}

void GameTree::step(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
                    const StepOutputs& outputs) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    std::int32_t& place = batch.nodes[static_cast<std::size_t>(lanes[row])];
    const Node& node = nodes_[static_cast<std::size_t>(place)];
    const std::span<const std::int32_t> moves = actions_at(node);
    const std::int32_t slot = static_cast<std::int32_t>(std::ranges::lower_bound(moves, actions[row]) - moves.begin());
    place = node.first_child + std::min(slot, node.num_children - 1);  // a wrong action leads nowhere else
    const std::span<double> rewards = outputs.rewards.row(row);
    std::ranges::copy(payoffs(at(batch, lanes[row])), rewards.begin());
    follow_luck(batch, lanes[row], rewards);
    outputs.disagreement[row] = disagreement_of(rewards);
    outputs.terminal[row] = at(batch, lanes[row]).player == nobody;
  }
}

}  // namespace coffee_fast
