#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/stage_game.hpp"

namespace coffee_fast {

// Kernels of risk-averse quantal responses: each player maximizes over its mixture x, against what the others jointly
// play, q, the least over p of x . U p + D(p, q) / tau, less nu(x). An adversary may move the others' play to p, for a
// price. Payoffs U are in units of the player's temperature, its risk aversion tau in units of one over it. Mixtures
// are log-probabilities, log_zero for actions that are not legal. Source: Mazumdar, Panaganti and Shi 2025.

enum class Divergence { kl, reverse_kl };         ///< KL(p || q), or KL(q || p)
enum class Regularizer { log_barrier, entropy };  ///< nu(x): -sum log x, or sum x log x

/// The worst play of the others, by their B joint actions. The change of log p is z - h (p . z) / (p . h) for
/// z = d log q - tau h dc.
struct Adversary {
  std::vector<double> p, h;
  std::vector<double> above;  ///< payoff above the least
  double value;               ///< what it leaves: the mean payoff less the price of risk
};

/// The distribution p that minimizes payoffs . p + D / risk_aversion: q e^(-tau c) / Z, or q / (tau (c - nu)). Risk
/// aversion 0 gives q. Payoffs and `log_q` are [B].
Adversary worst_play(Divergence divergence, std::span<const double> payoffs, std::span<const double> log_q,
                     double risk_aversion);

/// s with sum of weights / (gaps + s) = 1, for weights and gaps at least 0. Newton steps from below climb to the root
/// and never past it.
double level(std::span<const double> weights, std::span<const double> gaps);

/// The mixture y that maximizes v . y - nu(y). The change of log y is bend (dv - sum y bend dv / sum y bend).
struct Response {
  std::vector<double> logs, bend;
};
Response quantal_response(Regularizer regularizer, std::span<const double> values, std::span<const double> legal);

/// What v . x - nu(x) falls short of its maximum, which is at `best`: the Bregman divergence of nu.
double excess(Regularizer regularizer, std::span<const double> mixture, std::span<const double> best);

/// nu(x).
double penalty(Regularizer regularizer, std::span<const double> mixture);

/// A game of such players. Profiles are log-probabilities of all mixtures, one after another, as in StageGame.
class RiskAverseGame {
 public:
  /// An axis of a player's joint action b of the others, whose action there is (b / stride) % size.
  struct Axis {
    std::size_t owner, size, stride;
  };

  /// `scaled` has payoffs in units of the temperature; `risk_aversion` is one a mixture; `legal` is a profile, uniform
  /// over what is legal. Trusted.
  RiskAverseGame(const StageGame& scaled, std::span<const double> risk_aversion, std::span<const double> legal,
                 Divergence divergence, Regularizer regularizer);

  std::size_t num_mixtures() const { return risk_aversion_.size(); }
  std::size_t num_actions() const { return game_.num_actions(); }
  std::size_t begin(std::size_t player) const { return game_.begin(player); }
  std::size_t size(std::size_t player) const { return game_.size(player); }
  /// Joint actions of a player's others.
  std::size_t num_joint(std::size_t player) const { return payoffs_[player].size() / game_.size(player); }
  /// Payoffs [A_i, B], and transposed.
  std::span<const double> payoffs(std::size_t player) const { return payoffs_[player]; }
  std::span<const double> transposed(std::size_t player) const { return transposed_[player]; }
  std::span<const Axis> axes(std::size_t player) const { return axes_[player]; }
  double risk_aversion(std::size_t player) const { return risk_aversion_[player]; }
  std::span<const double> legal() const { return legal_; }
  Divergence divergence() const { return divergence_; }
  /// Largest range of payoffs.
  double range() const;

  std::span<const double> part(std::span<const double> profile, std::size_t player) const {
    return game_.part(profile, player);
  }

  /// Logarithms of what the others jointly play, [B].
  std::vector<double> log_others(std::size_t player, std::span<const double> profile) const;

  /// Expected payoff of a player's mixture against each joint action of the others, [B].
  std::vector<double> against_each(std::size_t player, std::span<const double> profile) const;

  /// The worst joint play of the others, with `t` of the player's risk aversion.
  Adversary adversary(std::size_t player, std::span<const double> profile, double t = 1.0) const;

  /// The player's best mixture against p [B], for `t` of its payoffs.
  Response response(std::size_t player, std::span<const double> p, double t = 1.0) const;

  /// Each player's best mixture against its worst adversary.
  std::vector<double> responses(std::span<const double> profile) const;

  /// One a mixture: what the player could gain by another mixture while its adversary stays, which is no less than
  /// what it could gain, and zero only in equilibrium. In units of the temperature.
  std::vector<double> gap(std::span<const double> profile) const;

  /// The same bound from other adversaries, log p of reverse KL, one after another: what a player could gain against
  /// p, and its adversary by leaving p. The sharper one where rounding of tiny probabilities decides the worst play.
  std::vector<double> saddle_gap(std::span<const double> profile,
                                 std::span<const std::vector<double>> adversaries) const;

  /// Each player's objective, in units of the temperature.
  std::vector<double> value(std::span<const double> profile) const;

 private:
  StageGame game_;
  std::vector<double> risk_aversion_, legal_;
  Divergence divergence_;
  Regularizer regularizer_;
  std::vector<std::vector<double>> payoffs_, transposed_;
  std::vector<std::vector<Axis>> axes_;
};

}  // namespace coffee_fast
