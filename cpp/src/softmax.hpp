#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace coffee_fast {

inline double sigmoid(double logit) { return 1.0 / (1.0 + std::exp(-logit)); }

/// Probabilities proportional to exp(logits), as many.
inline void softmax(std::span<const float> logits, std::span<double> probabilities) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) sum += probabilities[i] = std::exp(logits[i] - largest);
  for (double& probability : probabilities) probability /= sum;
}

/// In nats, of one distribution; a single number is the probability of one of two.
inline double outcome_entropy(std::span<const double> probabilities) {
  const auto term = [](double probability) { return probability > 0.0 ? -probability * std::log(probability) : 0.0; };
  if (probabilities.size() == 1) return term(probabilities[0]) + term(1.0 - probabilities[0]);
  double sum = 0.0;
  for (const double probability : probabilities) sum += term(probability);
  return sum;
}

}  // namespace coffee_fast
