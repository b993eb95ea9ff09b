#include <cmath>
#include <vector>

#include "coffee_fast/error.hpp"
#include "coffee_fast/replicator.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

ReplicatorResult solve(const PayoffTable& table, const ReplicatorOptions& options) {
  CancelToken cancel;
  return solve_replicator(table, options, cancel);
}

}  // namespace

TEST(replicator_goes_to_the_dominant_strategy) {
  const ReplicatorResult result = solve(PayoffTable::symmetric(2, 1, {3, 0, 5, 1}), {.step_size = 1e-2});
  EXPECT(result.num_iterations == 20'000);
  EXPECT(!result.threshold_reached);
  EXPECT(result.mixtures.size() == 2);
  EXPECT(result.mixtures[0] == result.mixtures[1]);
  EXPECT(std::abs(result.mixtures[0][0] - 1e-6) < 1e-15);
}

TEST(replicator_stops_below_its_threshold) {
  const PayoffTable table = PayoffTable::symmetric(2, 1, {3, 0, 5, 1});
  const ReplicatorResult result = solve(table, {.regret_threshold = 0.5});
  EXPECT(result.threshold_reached);
  EXPECT(result.num_iterations > 1 && result.num_iterations < 20'000);
  const ReplicatorResult shorter = solve(table, {.max_iterations = result.num_iterations - 1, .regret_threshold = 0.5});
  EXPECT(!shorter.threshold_reached);
}

TEST(one_member_gives_the_closed_form_robust_step) {
  const std::vector<double> mixture{0.2, 0.3, 0.5}, payoffs{1.0, 4.0, 2.0};
  const double step_size = 1e-2, value = 0.2 * 1.0 + 0.3 * 4.0 + 0.5 * 2.0;
  const std::vector<double> best_other{4.0, 2.0, 4.0};
  std::vector<double> moved(3);
  double excess = -1.0;
  for (int a = 0; a < 3; ++a) {
    moved[a] = mixture[a] + step_size * mixture[a] * (payoffs[a] - value - best_other[a] + payoffs[a]);
    excess += moved[a];
  }
  const std::vector<double> step = robust_replicator_step(mixture, payoffs, payoffs, step_size, 0.0);
  for (int a = 0; a < 3; ++a) EXPECT(std::abs(step[a] - (moved[a] - excess / 3)) < 1e-15);
}

TEST(a_symmetric_table_is_solved_like_its_general_form) {
  const std::vector<double> row{0, 2, -1, 1, 0, 3, 2, -1, 0, 0, 1, 1, 4, 0, -2, 2, 1, 0};
  std::vector<double> column(row.size());
  for (int e = 0; e < 2; ++e)
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) column[e * 9 + a * 3 + b] = row[e * 9 + b * 3 + a];
  for (const ReplicatorKind kind : {ReplicatorKind::plain, ReplicatorKind::robust}) {
    const ReplicatorOptions options{.kind = kind, .step_size = 0.05, .max_iterations = 500};
    EXPECT(solve(PayoffTable::symmetric(3, 2, row), options).mixtures ==
           solve(PayoffTable({3, 3}, 2, {row, column}), options).mixtures);
  }
}

TEST(huge_payoffs_leave_finite_mixtures) {
  for (const double scale : {1e150, 1e270}) {
    const PayoffTable table = PayoffTable::symmetric(
        3, 2, {scale, -scale, 0, 0, scale, -scale, scale, 0, 0, 0, scale, 0, -scale, 0, 0, 0, 0, 0});
    for (const ReplicatorKind kind : {ReplicatorKind::plain, ReplicatorKind::robust}) {
      double sum = 0.0;
      const ReplicatorResult result = solve(table, {.kind = kind, .max_iterations = 100});
      for (const double p : result.mixtures[0]) sum += p;
      EXPECT(std::abs(sum - 1.0) < 1e-12);
    }
  }
  EXPECT_THROW(solve(PayoffTable::symmetric(1, 1, {1e279}), {.step_size = 100.0}), NumericalError);
}

TEST(replicator_refuses_wrong_options) {
  const PayoffTable table = PayoffTable::symmetric(2, 1, {3, 0, 5, 1});
  EXPECT_THROW(solve(table, {.step_size = 0.0}), InvalidArgument);
  EXPECT_THROW(solve(table, {.step_size = std::nan("")}), InvalidArgument);
  EXPECT_THROW(solve(table, {.min_probability = 0.51}), InvalidArgument);
  EXPECT_THROW(solve(table, {.min_probability = -1e-9}), InvalidArgument);
  EXPECT_THROW(solve(table, {.regret_threshold = std::nan("")}), InvalidArgument);
}

TEST(replicator_stops_when_cancelled) {
  CancelToken cancel;
  cancel.cancel();
  EXPECT_THROW(solve_replicator(PayoffTable::symmetric(2, 1, {3, 0, 5, 1}), {}, cancel), Cancelled);
}
