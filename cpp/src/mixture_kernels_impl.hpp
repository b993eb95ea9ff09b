#pragma once

// The kernels of mixture_kernels.hpp, written once. Each mixture_kernels_<isa>.cpp includes this file and compiles it
// with its own flags.

#include "lanes.hpp"
#include "mixture_kernels.hpp"

namespace coffee_fast {
namespace {

/// Columns [column, column + num_blocks * 8) of the weighted sum of rows, kept in registers from first row to last.
template <std::size_t num_blocks>
void weighted_row_sum_of(const double* rows, const double* weights, std::size_t num_rows, std::size_t row_size,
                         double* out) {
  Lanes sums[num_blocks];
  for (Lanes& sum : sums) sum = broadcast(0.0);
  for (std::size_t row = 0; row < num_rows; ++row) {
    const Lanes weight = broadcast(weights[row]);
#pragma GCC unroll 16
    for (std::size_t block = 0; block < num_blocks; ++block)
      sums[block] = sums[block] + weight * load(rows + row * row_size + block * num_lanes);
  }
#pragma GCC unroll 16
  for (std::size_t block = 0; block < num_blocks; ++block) store(out + block * num_lanes, sums[block]);
}

void weighted_row_sum(const double* rows, const double* weights, std::size_t num_rows, std::size_t row_size,
                      double* out) {
  constexpr std::size_t most_blocks = lanes_per_register == 8 ? 8 : lanes_per_register == 4 ? 6 : 3;
  for (std::size_t column = 0; column < row_size;) {
    const std::size_t blocks_left = (row_size - column) / num_lanes;
    const std::size_t num_blocks = blocks_left < most_blocks ? blocks_left : most_blocks;
    switch (num_blocks) {
#define COFFEE_FAST_CASE(count)                                                             \
  case count:                                                                               \
    if constexpr (count <= most_blocks)                                                     \
      weighted_row_sum_of<count>(rows + column, weights, num_rows, row_size, out + column); \
    break;
      COFFEE_FAST_CASE(1)
      COFFEE_FAST_CASE(2)
      COFFEE_FAST_CASE(3)
      COFFEE_FAST_CASE(4)
      COFFEE_FAST_CASE(5)
      COFFEE_FAST_CASE(6)
      COFFEE_FAST_CASE(7)
      COFFEE_FAST_CASE(8)
#undef COFFEE_FAST_CASE
    }
    column += num_blocks * num_lanes;
  }
}

double dot(const double* a, const double* b, std::size_t padded_size) {
  Lanes sum = broadcast(0.0);
  for (std::size_t i = 0; i < padded_size; i += num_lanes) sum = sum + load(a + i) * load(b + i);
  return sum_of_lanes(sum);
}

/// Michelot's projection (simplex.hpp) of x.scratch, started from the shift of the call before.
///
/// The sum of max(y - shift, 0) is convex and falls with the shift, so the first Newton step from any shift lands at or
/// below the one wanted, and further steps only rise: each drops entries from the set above the shift, and the answer
/// stands when the shift does. Entries are taken relative to the largest, so huge ones lose nothing by cancellation.
void project(PaddedMixture& x) {
  Lanes largest = broadcast(padding_barrier);
  for (std::size_t i = 0; i < x.padded_size; i += num_lanes) {
    const Lanes y = load(x.scratch + i) + load(x.barrier + i) - load(x.floor + i);
    store(x.scratch + i, y);
    largest = larger(largest, y);
  }
  const Lanes top = broadcast(largest_of_lanes(largest));
  for (std::size_t i = 0; i < x.padded_size; i += num_lanes) store(x.scratch + i, load(x.scratch + i) - top);

  double shift = x.shift;
  for (bool is_first = true;; is_first = false) {
    const Lanes bound = broadcast(shift);
    Lanes sum = broadcast(0.0), count = broadcast(0.0);
    for (std::size_t i = 0; i < x.padded_size; i += num_lanes) {
      const Lanes y = load(x.scratch + i);
      sum = sum + where_greater(y, bound, y, broadcast(0.0));
      count = count + where_greater(y, bound, broadcast(1.0), broadcast(0.0));
    }
    const double next = (sum_of_lanes(sum) - x.mass) / sum_of_lanes(count);
    if (!is_first && next <= shift) break;
    shift = next;
  }
  x.shift = shift;

  const Lanes bound = broadcast(shift);
  for (std::size_t i = 0; i < x.padded_size; i += num_lanes)
    store(x.probabilities + i, load(x.floor + i) + larger(load(x.scratch + i) - bound, broadcast(0.0)));
}

/// x_a += dt x_a (u_a - x . u)
void replicator_step(PaddedMixture& x, const double* payoffs, double step_size) {
  const Lanes expected = broadcast(dot(x.probabilities, payoffs, x.padded_size));
  for (std::size_t i = 0; i < x.padded_size; i += num_lanes) {
    const Lanes p = load(x.probabilities + i);
    store(x.scratch + i, p + broadcast(step_size) * p * (load(payoffs + i) - expected));
  }
  project(x);
}

/// x_a += dt x_a (UBDP_a - UBDR_a), UBDP_a = o_a - x . q, UBDR_a = max_{b != a} o_b - q_a
void robust_replicator_step(PaddedMixture& x, const double* optimistic, const double* pessimistic, double step_size) {
  TopTwo top{broadcast(padding_barrier), broadcast(padding_barrier)};
  for (std::size_t i = 0; i < x.padded_size; i += num_lanes)
    top = merge(top, {load(optimistic + i) + load(x.barrier + i), broadcast(padding_barrier)});
  top = top_two_of_lanes(top);

  const Lanes expected = broadcast(dot(x.probabilities, pessimistic, x.padded_size));
  for (std::size_t i = 0; i < x.padded_size; i += num_lanes) {
    const Lanes p = load(x.probabilities + i), o = load(optimistic + i), q = load(pessimistic + i);
    const Lanes best_other = where_greater(top.first, o, top.first, top.second);
    const Lanes upper_deviation_payoff = o - expected;
    const Lanes upper_deviating_regret = best_other - q;
    store(x.scratch + i, p + broadcast(step_size) * p * (upper_deviation_payoff - upper_deviating_regret));
  }
  project(x);
}

double regret(const PaddedMixture& x, const double* optimistic, const double* pessimistic) {
  Lanes best = broadcast(padding_barrier);
  for (std::size_t i = 0; i < x.padded_size; i += num_lanes)
    best = larger(best, load(optimistic + i) + load(x.barrier + i));
  const double regret = largest_of_lanes(best) - dot(x.probabilities, pessimistic, x.padded_size);
  return regret > 0.0 ? regret : 0.0;
}

}  // namespace
}  // namespace coffee_fast
