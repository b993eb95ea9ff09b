#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/aligned.hpp"
#include "coffee_fast/profile_index.hpp"

namespace coffee_fast {

/// One player's payoffs laid out for deviation payoffs: the others' axes lead, in order of player, and its own axis
/// comes last, padded to whole blocks of eight with zeros. Averaging over one opponent is then a weighted sum of rows.
class PackedPayoffs {
 public:
  /// Scratch of one evaluation, and the place of its result.
  struct Workspace {
    AlignedVector<double> sums, next_sums;
  };

  /// `payoffs` [S1, ..., Sn] of `player`.
  PackedPayoffs(const ProfileIndex& profiles, std::size_t player, const std::vector<double>& payoffs);

  /// Multiply-adds of one evaluation.
  std::size_t work() const { return values_.size(); }

  /// The deviation payoffs against the others' mixtures, `opponents` in order of player: padded like the own axis,
  /// good until the workspace is used again.
  const double* evaluate(std::span<const double* const> opponents, Workspace& workspace) const;

 private:
  std::vector<std::size_t> opponent_sizes_;
  AlignedVector<double> values_;
};

}  // namespace coffee_fast
