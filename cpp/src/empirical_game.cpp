#include "coffee_fast/empirical_game.hpp"

#include "coffee_fast/rng.hpp"

namespace coffee_fast {

std::uint64_t profile_key(std::span<const std::int32_t> profile) {
  std::uint64_t key = profile.size();
  for (const std::int32_t strategy : profile) key = mix64(key ^ static_cast<std::uint64_t>(strategy));
  return key;
}

}  // namespace coffee_fast
