#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/stage_game.hpp"

namespace coffee_fast {

struct BranchEnd {
  std::vector<double> mixtures;  ///< log-probabilities at the end of the branch, or where tracing stopped
  std::size_t num_solves;        ///< linear systems solved
};

/// Traces the branch of anchored equilibria that starts at the reference, by pseudo-arclength continuation.
///
/// Payoffs are in units of the KL weight. For t from 0 (the players stay at their references) to 1 (the game), the
/// zeros of F(l, t) = l - log ref - t q(e^l) + log Z in y = (l, t / s), l all log-probabilities and s a scale, make a
/// curve: predict along its tangent, correct at a right angle to it, through turns of t too. At the end Newton steps
/// bring each mixture within a KL divergence of `allowed` (one a mixture) of its best response. Cost of a step: a few
/// solves of a linear system of all actions. Sources: Turocy 2005 for the logit branch in log-probabilities; Allgower
/// and Georg 1990 for the method.
BranchEnd trace_branch(const StageGame& scaled, std::span<const double> reference, std::span<const double> allowed,
                       CancelToken& cancel);

}  // namespace coffee_fast
