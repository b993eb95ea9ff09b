#include <cmath>

#include "coffee_fast/action_risk.hpp"
#include "coffee_fast/anchored.hpp"
#include "coffee_fast/error.hpp"
#include "coffee_fast/risk_averse.hpp"
#include "coffee_fast/risk_averse_solver.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

/// Defecting pays `gain` more whatever the other does.
StageGame dilemma(double gain) {
  return StageGame({2, 2}, {{3.0, 0.0, 3.0 + gain, gain}, {3.0, 3.0 + gain, 0.0, gain}});
}

/// The stag needs two, the hare none: in units of a temperature of 1 / scale.
StageGame stag_hunt(double scale) {
  return StageGame({2, 2},
                   {{4.0 * scale, 0.0, 2.0 * scale, 2.0 * scale}, {4.0 * scale, 2.0 * scale, 0.0, 2.0 * scale}});
}

const std::vector<double> uniform(4, std::log(0.5));

RiskAverseEquilibrium solve(const StageGame& game, double tau, Divergence divergence, Regularizer regularizer) {
  CancelToken cancel;
  const std::vector<double> risk_aversion(2, tau), allowed(2, 1e-14);
  return solve_risk_averse(RiskAverseGame(game, risk_aversion, uniform, divergence, regularizer), allowed, {}, 2000,
                           cancel);
}

}  // namespace

TEST(a_dominant_action_is_played_as_the_regularizer_says_whatever_the_risk) {
  for (const double tau : {0.0, 1.0, 30.0})
    for (const Divergence divergence : {Divergence::kl, Divergence::reverse_kl}) {
      const RiskAverseEquilibrium soft = solve(dilemma(1.5), tau, divergence, Regularizer::entropy);
      EXPECT(soft.has_converged);
      EXPECT(std::abs(soft.mixtures[1] - soft.mixtures[0] - 1.5) < 1e-7);
      const RiskAverseEquilibrium barrier = solve(dilemma(1.5), tau, divergence, Regularizer::log_barrier);
      EXPECT(barrier.has_converged);
      EXPECT(std::abs(std::exp(-barrier.mixtures[0]) - std::exp(-barrier.mixtures[1]) - 1.5) < 1e-7);
    }
}

TEST(the_level_of_equal_gaps_is_its_closed_form) {
  const std::vector<double> weights{0.2, 0.8}, none{0.0, 0.0}, gaps{0.0, 2.0};
  EXPECT(std::abs(level(weights, none) - 1.0) < 1e-15);
  const double s = level(weights, gaps);  // 0.2 / s + 0.8 / (2 + s) = 1
  EXPECT(std::abs(s * s + s - 0.4) < 1e-14);
}

TEST(risk_aversion_keeps_hunters_from_the_stag) {
  double last = 1.0;
  for (const double tau : {0.0, 0.5, 2.0, 8.0}) {
    const RiskAverseEquilibrium found = solve(stag_hunt(1.0), tau, Divergence::kl, Regularizer::log_barrier);
    EXPECT(found.has_converged);
    const double stag = std::exp(found.mixtures[0]);
    EXPECT(stag < last);
    last = stag;
  }
}

TEST(action_risk_without_aversion_is_the_logit_equilibrium) {
  CancelToken cancel;
  const std::vector<double> temperature(2, 0.5), none(2, 0.0);
  const ActionRiskOptions options{.damping = 0.5, .tolerance = 1e-12, .max_iterations = 500};
  const ActionRiskEquilibrium found = solve_action_risk(dilemma(1.5), temperature, none, options, cancel);
  EXPECT(found.has_converged);
  EXPECT(std::abs(std::log(found.mixtures[1] / found.mixtures[0]) - 3.0) < 1e-10);
  EXPECT(found.gap[0] < 1e-12);
}

TEST(a_solve_of_risk_averse_games_can_be_cancelled) {
  CancelToken cancel;
  cancel.cancel();
  const std::vector<double> ones(2, 1.0), allowed(2, 1e-14);
  const RiskAverseGame game(stag_hunt(5.0), ones, uniform, Divergence::kl, Regularizer::entropy);
  EXPECT_THROW(solve_risk_averse(game, allowed, {}, 2000, cancel), Cancelled);
  EXPECT_THROW(solve_action_risk(stag_hunt(5.0), ones, ones, {}, cancel), Cancelled);
}
