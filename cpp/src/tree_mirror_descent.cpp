#include "coffee_fast/tree_mirror_descent.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "coffee_fast/anchored.hpp"
#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t poll_mask = (1u << 16) - 1;  // nodes between two looks at the token

/// The two passes over a tree, and what they leave.
class Passes {
 public:
  explicit Passes(const AnchoredTreeGame& game)
      : tree_(game.tree),
        reference_(game.log_reference),
        kl_in_rewards_(game.kl_in_rewards),
        num_players_(game.tree.num_players()),
        log_chance_(game.tree.nodes().size(), 0.0),
        log_reach_(game.tree.nodes().size(), 0.0),
        worth_(game.tree.nodes().size() * num_players_),
        probabilities_(game.tree.num_sequences()),
        response_(probabilities_.size()),
        own_reach_(probabilities_.size()),
        highest_(game.tree.num_information_sets()),
        weights_(highest_.size()),
        penalties_(highest_.size()) {
    for (std::size_t v = 0; v < log_chance_.size(); ++v) log_chance_[v] = std::log(tree_.probability(v));
  }

  std::size_t num_sets() const { return highest_.size(); }
  std::size_t first(std::size_t set) const { return static_cast<std::size_t>(tree_.sequence_starts()[set]); }
  template <class T>
  std::span<T> part(std::span<T> values, std::size_t set) const {
    return values.subspan(first(set), first(set + 1) - first(set));
  }

  /// Action values [Q] of a profile, and gaps [sets].
  void evaluate(std::span<const double> log_policy, double kl_weight, std::span<double> values, std::span<double> gaps,
                CancelToken& cancel) {
    for (std::size_t q = 0; q < values.size(); ++q) probabilities_[q] = std::exp(log_policy[q]);
    if (kl_in_rewards_)
      for (std::size_t set = 0; set < num_sets(); ++set)
        penalties_[set] = kl_weight * log_kl_divergence(part(log_policy, set), part(reference_, set));
    go_down(log_policy, cancel);
    go_up(values, cancel);
    for (std::size_t set = 0; set < num_sets(); ++set) {
      for (double& value : part(values, set)) value /= weights_[set];
      const std::span<double> response = part(std::span(response_), set);
      anchored_best_response(part(std::span<const double>(values), set), part(reference_, set), kl_weight, response);
      gaps[set] = kl_weight * log_kl_divergence(part(log_policy, set), response);
    }
  }

  /// [sets]: how likely each is reached, by the latest profile.
  std::vector<double> reach() const {
    std::vector<double> reach(num_sets());
    for (std::size_t set = 0; set < reach.size(); ++set) reach[set] = weights_[set] * std::exp(highest_[set]);
    return reach;
  }

  /// Adds how likely the mover of each sequence, by the latest profile, is to have played it and its own before.
  void add_reach(std::span<double> sums) {
    for (std::size_t set = 0; set < num_sets(); ++set) {
      const std::int32_t parent = tree_.parent_sequences()[set];
      const double before = parent == GameTree::none ? 1.0 : own_reach_[static_cast<std::size_t>(parent)];
      for (std::size_t q = first(set); q < first(set + 1); ++q) sums[q] += own_reach_[q] = before * probabilities_[q];
    }
  }

 private:
  /// How likely each node is reached: in logarithms, as a mean given that a set is reached needs ratios alone. With
  /// perfect recall its mover's own moves are the same at all its nodes and cancel out.
  void go_down(std::span<const double> log_policy, CancelToken& cancel) {
    std::ranges::fill(highest_, -std::numeric_limits<double>::infinity());
    for (std::size_t v = 0; v < log_reach_.size(); ++v) {
      if ((v & poll_mask) == 0) cancel.poll();
      const GameTree::Node& node = tree_.nodes()[v];
      const auto child = static_cast<std::size_t>(node.first_child);
      const double* moves = log_chance_.data() + child;
      if (node.player >= 0) {
        const auto set = static_cast<std::size_t>(node.information_set);
        moves = log_policy.data() + first(set);
        highest_[set] = std::max(highest_[set], log_reach_[v]);
      }
      for (std::size_t j = 0; j < static_cast<std::size_t>(node.num_children); ++j)
        log_reach_[child + j] = log_reach_[v] + moves[j];
    }
  }

  /// What each node is worth with the move that leads there; of decisions the sums over nodes, weighted.
  void go_up(std::span<double> values, CancelToken& cancel) {
    std::ranges::fill(values, 0.0);
    std::ranges::fill(weights_, 0.0);
    const auto num_members = static_cast<double>(tree_.num_members());
    for (std::size_t v = log_reach_.size(); v-- > 0;) {
      if ((v & poll_mask) == 0) cancel.poll();
      const GameTree::Node& node = tree_.nodes()[v];
      double* worth = worth_.data() + v * num_players_;
      const double* paid = tree_.payoffs(node).data();
      for (std::size_t i = 0; i < num_players_; ++i) {
        worth[i] = 0.0;
        for (std::size_t member = 0; member < tree_.num_members(); ++member) worth[i] += *paid++;
        worth[i] /= num_members;
      }
      if (node.player >= 0) {
        add_decision(v, values, worth);
        continue;
      }
      for (std::size_t child = static_cast<std::size_t>(node.first_child), j = 0;
           j < static_cast<std::size_t>(node.num_children); ++j)
        for (std::size_t i = 0; i < num_players_; ++i)
          worth[i] += tree_.probability(child + j) * worth_[(child + j) * num_players_ + i];
    }
  }

  void add_decision(std::size_t v, std::span<double> values, double* worth) {
    const GameTree::Node& node = tree_.nodes()[v];
    const auto set = static_cast<std::size_t>(node.information_set), mover = static_cast<std::size_t>(node.player);
    const double weight = std::exp(log_reach_[v] - highest_[set]);
    weights_[set] += weight;
    worth[mover] -= penalties_[set];
    for (std::size_t j = 0; j < static_cast<std::size_t>(node.num_children); ++j) {
      const double* after = worth_.data() + (static_cast<std::size_t>(node.first_child) + j) * num_players_;
      values[first(set) + j] += weight * after[mover];
      for (std::size_t i = 0; i < num_players_; ++i) worth[i] += probabilities_[first(set) + j] * after[i];
    }
  }

  const GameTree& tree_;
  std::span<const double> reference_;
  bool kl_in_rewards_;
  std::size_t num_players_;
  std::vector<double> log_chance_, log_reach_, worth_;        // by node; worth_ [V, N]
  std::vector<double> probabilities_, response_, own_reach_;  // by sequence
  std::vector<double> highest_, weights_, penalties_;         // by information set
};

void check_game(const AnchoredTreeGame& game, std::span<const double> log_policy) {
  const GameTree& tree = game.tree;
  check(tree.forgetful_set() == GameTree::none, "mirror descent needs perfect recall, but the player of information ",
        "set ", tree.forgetful_set(), " does not know there what it did or knew before");
  const auto are_fit = [&](const char* name, std::span<const double> values) {
    check(values.size() == tree.num_sequences(), name, " must have ", tree.num_sequences(),
          " entries, one an action of each information set, got ", values.size());
    check(std::ranges::all_of(values, [](double value) { return std::isfinite(value); }), name,
          " must be logarithms of positive probabilities");
  };
  are_fit("log_reference", game.log_reference);
  are_fit("log_policy", log_policy);
}

void check_weight(double kl_weight) {
  check(kl_weight > 0.0 && std::isfinite(kl_weight), "kl_weight must be finite and above 0, got ", kl_weight);
}

}  // namespace

DecisionValues decision_values(const AnchoredTreeGame& game, std::span<const double> log_policy, double kl_weight,
                               CancelToken& cancel) {
  check_game(game, log_policy);
  check_weight(kl_weight);
  Passes passes(game);
  DecisionValues found{std::vector<double>(log_policy.size()), std::vector<double>(passes.num_sets()), {}};
  passes.evaluate(log_policy, kl_weight, found.action_values, found.gap, cancel);
  found.reach = passes.reach();
  return found;
}

std::size_t tree_mirror_descent(const AnchoredTreeGame& game, std::span<double> log_policy,
                                std::span<const double> kl_weights, std::span<const double> step_sizes,
                                double tolerance, std::span<double> reach_sums, CancelToken& cancel) {
  check_game(game, log_policy);
  check(step_sizes.size() == kl_weights.size(), "step_sizes must have ", kl_weights.size(), " entries, got ",
        step_sizes.size());
  check(reach_sums.empty() || reach_sums.size() == log_policy.size(), "reach_sums must have ", log_policy.size(),
        " entries, got ", reach_sums.size());
  for (std::size_t t = 0; t < kl_weights.size(); ++t) {
    check_weight(kl_weights[t]);
    check(step_sizes[t] > 0.0 && std::isfinite(step_sizes[t]), "step_sizes must be finite and above 0, got ",
          step_sizes[t]);
  }
  Passes passes(game);
  std::vector<double> values(log_policy.size()), gaps(passes.num_sets());
  for (std::size_t t = 0; t < kl_weights.size(); ++t) {
    cancel.poll();
    passes.evaluate(log_policy, kl_weights[t], values, gaps, cancel);
    if (tolerance > 0.0 && std::ranges::all_of(gaps, [&](double gap) { return gap <= tolerance; })) return t;
    if (!reach_sums.empty()) passes.add_reach(reach_sums);
    for (std::size_t q = 0; q < values.size(); ++q)
      log_policy[q] = (log_policy[q] + step_sizes[t] * (kl_weights[t] * game.log_reference[q] + values[q])) /
                      (1.0 + step_sizes[t] * kl_weights[t]);
    for (std::size_t set = 0; set < passes.num_sets(); ++set) {
      const std::span<double> here = passes.part(log_policy, set);
      const double log_total = log_sum_exp(here);
      for (double& value : here) value -= log_total;
    }
  }
  return kl_weights.size();
}

}  // namespace coffee_fast
