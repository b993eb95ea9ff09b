#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "coffee_fast/aligned.hpp"
#include "coffee_fast/check.hpp"
#include "mixture_kernels.hpp"

namespace coffee_fast {

inline std::size_t padded_to_lanes(std::size_t size) { return (size + 7) / 8 * 8; }

/// A PaddedMixture with its memory; starts uniform. Throws InvalidArgument for an impossible min_probability.
class OwnedMixture {
 public:
  OwnedMixture(std::size_t size, double min_probability) : size_(size), memory_(4 * padded_to_lanes(size), 0.0) {
    check(min_probability >= 0.0 && min_probability * static_cast<double>(size) <= 1.0,
          "min_probability must lie in [0, 1 / ", size, "], got ", min_probability);
    const std::size_t padded_size = padded_to_lanes(size);
    double* const probabilities = memory_.data();
    double* const floor = probabilities + padded_size;
    double* const barrier = floor + padded_size;
    std::fill_n(probabilities, size, 1.0 / static_cast<double>(size));
    std::fill_n(floor, size, min_probability);
    std::fill_n(barrier + size, padded_size - size, padding_barrier);
    // A floor that takes everything leaves a mass of zero, for which no entry would be above the shift.
    const double mass = std::max(1.0 - static_cast<double>(size) * min_probability, -1.0 / padding_barrier);
    padded_ = {padded_size, probabilities, floor, barrier, barrier + padded_size, mass, -mass};
  }
  OwnedMixture(const OwnedMixture&) = delete;
  OwnedMixture& operator=(const OwnedMixture&) = delete;
  OwnedMixture(OwnedMixture&&) = default;  // a moved vector keeps its memory, so the pointers stay good
  OwnedMixture& operator=(OwnedMixture&&) = default;

  std::size_t size() const { return size_; }
  PaddedMixture& padded() { return padded_; }
  const PaddedMixture& padded() const { return padded_; }
  std::vector<double> to_vector() const { return {padded_.probabilities, padded_.probabilities + size_}; }

 private:
  std::size_t size_;
  AlignedVector<double> memory_;
  PaddedMixture padded_;
};

}  // namespace coffee_fast
