#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/stage_game.hpp"

namespace coffee_fast {

/// How an anchored equilibrium is sought; `automatic` chooses by what is certain to converge.
enum class AnchoredMethod { fixed_point, mirror_descent, homotopy, automatic };

struct AnchoredOptions {
  AnchoredMethod method = AnchoredMethod::automatic;
  double tolerance = 1e-10;  ///< share that a player's gap may be of its payoff range or, if less, 10 kl_weights
  std::size_t max_iterations = 500;  ///< of best responses and of mirror descent
};

/// The best profile found, and how good it is.
struct AnchoredEquilibrium {
  std::vector<double> mixtures;  ///< log-probabilities, [num_actions]
  std::vector<double> gap;       ///< regularized, one a mixture, in units of payoff
  bool has_converged = false;
  std::size_t num_iterations = 0;  ///< of either kind, and linear systems of the branch
  double contraction = 0.0;        ///< below 1: the equilibrium is unique
  bool is_zero_sum = false;        ///< then it is unique, too
  AnchoredMethod method = AnchoredMethod::homotopy;
};

/// A Nash equilibrium of the game in which leaving the reference costs kl_weight KL(mixture || reference), on the
/// branch that starts at the reference.
///
/// `automatic` iterates best responses where they contract, follows mirror descent where the game is zero-sum with one
/// weight and its rate makes that the cheaper way, and traces the branch elsewhere, as it does for games that the
/// first two leave unfinished. `reference` (logarithms) and `kl_weight` (one a mixture, positive) are trusted.
AnchoredEquilibrium solve_anchored(const StageGame& game, std::span<const double> reference,
                                   std::span<const double> kl_weight, const AnchoredOptions& options,
                                   CancelToken& cancel);

}  // namespace coffee_fast
