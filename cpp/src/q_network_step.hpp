#pragma once

#include <cstddef>
#include <cstdint>

#include "adam_step.hpp"
#include "coffee_fast/layer_shape.hpp"

namespace coffee_fast {

/// Everything one gradient step reads and writes, as bare pointers: the units of the instruction sets share it.
struct QNetworkStep {
  const LayerShape* shapes;
  std::size_t num_layers;
  AdamStep adam;  ///< on the online network
  const float* target;

  std::size_t batch_size, padded_batch;  ///< padded to whole panels of 16
  std::size_t num_next;                  ///< transitions that are not final
  const std::int32_t* actions;
  const float* rewards;
  const std::int32_t* next_row;                 ///< [B]: where a transition's next state stands, -1 if final
  const std::uint8_t* const* next_legal_masks;  ///< [num_next] rows

  float discount;

  // workspace
  float* const* activations;                ///< [layers]: [B + num_next, width]; activations[0] are the stacked inputs
  float* const* target_activations;         ///< [layers]: [num_next, width]; [0] unused
  float* const* gradients;                  ///< [hidden layers]: [B, width]
  float *output_gradient, *input_gradient;  ///< of the layer at hand, the batch in panels
  std::size_t* legal_actions;               ///< [actions]
  float* next_values;
  float *last_gradient, *last_bias_gradient;  ///< zero between steps
};

float gradient_step_portable(const QNetworkStep& step);
#if defined(__x86_64__)
float gradient_step_avx2(const QNetworkStep& step);
float gradient_step_avx512(const QNetworkStep& step);
#elif defined(__aarch64__)
float gradient_step_neon(const QNetworkStep& step);
#endif

}  // namespace coffee_fast
