#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "coffee_fast/experience.hpp"

namespace coffee_fast::bindings {

using Mixtures = std::vector<std::pair<std::vector<Policy>, std::vector<double>>>;  // [players]
/// Groups of (seat, network, the seat that it is an adversary of).
using LearningSeats = std::vector<std::vector<std::tuple<std::size_t, std::size_t, std::optional<std::size_t>>>>;

inline ExperienceOptions experience_options(std::uint64_t seed, const LearningSeats& learning_seats,
                                            const Mixtures& opponents, double uncertainty_penalty,
                                            double coverage_weight) {
  ExperienceOptions options{.seed = seed,
                            .learning_seats = {},
                            .opponents = {},
                            .uncertainty_penalty = uncertainty_penalty,
                            .coverage_weight = coverage_weight};
  for (const auto& group : learning_seats) {
    options.learning_seats.emplace_back();
    for (const auto& [seat, network, adversary_of] : group)
      options.learning_seats.back().push_back({seat, network, adversary_of});
  }
  for (const auto& [mixed, probabilities] : opponents) options.opponents.push_back({mixed, probabilities});
  return options;
}

}  // namespace coffee_fast::bindings
