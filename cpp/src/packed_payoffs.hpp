#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/payoff_table.hpp"

namespace coffee_fast {

/// One player's payoffs laid out for deviation payoffs: the others' axes lead, in order of player, and its own axis
/// comes last, padded to whole blocks of eight with zeros. Averaging over one opponent is then a weighted sum of rows.
class PackedPayoffs {
 public:
  PackedPayoffs(const PayoffTable& table, std::size_t player, OverMembers over_members);

  std::size_t padded_size() const { return padded_size_; }
  /// Multiply-adds of one evaluation.
  std::size_t work() const { return values_.size(); }

  /// The deviation payoffs against the others' mixtures, `opponents` in order of player. The result has padded_size
  /// entries and stays valid until the next call.
  const double* evaluate(std::span<const double* const> opponents);

 private:
  std::size_t padded_size_;
  std::vector<std::size_t> opponent_sizes_;
  std::vector<double> values_;
  std::vector<double> sums_, next_sums_;
};

}  // namespace coffee_fast
