#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/game_tree.hpp"

namespace coffee_fast {

// Players of a tree who maximize, decision by decision, their expected payoff less kl_weight * KL(policy || reference).
// Policies and references are logarithms of probabilities, one a sequence; all finite, so that every information set
// can be reached and means given that it is are numbers, be they ever so rarely met.

struct AnchoredTreeGame {
  const GameTree& tree;                   ///< with perfect recall
  std::span<const double> log_reference;  ///< [Q]
  bool kl_in_rewards = true;              ///< whether what is paid at a player's later decisions counts in its values
};

/// What a profile is worth at each decision.
struct DecisionValues {
  std::vector<double> action_values;  ///< [Q]: what is paid after the action, expected given that the set is reached
  std::vector<double> gap;            ///< [sets]: what deviating there alone could gain, given that it is reached
  std::vector<double> reach;          ///< [sets]: the probability of getting there
};

/// O(V N). A gap is kl_weight KL(policy || reference e^(action values / kl_weight) / Z) at the information set.
DecisionValues decision_values(const AnchoredTreeGame& game, std::span<const double> log_policy, double kl_weight,
                               CancelToken& cancel);

/// Magnetic mirror descent of all players at once: at every information set, with action values q of the profile,
///
///   log policy <- (log policy + step_size (kl_weight log reference + q)) / (1 + step_size kl_weight) + const.
///
/// A step for each of `kl_weights` [T] and `step_sizes` [T]; it ends early, before the step, where no gap is more than
/// `tolerance` (0: never). `reach_sums` [Q], unless empty, gains the probability with which the mover has
/// played each sequence, its own earlier moves included, for every profile from which a step is taken: their average
/// (as a mixture drawn once an episode) is to play in proportion to it. Returns the number of steps. Each is O(V N).
std::size_t tree_mirror_descent(const AnchoredTreeGame& game, std::span<double> log_policy,
                                std::span<const double> kl_weights, std::span<const double> step_sizes,
                                double tolerance, std::span<double> reach_sums, CancelToken& cancel);

}  // namespace coffee_fast
