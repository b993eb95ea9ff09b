#include "packed_payoffs.hpp"

#include <utility>

#include "mixture_kernels.hpp"
#include "padded_mixture.hpp"

namespace coffee_fast {

PackedPayoffs::PackedPayoffs(const ProfileIndex& profiles, std::size_t player, const std::vector<double>& payoffs) {
  // In row-major order the axes before and after the own one are two loops around it.
  std::size_t before = 1, after = 1;
  for (std::size_t axis = 0; axis < profiles.num_players(); ++axis) {
    const std::size_t size = profiles.num_strategies()[axis];
    if (axis < player) before *= size;
    if (axis > player) after *= size;
    if (axis != player) opponent_sizes_.push_back(size);
  }
  const std::size_t own_size = profiles.num_strategies()[player];
  const std::size_t padded_size = padded_to_lanes(own_size);
  values_.assign(before * after * padded_size, 0.0);
  for (std::size_t i = 0; i < before; ++i)
    for (std::size_t own = 0; own < own_size; ++own)
      for (std::size_t j = 0; j < after; ++j)
        values_[(i * after + j) * padded_size + own] = payoffs[(i * own_size + own) * after + j];
}

const double* PackedPayoffs::evaluate(std::span<const double* const> opponents, Workspace& workspace) const {
  const double* current = values_.data();
  std::size_t size = values_.size();
  for (std::size_t k = 0; k < opponent_sizes_.size(); ++k) {
    size /= opponent_sizes_[k];
    workspace.next_sums.resize(size);
    mixture_kernels().weighted_row_sum(current, opponents[k], opponent_sizes_[k], size, workspace.next_sums.data());
    std::swap(workspace.sums, workspace.next_sums);
    current = workspace.sums.data();
  }
  return current;
}

}  // namespace coffee_fast
