#include "coffee_fast/simplex.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "coffee_fast/check.hpp"
#include "padded_mixture.hpp"

namespace coffee_fast {

void normalize(std::span<double> weights) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (!(sum > 0.0) || !std::isfinite(sum))
    throw NumericalError("normalize: the sum of weights must be positive and finite");
  for (double& weight : weights) weight /= sum;
}

void project_to_simplex(std::span<double> x, double min_probability) {
  check(!x.empty(), "project_to_simplex: x must not be empty");
  for (const double value : x)
    check(std::abs(value) <= 1e280, "project_to_simplex: x must be finite and at most 1e280 in size, got ", value);
  OwnedMixture mixture(x.size(), min_probability);
  std::copy(x.begin(), x.end(), mixture.padded().scratch);
  mixture_kernels().project(mixture.padded());
  std::copy_n(mixture.padded().probabilities, x.size(), x.begin());
}

double entropy(std::span<const double> p) {
  double sum = 0.0;
  for (const double value : p)
    if (value > 0.0) sum -= value * std::log(value);
  return sum;
}

double kl_divergence(std::span<const double> p, std::span<const double> q) {
  check(p.size() == q.size(), "kl_divergence: p and q must have one length, got ", p.size(), " and ", q.size());
  double sum = 0.0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!(p[i] > 0.0)) continue;
    if (q[i] == 0.0) return std::numeric_limits<double>::infinity();
    sum += p[i] * std::log(p[i] / q[i]);
  }
  return sum;
}

}  // namespace coffee_fast
