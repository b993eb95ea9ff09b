#pragma once

#include <cstddef>

#include "adam_step.hpp"
#include "coffee_fast/layer_shape.hpp"

namespace coffee_fast {

/// What one forward and backward pass reads and writes, as bare pointers: the units of the instruction sets share it.
struct TrainedNetworkPass {
  const LayerShape* shapes;
  std::size_t num_layers;
  const float* parameters;
  std::size_t num_rows, padded_rows;  ///< padded to whole panels of 16
  const float* inputs;
  std::size_t input_stride;
  float* const* activations;  ///< [layers]: [padded_rows, padded outputs]
  float* const* gradients;    ///< [layers]: of the loss by them; of the last one, rows and columns beyond its own are 0
  float *output_gradient, *input_gradient;  ///< of the layer at hand, the batch in panels
  float* gradient;                          ///< of the loss by the parameters
};

struct TrainedNetworkKernels {
  void (*forward)(const TrainedNetworkPass& pass);
  void (*backward)(const TrainedNetworkPass& pass);
  /// Steps against the sum of `count` gradients of `size`, which is left in the first.
  void (*adam)(const AdamStep& step, float* gradients, std::size_t size, std::size_t count);
};

extern const TrainedNetworkKernels trained_network_portable;
#if defined(__x86_64__)
extern const TrainedNetworkKernels trained_network_avx2, trained_network_avx512;
#elif defined(__aarch64__)
extern const TrainedNetworkKernels trained_network_neon;
#endif

}  // namespace coffee_fast
