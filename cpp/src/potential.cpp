#include "coffee_fast/potential.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace coffee_fast {
namespace {

/// Calls visit(first, stride) for each line of profiles along an axis: its entries are first + a * stride.
template <class Visit>
void for_each_line(const StageGame& game, std::size_t axis, const Visit& visit) {
  const std::size_t num_profiles = game.payoffs(0).size(), size = game.size(axis);
  std::size_t stride = 1;
  for (std::size_t later = axis + 1; later < game.num_axes(); ++later) stride *= game.size(later);
  for (std::size_t block = 0; block < num_profiles; block += size * stride)
    for (std::size_t inner = 0; inner < stride; ++inner) visit(block + inner, stride);
}

/// The payoffs of the player of each axis; the other's of a symmetric game are those of the first, transposed.
std::vector<std::vector<double>> tables_of(const StageGame& game) {
  std::vector<std::vector<double>> tables;
  for (std::size_t mixture = 0; mixture < game.num_mixtures(); ++mixture)
    tables.emplace_back(game.payoffs(mixture).begin(), game.payoffs(mixture).end());
  if (game.num_mixtures() < game.num_axes()) {
    const std::size_t size = game.size(0);
    std::vector<double> transposed(size * size);
    for (std::size_t r = 0; r < size; ++r)
      for (std::size_t c = 0; c < size; ++c) transposed[r * size + c] = tables[0][c * size + r];
    tables.push_back(std::move(transposed));
  }
  return tables;
}

/// Leaves of `values` what depends on exactly the players of a subset (one bit each): centered over their actions,
/// averaged over the others'.
void keep_part(const StageGame& game, std::size_t subset, std::span<double> values) {
  for (std::size_t axis = 0; axis < game.num_axes(); ++axis) {
    const std::size_t size = game.size(axis);
    const bool is_in_subset = subset >> axis & 1;
    for_each_line(game, axis, [&](std::size_t first, std::size_t stride) {
      double mean = 0.0;
      for (std::size_t a = 0; a < size; ++a) mean += values[first + a * stride];
      mean /= static_cast<double>(size);
      for (std::size_t a = 0; a < size; ++a) {
        double& value = values[first + a * stride];
        value = is_in_subset ? value - mean : mean;
      }
    });
  }
}

}  // namespace

NearestPotential nearest_potential(const StageGame& game) {
  const std::vector<std::vector<double>> tables = tables_of(game);
  NearestPotential found{std::vector<double>(tables[0].size(), 0.0), 0.0};
  std::vector<double> part;
  for (std::size_t subset = 1; subset < std::size_t{1} << tables.size(); ++subset) {
    part.assign(found.potential.size(), 0.0);
    double total = 0.0;
    for (std::size_t player = 0; player < tables.size(); ++player)
      if (subset >> player & 1) {
        const auto weight = static_cast<double>(game.size(player));
        total += weight;
        for (std::size_t profile = 0; profile < part.size(); ++profile)
          part[profile] += weight * tables[player][profile];
      }
    keep_part(game, subset, part);
    for (std::size_t profile = 0; profile < part.size(); ++profile) found.potential[profile] += part[profile] / total;
  }
  for (std::size_t player = 0; player < tables.size(); ++player)
    for_each_line(game, player, [&](std::size_t first, std::size_t stride) {
      double lowest = tables[player][first] - found.potential[first], highest = lowest;
      for (std::size_t a = 1; a < game.size(player); ++a) {
        const double rest = tables[player][first + a * stride] - found.potential[first + a * stride];
        lowest = std::min(lowest, rest);
        highest = std::max(highest, rest);
      }
      found.distance = std::max(found.distance, highest - lowest);
    });
  return found;
}

}  // namespace coffee_fast
