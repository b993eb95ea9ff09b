#pragma once

// The passes of TrainedNetwork, written once over the registers of simd.hpp and instantiated by each instruction set's
// unit. Nothing of std:: that the linker could share between the units is used here.

#include <cstddef>

#include "layer_kernel.hpp"
#include "trained_network_pass.hpp"

namespace coffee_fast {
namespace {

template <class V>
void forward(const TrainedNetworkPass& pass) {
  const float* inputs = pass.inputs;
  std::size_t stride = pass.input_stride;
  for (std::size_t l = 0; l < pass.num_layers; ++l) {
    const LayerShape& shape = pass.shapes[l];
    if (l + 1 < pass.num_layers)
      hidden_forward<V, true>(shape, pass.parameters, inputs, stride, pass.num_rows, pass.activations[l]);
    else
      hidden_forward<V, false>(shape, pass.parameters, inputs, stride, pass.num_rows, pass.activations[l]);
    inputs = pass.activations[l];
    stride = shape.padded_outputs;
  }
}

/// The gradient of a layer's weights, inputs^T output_gradient, and of its bias.
template <class V>
void parameter_gradient(const LayerShape& shape, const float* inputs, std::size_t input_stride,
                        const float* output_gradient, std::size_t num_rows, float* gradient) {
  const std::size_t stride = shape.padded_outputs;
  const Product product{inputs, 1, input_stride, 0, output_gradient, stride, panel_width, 1, num_rows};
  multiply<V>(product, shape.inputs, stride / panel_width, [=](std::size_t row, std::size_t panel) {
    float* const tile = gradient + shape.weights + (panel * shape.inputs + row) * panel_width;
    const std::size_t panel_size = shape.inputs * panel_width;
    return [=](std::size_t r, std::size_t column, typename V::Type sum) __attribute__((always_inline)) {
      V::store(tile + column / panel_width * panel_size + r * panel_width + column % panel_width, sum);
    };
  });
  for (std::size_t column = 0; column < stride; column += V::width) {
    auto sum = V::zero();
    for (std::size_t b = 0; b < num_rows; ++b) sum = V::add(sum, V::load(output_gradient + b * stride + column));
    V::store(gradient + shape.bias + column, sum);
  }
}

template <class V>
void backward(const TrainedNetworkPass& pass) {
  [[maybe_unused]] const DenormalsAreZero scope;
  for (std::size_t l = pass.num_layers; l-- > 0;) {
    const LayerShape& shape = pass.shapes[l];
    const float* const inputs = l == 0 ? pass.inputs : pass.activations[l - 1];
    const std::size_t stride = l == 0 ? pass.input_stride : pass.shapes[l - 1].padded_outputs;
    parameter_gradient<V>(shape, inputs, stride, pass.gradients[l], pass.num_rows, pass.gradient);
    if (l == 0) break;
    to_panels<V>(pass.gradients[l], pass.padded_rows, shape.padded_outputs, pass.output_gradient);
    hidden_backward<V>(shape, pass.parameters, pass.output_gradient, pass.padded_rows, pass.input_gradient);
    from_panels<V>(pass.input_gradient, pass.padded_rows, stride, inputs, pass.gradients[l - 1]);
  }
}

template <class V>
void adam(const AdamStep& step, float* gradients, std::size_t size, std::size_t count) {
  [[maybe_unused]] const DenormalsAreZero scope;
  const Adam<V> update(step);
  for (std::size_t i = 0; i < size; i += V::width) {
    auto sum = V::load(gradients + i);
    for (std::size_t pass = 1; pass < count; ++pass) sum = V::add(sum, V::load(gradients + pass * size + i));
    V::store(gradients + i, sum);
    update(i, sum);
  }
}

template <class V>
constexpr TrainedNetworkKernels make_trained_network_kernels() {
  return {&forward<V>, &backward<V>, &adam<V>};
}

}  // namespace
}  // namespace coffee_fast
