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

}  // namespace coffee_fast
