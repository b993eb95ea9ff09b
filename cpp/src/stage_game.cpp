#include "coffee_fast/stage_game.hpp"

#include <algorithm>
#include <numeric>

#include "coffee_fast/check.hpp"

namespace coffee_fast {

StageGame::StageGame(std::vector<std::size_t> sizes, std::vector<std::vector<double>> payoffs)
    : sizes_(std::move(sizes)), payoffs_(std::move(payoffs)) {
  const std::size_t num_profiles = std::accumulate(sizes_.begin(), sizes_.end(), std::size_t{1}, std::multiplies<>());
  check(!sizes_.empty() && num_profiles > 0, "StageGame: every player must have an action");
  const bool is_symmetric = payoffs_.size() == 1 && sizes_.size() == 2 && sizes_[0] == sizes_[1];
  check(is_symmetric || payoffs_.size() == sizes_.size(), "StageGame: there must be one payoff table a player, ",
        sizes_.size(), " in all, or one for a symmetric game of two, got ", payoffs_.size());
  for (const std::vector<double>& table : payoffs_)
    check(table.size() == num_profiles, "StageGame: a payoff table must have ", num_profiles, " entries, got ",
          table.size());
  offsets_.push_back(0);
  for (std::size_t mixture = 0; mixture < payoffs_.size(); ++mixture)
    offsets_.push_back(offsets_.back() + sizes_[mixture]);
}

std::vector<double> StageGame::by_own_action(std::size_t mixture) const {
  const std::vector<double>& table = payoffs_[mixture];
  std::size_t stride = 1;  // from one own action to the next
  for (std::size_t axis = mixture + 1; axis < sizes_.size(); ++axis) stride *= sizes_[axis];
  std::vector<double> rows;
  rows.reserve(table.size());
  for (std::size_t a = 0; a < sizes_[mixture]; ++a)
    for (std::size_t block = a * stride; block < table.size(); block += sizes_[mixture] * stride)
      rows.insert(rows.end(), table.data() + block, table.data() + block + stride);
  return rows;
}

double StageGame::range(std::size_t mixture) const {
  const auto [lowest, highest] = std::minmax_element(payoffs_[mixture].begin(), payoffs_[mixture].end());
  return *highest - *lowest;
}

StageGame StageGame::centered(std::span<const double> divisor) const {
  std::vector<std::vector<double>> tables = payoffs_;
  for (std::size_t mixture = 0; mixture < tables.size(); ++mixture) {
    std::vector<double>& table = tables[mixture];
    const std::size_t own = sizes_[mixture];
    std::size_t stride = 1;  // from one own action to the next
    for (std::size_t axis = mixture + 1; axis < sizes_.size(); ++axis) stride *= sizes_[axis];
    for (std::size_t block = 0; block < table.size(); block += own * stride)
      for (std::size_t inner = 0; inner < stride; ++inner) {
        double* const column = table.data() + block + inner;
        double lowest = column[0], highest = column[0];
        for (std::size_t a = 1; a < own; ++a) {
          lowest = std::min(lowest, column[a * stride]);
          highest = std::max(highest, column[a * stride]);
        }
        const double middle = 0.5 * highest + 0.5 * lowest;
        for (std::size_t a = 0; a < own; ++a) column[a * stride] = (column[a * stride] - middle) / divisor[mixture];
      }
  }
  return StageGame(sizes_, std::move(tables));
}

void StageGame::deviation_payoffs(std::span<const double> probabilities, std::span<double> values) const {
  for (std::size_t mixture = 0; mixture < num_mixtures(); ++mixture)
    contract(mixture, mixture, mixture, probabilities, part(values, mixture));
}

void StageGame::pair_payoffs(std::size_t player, std::size_t axis, std::span<const double> probabilities,
                             std::span<double> pairs) const {
  if (player < axis) return contract(player, player, axis, probabilities, pairs);
  std::vector<double> transposed(pairs.size());
  contract(player, axis, player, probabilities, transposed);
  const std::size_t rows = sizes_[player], columns = sizes_[axis];
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) pairs[r * columns + c] = transposed[c * rows + r];
}

void StageGame::contract(std::size_t mixture, std::size_t keep, std::size_t also_keep,
                         std::span<const double> probabilities, std::span<double> out) const {
  std::span<const double> source = payoffs_[mixture];
  std::size_t inner = 1, outer = source.size(), which = 0;
  for (std::size_t axis = sizes_.size(); axis-- > 0;) {
    const std::size_t size = sizes_[axis];
    outer /= size;
    if (axis == keep || axis == also_keep) {
      inner *= size;
      continue;
    }
    const std::span<const double> weights = part(probabilities, owner(axis));
    std::vector<double>& target = scratch_[which];
    target.assign(outer * inner, 0.0);
    for (std::size_t o = 0; o < outer; ++o) {
      const double* const block = source.data() + o * size * inner;
      double* const sums = target.data() + o * inner;
      if (inner == 1) {
        double sum = 0.0;
        for (std::size_t a = 0; a < size; ++a) sum += block[a] * weights[a];
        sums[0] = sum;
      } else {
        for (std::size_t a = 0; a < size; ++a)
          for (std::size_t i = 0; i < inner; ++i) sums[i] += block[a * inner + i] * weights[a];
      }
    }
    source = target;
    which = 1 - which;
  }
  std::copy(source.begin(), source.end(), out.begin());
}

}  // namespace coffee_fast
