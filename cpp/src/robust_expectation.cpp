#include "coffee_fast/robust_expectation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace coffee_fast {
namespace {

double mean(std::span<const double> values, std::span<const double> probabilities) {
  return std::inner_product(values.begin(), values.end(), probabilities.begin(), 0.0);
}

double least(std::span<const double> values) { return *std::min_element(values.begin(), values.end()); }

double mean_capped(std::span<const double> values, std::span<const double> nominal, double cap) {
  double sum = 0.0;
  for (std::size_t s = 0; s < values.size(); ++s) sum += nominal[s] * std::min(values[s], cap);
  return sum;
}

/// The least value of positive probability: a finite KL divergence reaches no other state.
double support_minimum(std::span<const double> values, std::span<const double> nominal) {
  double smallest = HUGE_VAL;
  for (std::size_t s = 0; s < values.size(); ++s)
    if (nominal[s] > 0.0) smallest = std::min(smallest, values[s]);
  return smallest;
}

}  // namespace

double entropic_certainty_equivalent(std::span<const double> values, std::span<const double> probabilities,
                                     double risk_aversion) {
  const double center = mean(values, probabilities);
  if (risk_aversion == 0.0) return center;
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  if (std::abs(risk_aversion) * (*highest - *lowest) < 1e-6) {
    double variance = 0.0;
    for (std::size_t s = 0; s < values.size(); ++s)
      variance += probabilities[s] * (values[s] - center) * (values[s] - center);
    return center - 0.5 * risk_aversion * variance;
  }
  double top = -HUGE_VAL, sum = 0.0;
  const auto exponent = [&](std::size_t s) {
    return -risk_aversion * (values[s] - center) + std::log(probabilities[s]);
  };
  for (std::size_t s = 0; s < values.size(); ++s) top = std::max(top, exponent(s));
  for (std::size_t s = 0; s < values.size(); ++s) sum += std::exp(exponent(s) - top);
  return center - (top + std::log(sum)) / risk_aversion;
}

double contamination(std::span<const double> values, std::span<const double> nominal, double radius) {
  return (1.0 - radius) * mean(values, nominal) + radius * least(values);
}

double total_variation_ball(std::span<const double> values, std::span<const double> nominal, double radius) {
  const double lowest = least(values);
  double best = -HUGE_VAL;
  for (const double eta : values) best = std::max(best, mean_capped(values, nominal, eta) - radius * (eta - lowest));
  return best;
}

double kl_penalized(std::span<const double> values, std::span<const double> nominal, double weight) {
  const double lowest = support_minimum(values, nominal);
  double sum = 0.0;
  for (std::size_t s = 0; s < values.size(); ++s)
    if (nominal[s] > 0.0) sum += nominal[s] * std::exp(-(values[s] - lowest) / weight);
  return lowest - weight * std::log(sum);
}

double kl_ball(std::span<const double> values, std::span<const double> nominal, double radius) {
  if (radius == 0.0) return mean(values, nominal);
  const double lowest = support_minimum(values, nominal);
  const double spread = std::max(*std::max_element(values.begin(), values.end()) - lowest, 1e-300);
  // The dual is concave in b, so in log b it has one peak. At large b it is mean - var / (2 b) - b radius, with its
  // peak below spread / sqrt(8 radius).
  double low = std::log(spread) - 30.0, high = std::log(spread) - 0.5 * std::log(8.0 * std::max(radius, 1e-300)) + 1.0;
  const auto dual = [&](double log_b) {
    const double b = std::exp(log_b);
    return kl_penalized(values, nominal, b) - b * radius;
  };
  const double golden = (std::sqrt(5.0) - 1.0) / 2.0;
  for (int section = 0; section < 90; ++section) {
    const double left = high - golden * (high - low), right = low + golden * (high - low);
    if (dual(left) >= dual(right))
      high = right;
    else
      low = left;
  }
  return std::max(dual(0.5 * (low + high)), lowest);  // b = 0 gives the least value
}

double total_variation_penalized(std::span<const double> values, std::span<const double> nominal, double weight) {
  return mean_capped(values, nominal, least(values) + weight);
}

double chi_squared_penalized(std::span<const double> values, std::span<const double> nominal, double weight) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  // The worst distribution sums to one: with the k lowest values in play,
  // mass (1 + eta / (2 weight)) - first / (2 weight) = 1.
  double best = -HUGE_VAL, mass = 0.0, first = 0.0;
  for (const std::size_t k : order) {
    mass += nominal[k];
    first += nominal[k] * values[k];
    if (mass <= 0.0) continue;
    const double eta = (2.0 * weight * (1.0 - mass) + first) / mass;
    double sum = 0.0;
    for (std::size_t s = 0; s < values.size(); ++s) {
      const double ratio = std::max(1.0 + (eta - values[s]) / (2.0 * weight), 0.0);
      sum += nominal[s] * (ratio * ratio - 1.0);
    }
    best = std::max(best, eta - weight * sum);
  }
  return best;
}

}  // namespace coffee_fast
