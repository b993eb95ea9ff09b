#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace coffee_fast {

/// Numbers the pure profiles of a game row-major: the last player's strategy moves fastest, as in a C-ordered array.
class ProfileIndex {
 public:
  /// Throws InvalidArgument unless there is a player, each has a strategy and the count fits a std::size_t.
  explicit ProfileIndex(std::vector<std::size_t> num_strategies);

  std::size_t num_players() const { return num_strategies_.size(); }
  std::size_t num_profiles() const { return num_profiles_; }
  const std::vector<std::size_t>& num_strategies() const { return num_strategies_; }

  std::size_t index(std::span<const std::size_t> profile) const;
  std::vector<std::size_t> profile(std::size_t index) const;

 private:
  std::vector<std::size_t> num_strategies_;
  std::size_t num_profiles_ = 1;
};

/// The number of a symmetric orbit: the profiles that are one multiset of strategies share it. Orbits are numbered in
/// colexicographic order, so adding a strategy to the game only appends orbits. Of the pair a <= b: b(b+1)/2 + a.
std::size_t symmetric_orbit(std::span<const std::size_t> profile);

/// The number of orbits of `num_players` players with `num_strategies` strategies each.
std::size_t num_symmetric_orbits(std::size_t num_players, std::size_t num_strategies);

}  // namespace coffee_fast
