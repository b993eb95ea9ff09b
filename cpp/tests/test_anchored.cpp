#include <cmath>

#include "coffee_fast/anchored.hpp"
#include "coffee_fast/anchored_mirror_descent.hpp"
#include "coffee_fast/anchored_solver.hpp"
#include "coffee_fast/error.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

/// Defecting pays one more whatever the other does, so that each player's equilibrium is its closed form.
StageGame dilemma() { return StageGame({2, 2}, {{3.0, 0.0, 4.0, 1.0}, {3.0, 4.0, 0.0, 1.0}}); }

double defect(double reference, double kl_weight) {
  const double weight = reference * std::exp(1.0 / kl_weight);
  return weight / (weight + 1.0 - reference);
}

}  // namespace

TEST(an_anchored_dilemma_has_its_closed_form_by_every_method) {
  const std::vector<double> reference{std::log(0.7), std::log(0.3), std::log(0.4), std::log(0.6)};
  for (const double kl_weight : {0.25, 1.0, 4.0})
    for (const AnchoredMethod method :
         {AnchoredMethod::fixed_point, AnchoredMethod::homotopy, AnchoredMethod::automatic}) {
      CancelToken cancel;
      const std::vector<double> weights(2, kl_weight);
      const AnchoredEquilibrium found =
          solve_anchored(dilemma(), reference, weights, {.method = method, .tolerance = 1e-20}, cancel);
      EXPECT(found.has_converged);
      EXPECT(std::abs(std::exp(found.mixtures[1]) - defect(0.3, kl_weight)) < 1e-9);
      EXPECT(std::abs(std::exp(found.mixtures[3]) - defect(0.6, kl_weight)) < 1e-9);
    }
}

TEST(mirror_descent_keeps_its_bound) {
  const std::vector<double> reference{std::log(0.9), std::log(0.1), std::log(0.3), std::log(0.7)}, weights(2, 0.1);
  const StageGame pennies({2, 2}, {{1.0, -1.0, -1.0, 1.0}, {-1.0, 1.0, 1.0, -1.0}});
  for (const std::size_t T : {10u, 100u, 1000u}) {
    CancelToken cancel;
    const CorrelatedPlay play = anchored_mirror_descent(pennies, reference, weights, {.num_iterations = T}, cancel);
    const double bound = 4.0 * (1.0 + std::log(static_cast<double>(T))) / (8.0 * 0.1 * static_cast<double>(T));
    for (const double gap : play.gap) EXPECT(gap >= 0.0 && gap <= bound);
    double total = 0.0;
    for (const double probability : play.joint) total += probability;
    EXPECT(std::abs(total - 1.0) < 1e-12);
  }
}

TEST(a_solve_of_anchored_games_can_be_cancelled) {
  CancelToken cancel;
  cancel.cancel();
  const std::vector<double> reference(4, std::log(0.5)), weights(2, 0.01);
  EXPECT_THROW(solve_anchored(dilemma(), reference, weights, {}, cancel), Cancelled);
}

TEST(stage_games_are_checked) {
  const std::vector<std::size_t> sizes{2, 3}, square{2, 2};
  const std::vector<std::vector<double>> one{std::vector<double>(6)}, short_one{{1, 2, 3, 4}, {1, 2, 3}};
  EXPECT_THROW(StageGame(sizes, one), InvalidArgument);
  EXPECT_THROW(StageGame(square, short_one), InvalidArgument);
}
