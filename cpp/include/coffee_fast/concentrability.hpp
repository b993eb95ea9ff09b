#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace coffee_fast {

/// How far a data distribution covers a reference; infinite where it does not.
struct Concentrability {
  double joint = 0.0;              ///< largest prod_i ref_i(a_i) / mu(a)
  std::vector<double> unilateral;  ///< of each player i: largest ref_-i(a_-i) / mu(a), as only i leaves the reference
};

/// Concentrability of a game of `sizes` actions a player. `reference` holds the players' log-probabilities one after
/// another and `frequencies` is mu, [A_1, ..., A_n] row-major. Profiles in which an action is not available do not
/// count, nor do those whose reference probability is zero in double precision.
Concentrability concentrability(std::span<const std::size_t> sizes, std::span<const double> reference,
                                std::span<const double> frequencies);

}  // namespace coffee_fast
