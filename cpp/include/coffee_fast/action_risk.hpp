#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/stage_game.hpp"

namespace coffee_fast {

struct ActionRiskOptions {
  double damping = 0.5;              ///< share of the way to the response, in (0, 1]
  double tolerance = 1e-6;           ///< how far a probability may be from its response
  std::size_t max_iterations = 100;  ///< and as many with a fifth, and a twenty-fifth, of the damping
};

/// The best profile found, and how good it is; figures are one a mixture.
struct ActionRiskEquilibrium {
  std::vector<double> mixtures;  ///< probabilities
  std::vector<double> gap;       ///< what each player could gain in its payoff and temperature's entropy
  std::vector<double> residual;  ///< the largest difference from its response
  std::vector<double> value;     ///< the payoff alone
  bool has_converged = false;
  std::size_t num_iterations = 0;
};

/// Quantal responses of players for whom each action carries its own risk: action a is worth the entropic certainty
/// equivalent of its payoffs over what the others jointly play, and play is the softmax of that over the temperature.
///
/// Damped responses in the logarithms, from uniform play; a game that circles goes on from its best profile with less
/// damping. `temperature` (positive) and `risk_aversion` are one a mixture; trusted. Source: the stage games of
/// RQRE-OVI, arXiv 2603.09208.
ActionRiskEquilibrium solve_action_risk(const StageGame& game, std::span<const double> temperature,
                                        std::span<const double> risk_aversion, const ActionRiskOptions& options,
                                        CancelToken& cancel);

}  // namespace coffee_fast
