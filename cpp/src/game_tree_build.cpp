// How a GameTree is built of its arrays, which must be those of a tree; play in it lies in game_tree.cpp.

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "coffee_fast/check.hpp"
#include "coffee_fast/game_tree.hpp"

namespace coffee_fast {
namespace {

constexpr double sum_tolerance = 1e-9;

std::size_t rows_of(std::size_t num_values, std::size_t width) { return width == 0 ? 0 : num_values / width; }

bool is_row(std::int32_t row, std::size_t num_rows) { return row >= 0 && static_cast<std::size_t>(row) < num_rows; }

/// Throws; within loops, where `check` would cost.
template <class... Parts>
void refuse(const Parts&... parts) {
  check(false, "GameTree: ", parts...);
}

}  // namespace

GameTree::GameTree(GameTreeArrays arrays) : arrays_(std::move(arrays)) {
  check_sizes();
  link_children();
  check_moves();
  check_rows();
  number_sequences();
  find_parent_sequences();
}

void GameTree::check_sizes() const {
  const GameTreeArrays& a = arrays_;
  const std::size_t V = a.players.size();
  const auto is_count = [](std::size_t n) { return n >= 1 && n < std::numeric_limits<std::int32_t>::max(); };
  check(a.num_players >= 1 && a.num_players <= 127, "GameTree: num_players must lie in [1, 127], got ", a.num_players);
  check(is_count(a.num_actions), "GameTree: num_actions must lie in [1, 2**31 - 1), got ", a.num_actions);
  check(a.num_chance_outcomes == 0 || is_count(a.num_chance_outcomes),
        "GameTree: num_chance_outcomes must lie in [0, 2**31 - 1), got ", a.num_chance_outcomes);
  check(a.num_members >= 1 && a.num_members <= 127, "GameTree: num_members must lie in [1, 127], got ", a.num_members);
  check(a.max_episode_length == 0 || is_count(a.max_episode_length),
        "GameTree: max_episode_length must lie in [0, 2**31 - 1), got ", a.max_episode_length);
  check(is_count(V), "GameTree: players must name 1 to 2**31 - 2 nodes, got ", V);
  const auto have = [V](const char* name, std::size_t size, std::size_t width) {
    check(size == V * width, "GameTree: ", name, " must have ", V * width, " entries, ", width, " a node, got ", size);
  };
  have("num_children", a.num_children.size(), 1);
  have("actions", a.actions.size(), 1);
  have("probabilities", a.probabilities.size(), 1);
  have("payoff_rows", a.payoff_rows.size(), 1);
  have("information_sets", a.information_sets.size(), 1);
  have("observation_rows", a.observation_rows.size(), a.num_players);
  have("hidden_rows", a.hidden_rows.size(), a.hidden_size == 0 ? 0 : 1);
  const std::size_t num_payoffs = a.num_players * a.num_members;
  check(a.payoffs.size() % num_payoffs == 0, "GameTree: payoffs must have ", num_payoffs,
        " columns, one a player and member");
  check(a.observation_size >= 1, "GameTree: observations must have a column or more, got 0");
  check(std::isfinite(a.terminal_state_value), "GameTree: terminal_state_value must be finite, got ",
        a.terminal_state_value);
  const auto are_finite = [](const char* name, const auto& values) {
    check(std::ranges::all_of(values, [](auto value) { return std::isfinite(value); }), "GameTree: ", name,
          " must be finite");
  };
  are_finite("payoffs", a.payoffs);
  are_finite("observations", a.observations);
  are_finite("hidden", a.hidden);
  are_finite("information_states", a.information_states);
  check(a.observations_in_state || a.hidden_size >= 1,
        "GameTree: hidden must have a column or more where observations are not in the state, got 0");
}

/// Children follow each other in the order of their parents, so their counts say where they lie.
void GameTree::link_children() {
  const GameTreeArrays& a = arrays_;
  const std::size_t V = a.players.size();
  nodes_.reserve(V);
  std::vector<std::int32_t> depths(V, 0);  // moves made, without those of luck
  std::size_t next = 1;
  for (std::size_t v = 0; v < V; ++v) {
    const std::int32_t count = a.num_children[v];
    const std::int8_t player = a.players[v];
    if (player < luck || player >= static_cast<std::int32_t>(a.num_players))
      refuse("players must lie in [-3, ", a.num_players, "), got ", int{player}, " at node ", v);
    if (count < 0 || (count == 0) != (player == nobody))
      refuse("num_children must be 1 or more where someone is to move and 0 where the episode is over, got ", count,
             " at node ", v, " of player ", int{player});
    if (static_cast<std::size_t>(count) > V - next)
      refuse("num_children must sum to ", V - 1, ", the nodes without the root, got more at node ", v);
    if (player == nobody && depths[v] == 0)
      refuse("an episode must have a move or more, but luck alone leads to its end at node ", v);
    if (v >= next) refuse("nodes must be numbered breadth first, but node ", v, " is no child of an earlier one");
    nodes_.push_back({static_cast<std::int32_t>(next), count, a.payoff_rows[v], a.information_sets[v], player});
    std::fill_n(depths.begin() + static_cast<std::ptrdiff_t>(next), count, depths[v] + (player != luck));
    next += static_cast<std::size_t>(count);
  }
  check(V > 1, "GameTree: an episode must have a move or more, got a tree of its root alone");
  const auto longest = static_cast<std::size_t>(*std::ranges::max_element(depths));
  if (arrays_.max_episode_length == 0) arrays_.max_episode_length = longest;
  check(arrays_.max_episode_length >= longest, "GameTree: max_episode_length must be at least ", longest,
        ", the moves of the longest episode, got ", arrays_.max_episode_length);
  arrays_.players = std::vector<std::int8_t>();
  arrays_.num_children = arrays_.payoff_rows = arrays_.information_sets = std::vector<std::int32_t>();
}

void GameTree::check_moves() const {
  for (std::size_t v = 0; v < nodes_.size(); ++v) {
    const Node& node = nodes_[v];
    const bool is_luck = node.player == luck, is_chance = node.player == chance_player || is_luck;
    const std::size_t most = is_luck ? nodes_.size() : is_chance ? num_chance_outcomes() : num_actions();
    std::int32_t last = -1;
    double sum = 0.0;
    for (std::int32_t j = 0; j < node.num_children; ++j) {
      const auto child = static_cast<std::size_t>(node.first_child + j);
      const std::int32_t action = arrays_.actions[child];
      const double probability = arrays_.probabilities[child];
      if (action <= last || static_cast<std::size_t>(action) >= most)
        refuse("actions must ascend within [0, ", most, "), got ", action, " after ", last, " at node ", v);
      if (is_chance ? !(probability > 0.0 && probability <= 1.0) : probability != 1.0)
        refuse("probabilities must lie in (0, 1] for moves of chance and be 1 for all others, got ", probability,
               " for action ", action, " at node ", v);
      last = action;
      sum += probability;
    }
    if (is_chance && !(std::abs(sum - 1.0) <= sum_tolerance))
      refuse("probabilities must sum to 1 where chance is to move, got ", sum, " at node ", v);
  }
}

void GameTree::check_rows() const {
  const GameTreeArrays& a = arrays_;
  const std::size_t P = a.payoffs.size() / (num_players() * num_members());
  const std::size_t R = rows_of(a.observations.size(), a.observation_size), H = rows_of(a.hidden.size(), a.hidden_size);
  for (std::size_t v = 0; v < nodes_.size(); ++v) {
    const Node& node = nodes_[v];
    if (!is_row(node.payoff_row, P))
      refuse("payoff_rows must lie in [0, ", P, "), got ", node.payoff_row, " at node ", v);
    if (node.player == nobody) continue;
    for (std::size_t player = 0; player < num_players(); ++player)
      if (const std::int32_t row = a.observation_rows[v * num_players() + player]; !is_row(row, R))
        refuse("observation_rows must lie in [0, ", R, "), got ", row, " at node ", v);
    if (a.hidden_size != 0 && !is_row(a.hidden_rows[v], H))
      refuse("hidden_rows must lie in [0, ", H, "), got ", a.hidden_rows[v], " at node ", v);
  }
}

void GameTree::number_sequences() {
  for (std::size_t v = 0; v < nodes_.size(); ++v) {
    const Node& node = nodes_[v];
    const std::int32_t set = node.information_set;
    const auto num_sets = static_cast<std::int32_t>(first_nodes_.size());
    if (node.player < 0) {
      if (set != none) refuse("information_sets must be -1 where no player is on move, got ", set, " at node ", v);
      continue;
    }
    if (set < 0 || set > num_sets)
      refuse("information_sets must be numbered in the order of their first nodes, the next one ", num_sets, ", got ",
             set, " at node ", v);
    if (set == num_sets) {
      first_nodes_.push_back(static_cast<std::int32_t>(v));
      sequence_starts_.push_back(sequence_starts_.back() + node.num_children);
      continue;
    }
    const auto first = static_cast<std::size_t>(first_nodes_[static_cast<std::size_t>(set)]);
    const Node& other = nodes_[first];
    const auto seen = [&](std::size_t u) {
      return arrays_.observation_rows[u * num_players() + static_cast<std::size_t>(node.player)];
    };
    if (node.player != other.player || !std::ranges::equal(actions_at(node), actions_at(other)) ||
        (arrays_.information_state_size == 0 && seen(v) != seen(first)))
      refuse("nodes ", first, " and ", v, " of information set ", set,
             " must have one player, what it observes and its actions in common");
  }
  const std::size_t size = num_information_sets() * arrays_.information_state_size;
  check(arrays_.information_states.size() == size, "GameTree: information_states must have ", size,
        " entries, a row an information set, got ", arrays_.information_states.size());
}

void GameTree::find_parent_sequences() {
  constexpr std::int32_t unknown = -2;
  parent_sequences_.assign(num_information_sets(), unknown);
  std::vector<std::int32_t> last(nodes_.size());  // a player's last own sequence before each node
  for (std::int8_t player = 0; player < static_cast<std::int32_t>(num_players()); ++player) {
    last[0] = none;
    for (std::size_t v = 0; v < nodes_.size(); ++v) {
      const Node& node = nodes_[v];
      const auto children = std::span(last).subspan(static_cast<std::size_t>(node.first_child),
                                                    static_cast<std::size_t>(node.num_children));
      std::ranges::fill(children, last[v]);
      if (node.player != player) continue;
      const auto set = static_cast<std::size_t>(node.information_set);
      for (std::size_t j = 0; j < children.size(); ++j)
        children[j] = sequence_starts_[set] + static_cast<std::int32_t>(j);
      std::int32_t& parent = parent_sequences_[set];
      if (parent == unknown) parent = last[v];
      if (parent != last[v] && forgetful_set_ == none) forgetful_set_ = node.information_set;
    }
  }
}

}  // namespace coffee_fast
