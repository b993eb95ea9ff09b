#include "packed_payoffs.hpp"

#include <utility>

#include "mixture_kernels.hpp"
#include "padded_mixture.hpp"

namespace coffee_fast {

PackedPayoffs::PackedPayoffs(const PayoffTable& table, std::size_t player, OverMembers over_members)
    : padded_size_(padded_to_lanes(table.num_strategies(player))) {
  const ProfileIndex& profiles = table.profiles();
  const bool is_transposed = table.is_symmetric() && player == 1;  // only player 0's payoffs are stored
  const std::vector<double> payoffs = table.combined_payoffs(is_transposed ? 0 : player, over_members);
  const std::size_t own_axis = is_transposed ? 0 : player;

  // In row-major order the axes before and after the own one are two loops around it.
  std::size_t before = 1, after = 1;
  for (std::size_t axis = 0; axis < profiles.num_players(); ++axis) {
    const std::size_t size = profiles.num_strategies()[axis];
    if (axis < own_axis) before *= size;
    if (axis > own_axis) after *= size;
    if (axis != own_axis) opponent_sizes_.push_back(size);
  }
  const std::size_t own_size = table.num_strategies(player);
  values_.assign(before * after * padded_size_, 0.0);
  for (std::size_t i = 0; i < before; ++i)
    for (std::size_t own = 0; own < own_size; ++own)
      for (std::size_t j = 0; j < after; ++j)
        values_[(i * after + j) * padded_size_ + own] = payoffs[(i * own_size + own) * after + j];
}

const double* PackedPayoffs::evaluate(std::span<const double* const> opponents) {
  const double* current = values_.data();
  std::size_t size = values_.size();
  for (std::size_t k = 0; k < opponent_sizes_.size(); ++k) {
    size /= opponent_sizes_[k];
    next_sums_.resize(size);
    mixture_kernels().weighted_row_sum(current, opponents[k], opponent_sizes_[k], size, next_sums_.data());
    std::swap(sums_, next_sums_);
    current = sums_.data();
  }
  return current;
}

}  // namespace coffee_fast
