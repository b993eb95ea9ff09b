#pragma once

// The inner loops of projections, deviation payoffs and replicator dynamics. All sets compute the same bits.

#include <cstddef>
#include <limits>

namespace coffee_fast {

/// A mixture padded to whole blocks of eight with strategies that are never played.
struct PaddedMixture {
  std::size_t padded_size = 0;
  double* probabilities = nullptr;  // zero in the padding
  const double* floor = nullptr;    // the least probability allowed; zero in the padding
  const double* barrier = nullptr;  // zero, but a huge negative number in the padding
  double* scratch = nullptr;
  double mass = 1.0;   // what is left for the mixture above its floor
  double shift = 0.0;  // of the last projection: a good first guess for the next
};

/// Far below any payoff or probability that a kernel meets, and still far from overflow.
constexpr double padding_barrier = -1e300;

struct MixtureKernels {
  /// out[j] = sum over r of weights[r] * rows[r * row_size + j], added in order of r; row_size a multiple of eight.
  void (*weighted_row_sum)(const double* rows, const double* weights, std::size_t num_rows, std::size_t row_size,
                           double* out);
  /// One step of the replicator dynamics, and the projection.
  void (*replicator_step)(PaddedMixture& x, const double* payoffs, double step_size);
  /// One step of the robust replicator dynamics, and the projection.
  void (*robust_replicator_step)(PaddedMixture& x, const double* optimistic, const double* pessimistic,
                                 double step_size);
  /// max optimistic - x . pessimistic, never negative; the plain regret when both are the mean payoffs.
  double (*regret)(const PaddedMixture& x, const double* optimistic, const double* pessimistic);
  /// The projection of x.scratch, written to x.probabilities.
  void (*project)(PaddedMixture& x);
};

extern const MixtureKernels mixture_kernels_portable;
#if defined(__x86_64__)
extern const MixtureKernels mixture_kernels_avx2;
extern const MixtureKernels mixture_kernels_avx512;
#endif

/// The kernels of active_isa().
const MixtureKernels& mixture_kernels();

}  // namespace coffee_fast
