#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/stage_game.hpp"

namespace coffee_fast {

struct MirrorDescentOptions {
  std::size_t num_iterations = 1000;
  double tolerance =
      0.0;  ///< share that a gap may be of the player's payoff range or, if less, 10 weights; 0 plays all
  double step_size = 0.0;  ///< constant, in the implicit form; 0 for 1 / (kl_weight (t + 1))
};

/// T rounds of play with one round drawn for all players, and how good it is.
struct CorrelatedPlay {
  std::vector<double> joint;    ///< distribution of profiles, [A_1, ..., A_n]
  std::vector<double> average;  ///< each player's marginal, [num_actions]
  std::vector<double> last;     ///< each player's last mixture, [num_actions]
  std::vector<double> gap;      ///< what a player could gain by one mixture for all rounds, one a mixture
  std::vector<double> value;    ///< payoff less KL penalty, averaged over rounds, one a mixture
  std::size_t num_iterations = 0;
};

/// Mirror descent around a reference, for coarse correlated equilibria of anchored games:
///
///   log x(t+1) = (1 - kl_weight eta) log x(t) + kl_weight eta log ref + eta q(t) + const.
///
/// With eta = 1 / (kl_weight (t + 1)), x(t+1) is proportional to ref e^(t mean q / (kl_weight (t + 1))): memory does
/// not grow with the rounds, and the gap is at most B^2 (1 + log T) / (8 kl_weight T) for payoffs in a range of B. A
/// constant step in the form log x(t+1) = (log x(t) + eta kl_weight log ref + eta q(t)) / (1 + eta kl_weight) has a
/// last iterate that converges in zero-sum games. `reference` (logarithms) and `kl_weight` (one a mixture, positive)
/// are trusted.
CorrelatedPlay anchored_mirror_descent(const StageGame& game, std::span<const double> reference,
                                       std::span<const double> kl_weight, const MirrorDescentOptions& options,
                                       CancelToken& cancel);

}  // namespace coffee_fast
