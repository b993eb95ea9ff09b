#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "coffee_fast/error.hpp"
#include "coffee_fast/simplex.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

std::vector<double> projected(std::vector<double> x, double min_probability = 0.0) {
  project_to_simplex(x, min_probability);
  return x;
}

bool is_near(const std::vector<double>& a, const std::vector<double>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= 1e-14)) return false;
  return a.size() == b.size();
}

}  // namespace

TEST(projection_shifts_all_entries_alike) {
  EXPECT(is_near(projected({0.4, 0.7, 0.6}), {1.0 / 6, 0.4 + 1.0 / 15, 1.0 / 3 + 1.0 / 30}));
  EXPECT(is_near(projected({0.4, 0.7, 0.6}, 0.2), {0.2, 0.45, 0.35}));
  EXPECT(is_near(projected({2.0, 0.0, -5.0}), {1.0, 0.0, 0.0}));
  EXPECT(is_near(projected({-3.0}), {1.0}));
}

TEST(projection_keeps_points_of_the_simplex) {
  std::vector<double> x(41);
  std::iota(x.begin(), x.end(), 1.0);
  normalize(x);
  EXPECT(is_near(projected(x), x));
  EXPECT(is_near(projected(x, 1e-6), x));
}

TEST(projection_of_huge_entries_stays_on_the_simplex) {
  EXPECT(is_near(projected({1e280, 0.5, -1e280}), {1.0, 0.0, 0.0}));
  EXPECT(is_near(projected({1e150, 1e150}), {0.5, 0.5}));
}

TEST(projection_to_a_floor_that_takes_everything_is_uniform) {
  EXPECT(is_near(projected({5.0, -1.0, 0.0, 2.0}, 0.25), {0.25, 0.25, 0.25, 0.25}));
}

TEST(projection_refuses_what_it_cannot_project) {
  EXPECT_THROW(projected({}), InvalidArgument);
  EXPECT_THROW(projected({0.0, std::nan("")}), InvalidArgument);
  EXPECT_THROW(projected({0.0, std::numeric_limits<double>::infinity()}), InvalidArgument);
  EXPECT_THROW(projected({0.5, 0.5}, 0.6), InvalidArgument);
  EXPECT_THROW(projected({0.5, 0.5}, -0.1), InvalidArgument);
}

TEST(normalize_needs_a_positive_finite_sum) {
  std::vector<double> weights{1.0, 3.0}, zeros{0.0, 0.0};
  normalize(weights);
  EXPECT(is_near(weights, {0.25, 0.75}));
  EXPECT_THROW(normalize(zeros), NumericalError);
}

TEST(entropy_and_divergence) {
  const std::vector<double> fair{0.5, 0.5}, sure{1.0, 0.0};
  EXPECT(std::abs(entropy(fair) - std::log(2.0)) < 1e-15);
  EXPECT(entropy(sure) == 0.0);
  EXPECT(kl_divergence(fair, fair) == 0.0);
  EXPECT(std::abs(kl_divergence(sure, fair) - std::log(2.0)) < 1e-15);
  EXPECT(std::isinf(kl_divergence(fair, sure)));
}
