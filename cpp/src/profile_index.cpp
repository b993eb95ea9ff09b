#include "coffee_fast/profile_index.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

/// binomial(n, k) as a product whose every prefix is itself a binomial, hence a whole number.
std::size_t binomial(std::size_t n, std::size_t k) {
  if (k > n) return 0;
  std::size_t value = 1;
  for (std::size_t i = 1; i <= k; ++i) value = value * (n - k + i) / i;
  return value;
}

}  // namespace

ProfileIndex::ProfileIndex(std::vector<std::size_t> num_strategies) : num_strategies_(std::move(num_strategies)) {
  check(!num_strategies_.empty(), "ProfileIndex: num_strategies must name at least one player");
  for (std::size_t player = 0; player < num_strategies_.size(); ++player) {
    const std::size_t count = num_strategies_[player];
    check(count >= 1, "ProfileIndex: player ", player, " must have at least one strategy");
    check(num_profiles_ <= std::numeric_limits<std::size_t>::max() / 64 / count, "ProfileIndex: too many profiles");
    num_profiles_ *= count;
  }
}

std::size_t ProfileIndex::index(std::span<const std::size_t> profile) const {
  check(profile.size() == num_players(), "ProfileIndex: profile must name ", num_players(), " strategies, got ",
        profile.size());
  std::size_t index = 0;
  for (std::size_t player = 0; player < profile.size(); ++player) {
    check(profile[player] < num_strategies_[player], "ProfileIndex: strategy of player ", player, " must be below ",
          num_strategies_[player], ", got ", profile[player]);
    index = index * num_strategies_[player] + profile[player];
  }
  return index;
}

std::vector<std::size_t> ProfileIndex::profile(std::size_t index) const {
  check(index < num_profiles_, "ProfileIndex: index must be below ", num_profiles_, ", got ", index);
  std::vector<std::size_t> profile(num_players());
  for (std::size_t player = num_players(); player-- > 0;) {
    profile[player] = index % num_strategies_[player];
    index /= num_strategies_[player];
  }
  return profile;
}

std::size_t symmetric_orbit(std::span<const std::size_t> profile) {
  std::vector<std::size_t> sorted(profile.begin(), profile.end());
  std::sort(sorted.begin(), sorted.end());
  std::size_t orbit = 0;
  for (std::size_t place = 0; place < sorted.size(); ++place) orbit += binomial(sorted[place] + place, place + 1);
  return orbit;
}

std::size_t num_symmetric_orbits(std::size_t num_players, std::size_t num_strategies) {
  return binomial(num_strategies + num_players - 1, num_players);
}

}  // namespace coffee_fast
