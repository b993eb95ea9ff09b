#include "coffee_fast/concentrability.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/anchored.hpp"
#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

double product_without(std::span<const double> factors, std::size_t left_out) {
  double product = 1.0;
  for (std::size_t i = 0; i < factors.size(); ++i)
    if (i != left_out) product *= factors[i];
  return product;
}

void raise(double& largest, double weight, double frequency) {
  if (weight > 0.0) largest = std::max(largest, weight / frequency);
}

}  // namespace

Concentrability concentrability(std::span<const std::size_t> sizes, std::span<const double> reference,
                                std::span<const double> frequencies) {
  std::size_t num_profiles = 1, num_actions = 0;
  for (const std::size_t size : sizes) num_profiles *= size, num_actions += size;
  check(num_profiles > 0 && frequencies.size() == num_profiles,
        "concentrability: frequencies must have one entry a profile, ", num_profiles, " in all, got ",
        frequencies.size());
  check(reference.size() == num_actions, "concentrability: reference must have one entry an action, ", num_actions,
        " in all, got ", reference.size());
  std::vector<double> probabilities;
  for (const double log_reference : reference)  // -1 marks what is not available
    probabilities.push_back(is_available(log_reference) ? std::exp(log_reference) : -1.0);

  Concentrability found{0.0, std::vector<double>(sizes.size(), 0.0)};
  std::vector<double> played(sizes.size());
  for (std::size_t profile = 0; profile < num_profiles; ++profile) {
    std::size_t rest = profile, end = num_actions;
    bool is_playable = true;
    for (std::size_t player = sizes.size(); player-- > 0; rest /= sizes[player]) {
      end -= sizes[player];
      played[player] = probabilities[end + rest % sizes[player]];
      is_playable &= played[player] >= 0.0;
    }
    if (!is_playable) continue;
    const double frequency = frequencies[profile];
    raise(found.joint, product_without(played, played.size()), frequency);
    for (std::size_t player = 0; player < sizes.size(); ++player)
      raise(found.unilateral[player], product_without(played, player), frequency);
  }
  return found;
}

}  // namespace coffee_fast
