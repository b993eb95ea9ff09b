#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/risk_averse.hpp"

namespace coffee_fast {

struct RiskAverseBranchEnd {
  std::vector<double> mixtures;                  ///< log-probabilities, not normalized
  std::vector<std::vector<double>> adversaries;  ///< log-probabilities [B], too; none where they were no unknowns
  std::size_t num_solves;                        ///< linear systems solved
};

/// Traces the branch of equilibria from uniform play: for t from 0 to 1 temperatures are 1 / t of the game's and risk
/// aversions t of the game's. Ends with Newton steps until they have no digit left to gain; in `max_steps` steps, or
/// where tracing got stuck.
///
/// With KL the unknowns are the log-probabilities l: F = l - log y(t v). The adversary q / (tau c + sigma) of reverse
/// KL turns sharply where an action that the others hardly ever play becomes the worst; with m = log p and sigma
/// unknown, too, the curve is smooth: tau c + sigma = e^(log q - m) and sum e^m = 1, as on the central path of an
/// interior-point method. Cost of a step: a few solves of a linear system of all unknowns.
RiskAverseBranchEnd trace_risk_averse(const RiskAverseGame& game, std::size_t max_steps, CancelToken& cancel);

/// The Newton steps alone, in the log-probabilities, from `profile`.
RiskAverseBranchEnd polish_risk_averse(const RiskAverseGame& game, std::span<const double> profile);

}  // namespace coffee_fast
