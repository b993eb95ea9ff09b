#pragma once

#include <cstddef>

namespace coffee_fast {

/// Weights are packed in panels of this many outputs, [outputs / panel_width][inputs][panel_width], zeros after the
/// last output; the bias likewise. The same layout for every instruction set.
inline constexpr std::size_t panel_width = 16;

/// One packed layer applied to a block of one row or more: outputs = max(floor, bias + inputs weights^T), or, where it
/// computes products, each panel's first half of bias + inputs weights^T times its second.
struct AffineBlock {
  const float* inputs;
  std::size_t input_stride;
  std::size_t num_rows;
  const float* weights;
  const float* bias;
  std::size_t num_inputs;
  float* outputs;
  std::size_t output_stride;
  std::size_t num_outputs;  ///< columns to store
  float floor;              ///< 0 for a ReLU, minus infinity for none; of no concern to products
  bool computes_products;   ///< half as many outputs as panels have columns
};

/// What each instruction set's translation unit provides.
struct MlpKernels {
  void (*affine)(const AffineBlock& block);
  /// As many fused multiply-adds as the registers can start without waiting for each other, `num_rounds` times.
  float (*fma_chains)(std::size_t num_rounds);
  std::size_t flops_per_round;
};

extern const MlpKernels mlp_kernels_portable;
#if defined(__x86_64__)
extern const MlpKernels mlp_kernels_avx2;
extern const MlpKernels mlp_kernels_avx512;
#elif defined(__aarch64__)
extern const MlpKernels mlp_kernels_neon;
#endif

/// Those of active_isa().
const MlpKernels& active_mlp_kernels();

}  // namespace coffee_fast
