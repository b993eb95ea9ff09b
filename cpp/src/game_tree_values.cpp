#include <algorithm>
#include <cmath>

#include "coffee_fast/check.hpp"
#include "coffee_fast/game_tree.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t poll_mask = (1u << 16) - 1;  // nodes between two looks at the token
constexpr double sum_tolerance = 1e-6;

void check_profile(const GameTree& tree, std::span<const double> profile) {
  check(profile.size() == tree.num_sequences(), "profile must have ", tree.num_sequences(),
        " probabilities, one an action of each information set, got ", profile.size());
  for (std::size_t set = 0; set < tree.num_information_sets(); ++set) {
    double sum = 0.0;
    for (std::int32_t q = tree.sequence_starts()[set]; q < tree.sequence_starts()[set + 1]; ++q) {
      const double probability = profile[static_cast<std::size_t>(q)];
      if (!(probability >= 0.0)) check(false, "profile must be nonnegative, got ", probability, " at sequence ", q);
      sum += probability;
    }
    if (!(std::abs(sum - 1.0) <= sum_tolerance))
      check(false, "profile must sum to 1 at each information set, got ", sum, " at ", set);
  }
}

void check_player(const GameTree& tree, std::size_t player) {
  check(player < tree.num_players(), "player must lie in [0, ", tree.num_players(), "), got ", player);
  check(tree.forgetful_set() == GameTree::none, "needs perfect recall, but the player of information set ",
        tree.forgetful_set(), " does not know there what it did or knew before");
}

/// Visits every node but the root, parents first: `visit(parent, child, q)` with the sequence q of a player's move.
template <class Visit>
void for_each_move(const GameTree& tree, CancelToken& cancel, const Visit& visit) {
  for (std::size_t v = 0; v < tree.nodes().size(); ++v) {
    if ((v & poll_mask) == 0) cancel.poll();
    const GameTree::Node& node = tree.nodes()[v];
    const std::int32_t q = node.player < 0 ? 0 : tree.sequence_starts()[static_cast<std::size_t>(node.information_set)];
    for (std::int32_t j = 0; j < node.num_children; ++j)
      visit(v, static_cast<std::size_t>(node.first_child + j), static_cast<std::size_t>(q + j));
  }
}

}  // namespace

std::vector<double> profile_values(const GameTree& tree, std::span<const double> profile, CancelToken& cancel) {
  check_profile(tree, profile);
  std::vector<double> reach(tree.nodes().size(), 1.0), values(tree.num_players() * tree.num_members(), 0.0);
  for_each_move(tree, cancel, [&](std::size_t v, std::size_t child, std::size_t q) {
    reach[child] = reach[v] * (tree.nodes()[v].player < 0 ? tree.probability(child) : profile[q]);
    const std::span<const double> payoffs = tree.payoffs(tree.nodes()[child]);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += reach[child] * payoffs[i];
  });
  return values;
}

BestResponse best_response(const GameTree& tree, std::span<const double> profile, std::size_t player,
                           std::int32_t member, CancelToken& cancel) {
  check_player(tree, player);
  check(member >= GameTree::none && member < static_cast<std::int32_t>(tree.num_members()), "member must lie in [0, ",
        tree.num_members(), "), or be -1 for their mean, got ", member);
  check_profile(tree, profile);
  // How likely the others and chance are to let each node be reached, and the player's own last sequence before it.
  std::vector<double> reach(tree.nodes().size(), 1.0);
  std::vector<std::int32_t> last(tree.nodes().size(), GameTree::none);
  std::vector<double> gains(tree.num_sequences(), 0.0);  // what is paid after a sequence and before the next own one
  BestResponse response{0.0, std::vector<std::int32_t>(tree.num_information_sets(), -1)};
  const auto gain = [&](std::int32_t sequence) -> double& {
    return sequence == GameTree::none ? response.value : gains[static_cast<std::size_t>(sequence)];
  };
  for_each_move(tree, cancel, [&](std::size_t v, std::size_t child, std::size_t q) {
    const std::int8_t mover = tree.nodes()[v].player;
    const bool is_own = mover == static_cast<std::int32_t>(player);
    reach[child] = reach[v] * (is_own ? 1.0 : mover < 0 ? tree.probability(child) : profile[q]);
    last[child] = is_own ? static_cast<std::int32_t>(q) : last[v];
    gain(last[child]) += reach[child] * tree.payoff(tree.nodes()[child], player, member);
  });
  // With perfect recall a player's information sets form a tree, later ones below: from the deepest up, the best
  // sequence of each pays into the one that leads there.
  for (std::size_t set = tree.num_information_sets(); set-- > 0;) {
    if (tree.player_of(set) != static_cast<std::int32_t>(player)) continue;
    const auto first = gains.begin() + tree.sequence_starts()[set],
               end = gains.begin() + tree.sequence_starts()[set + 1];
    const auto best = std::max_element(first, end);
    const GameTree::Node& node = tree.nodes()[static_cast<std::size_t>(tree.first_nodes()[set])];
    response.actions[set] = tree.actions_at(node)[static_cast<std::size_t>(best - first)];
    gain(tree.parent_sequences()[set]) += *best;
  }
  return response;
}

std::vector<double> mixture_behavior(const GameTree& tree, std::size_t player, MatrixView<const double> policies,
                                     std::span<const double> weights) {
  check_player(tree, player);
  const std::size_t K = weights.size();
  check(policies.rows == K && policies.columns == tree.num_sequences(), "policies must have ", K,
        " rows, one a weight, ", "and ", tree.num_sequences(), " columns, one a sequence, got ", policies.rows, " and ",
        policies.columns);
  double sum = 0.0;
  for (const double weight : weights) {
    check(weight >= 0.0, "weights must be nonnegative, got ", weight);
    sum += weight;
  }
  check(std::abs(sum - 1.0) <= sum_tolerance, "weights must sum to 1, got ", sum);
  std::vector<double> behavior(tree.num_sequences(), 0.0), reach(K * tree.num_sequences()), here(K);
  for (std::size_t set = 0; set < tree.num_information_sets(); ++set) {
    if (tree.player_of(set) != static_cast<std::int32_t>(player)) continue;
    const std::int32_t parent = tree.parent_sequences()[set];
    double total = 0.0;
    for (std::size_t k = 0; k < K; ++k) {
      here[k] = parent == GameTree::none ? weights[k] : reach[static_cast<std::size_t>(parent) * K + k];
      total += here[k];
    }
    for (auto q = static_cast<std::size_t>(tree.sequence_starts()[set]);
         q < static_cast<std::size_t>(tree.sequence_starts()[set + 1]); ++q)
      for (std::size_t k = 0; k < K; ++k) {
        reach[q * K + k] = here[k] * policies(k, q);
        behavior[q] += (total > 0.0 ? here[k] / total : weights[k]) * policies(k, q);
      }
  }
  return behavior;
}

}  // namespace coffee_fast
