#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "coffee_fast/policy_learner.hpp"

namespace coffee_fast {

/// What the update needs to know of n decisions, as they were before it.
struct PolicyLearner::Batch {
  std::vector<double> log_probabilities, advantages, returns;  // [n]: of the action taken
  std::vector<double> weights;                                 // [n]: in the losses
  std::vector<float> log_references;                           // [n, A], or none for uniform play
  std::vector<float> old_log_probabilities;                    // [n, A] for mirror descent
};

inline double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(values.size(), 1));
}

}  // namespace coffee_fast
