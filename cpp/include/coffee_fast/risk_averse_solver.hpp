#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/risk_averse.hpp"

namespace coffee_fast {

/// The best profile found, and how good it is; figures are one a mixture, in units of the temperature.
struct RiskAverseEquilibrium {
  std::vector<double> mixtures;                  ///< log-probabilities
  std::vector<std::vector<double>> adversaries;  ///< one a mixture, [B]
  std::vector<double> gap;                       ///< against the adversaries
  std::vector<double> residual;                  ///< largest difference of a probability from the best response to them
  std::vector<double> value;
  bool has_converged = false;  ///< each gap is within what was allowed
  std::size_t num_iterations = 0;
};

/// A risk-averse quantal equilibrium, with gaps within `allowed` (one a mixture, positive).
///
/// It is the one on the branch that starts at uniform play, for infinite temperatures and no risk aversion; with an
/// `initial` profile (log-probabilities; empty for none) the one that damped responses and Newton steps lead to from
/// there. A game that these leave unfinished ends with the best profile that as many steps and damped responses find.
/// All is trusted.
RiskAverseEquilibrium solve_risk_averse(const RiskAverseGame& game, std::span<const double> allowed,
                                        std::span<const double> initial, std::size_t max_iterations,
                                        CancelToken& cancel);

}  // namespace coffee_fast
