#include "coffee_fast/coverage.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/anchored.hpp"
#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

/// The largest ratio of a product of probabilities, all but `left_out`'s, to the data's frequency.
double largest_ratio(std::span<const std::size_t> sizes, std::span<const double> probabilities,
                     std::span<const double> frequencies, std::size_t left_out) {
  double largest = 0.0;
  for (std::size_t profile = 0; profile < frequencies.size(); ++profile) {
    double weight = 1.0;
    bool is_played = true;
    std::size_t stride = frequencies.size(), begin = 0;
    for (std::size_t player = 0; player < sizes.size(); ++player) {
      stride /= sizes[player];
      const double probability = probabilities[begin + profile / stride % sizes[player]];
      is_played &= probability >= 0.0;
      if (player != left_out) weight *= probability;
      begin += sizes[player];
    }
    if (is_played && weight > 0.0) largest = std::max(largest, weight / frequencies[profile]);
  }
  return largest;
}

}  // namespace

Coverage coverage(std::span<const std::size_t> sizes, std::span<const double> reference,
                  std::span<const double> frequencies) {
  std::size_t num_profiles = 1, num_actions = 0;
  for (const std::size_t size : sizes) num_profiles *= size, num_actions += size;
  check(num_profiles > 0 && frequencies.size() == num_profiles, "coverage: frequencies must have one entry a profile, ",
        num_profiles, " in all, got ", frequencies.size());
  check(reference.size() == num_actions, "coverage: reference must have one entry an action, ", num_actions,
        " in all, got ", reference.size());
  std::vector<double> probabilities;
  for (const double log_reference : reference)  // -1 marks what is not available
    probabilities.push_back(is_available(log_reference) ? std::exp(log_reference) : -1.0);
  Coverage found{largest_ratio(sizes, probabilities, frequencies, sizes.size()), {}};
  for (std::size_t player = 0; player < sizes.size(); ++player)
    found.unilateral.push_back(largest_ratio(sizes, probabilities, frequencies, player));
  return found;
}

}  // namespace coffee_fast
