#include "coffee_fast/mlp.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "coffee_fast/check.hpp"
#include "coffee_fast/isa.hpp"
#include "mlp_kernels.hpp"

namespace coffee_fast {
namespace {

/// Rows that pass through all layers together: their activations stay in the L2 cache beside the weights.
constexpr std::size_t block_rows = 96;

constexpr std::size_t padded(std::size_t size) { return (size + panel_width - 1) / panel_width * panel_width; }

bool all_finite(std::span<const float> values) {
  std::uint32_t num_nonfinite = 0;  // counted without a branch, so that the compiler vectorizes the loop
  for (const float value : values) num_nonfinite += (std::bit_cast<std::uint32_t>(value) & 0x7f800000u) == 0x7f800000u;
  return num_nonfinite == 0;
}

void check_layers(std::span<const Mlp::Layer> layers) {
  check(!layers.empty(), "Mlp: layers must hold at least one layer, got none");
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto& [weights, bias] = layers[l];
    check(weights.rows > 0 && weights.columns > 0, "Mlp: weights of layer ", l, " must not be empty, got shape [",
          weights.rows, ", ", weights.columns, "]");
    check(bias.size() == weights.rows, "Mlp: bias of layer ", l, " must have shape [", weights.rows, "], got [",
          bias.size(), "]");
    check(l == 0 || weights.columns == layers[l - 1].weights.rows, "Mlp: weights of layer ", l, " must have shape [",
          weights.rows, ", ", l == 0 ? 0 : layers[l - 1].weights.rows, "], got [", weights.rows, ", ", weights.columns,
          "]");
    bool weights_finite = true;
    for (std::size_t output = 0; output < weights.rows; ++output) weights_finite &= all_finite(weights.row(output));
    check(weights_finite, "Mlp: weights of layer ", l, " must be finite, got NaN or infinity");
    check(all_finite(bias), "Mlp: bias of layer ", l, " must be finite, got NaN or infinity");
  }
}

/// `packed`, which holds zeros, in the panels of mlp_kernels.hpp.
void pack_panels(MatrixView<const float> weights, float* packed) {
  for (std::size_t output = 0; output < weights.rows; ++output) {
    const std::span<const float> row = weights.row(output);
    float* column = packed + output / panel_width * panel_width * weights.columns + output % panel_width;
    for (std::size_t input = 0; input < weights.columns; ++input) column[input * panel_width] = row[input];
  }
}

}  // namespace

const MlpKernels& active_mlp_kernels() {
  switch (active_isa()) {
#if defined(__x86_64__)
    case Isa::avx512:
      return mlp_kernels_avx512;
    case Isa::avx2:
      return mlp_kernels_avx2;
#endif
    default:
      return mlp_kernels_portable;
  }
}

Mlp::Mlp(std::span<const Layer> layers) {
  check_layers(layers);
  std::size_t size = 0;
  for (const Layer& layer : layers) {
    const MatrixView<const float>& weights = layer.weights;
    if (!layers_.empty()) padded_hidden_size_ = std::max(padded_hidden_size_, padded(weights.columns));
    const std::size_t bias = size + padded(weights.rows) * weights.columns;
    layers_.push_back({weights.columns, weights.rows, size, bias});
    size = bias + padded(weights.rows);
  }
  parameters_.resize(size);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    pack_panels(layers[l].weights, parameters_.data() + layers_[l].weights);
    std::copy(layers[l].bias.begin(), layers[l].bias.end(), parameters_.data() + layers_[l].bias);
  }
}

std::size_t Mlp::num_parameters() const {
  std::size_t count = 0;
  for (const PackedLayer& layer : layers_) count += (layer.num_inputs + 1) * layer.num_outputs;
  return count;
}

void Mlp::forward(MatrixView<const float> inputs, MatrixView<float> outputs, Workspace& workspace) const {
  check(inputs.columns == input_size(), "Mlp.forward: inputs must have shape [", inputs.rows, ", ", input_size(),
        "], got [", inputs.rows, ", ", inputs.columns, "]");
  check(outputs.rows == inputs.rows && outputs.columns == output_size(), "Mlp.forward: outputs must have shape [",
        inputs.rows, ", ", output_size(), "], got [", outputs.rows, ", ", outputs.columns, "]");
  const MlpKernels& kernels = active_mlp_kernels();
  const std::size_t num_blocks = (inputs.rows + block_rows - 1) / block_rows;
  const std::size_t buffer_size = std::min(inputs.rows, block_rows) * padded_hidden_size_;
  if (workspace.activations.size() < 2 * buffer_size) workspace.activations.resize(2 * buffer_size);

  for (std::size_t b = 0; b < num_blocks; ++b) {
    const std::size_t first = b * inputs.rows / num_blocks;
    const std::size_t num_rows = (b + 1) * inputs.rows / num_blocks - first;
    MatrixView<const float> current = inputs.middle_rows(first, num_rows);
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const PackedLayer& layer = layers_[l];
      const bool is_last = l + 1 == layers_.size();
      const std::size_t size = padded(layer.num_outputs);  // hidden rows are stored with their padding, never read
      float* buffer = workspace.activations.data() + l % 2 * buffer_size;
      const MatrixView<float> next =
          is_last ? outputs.middle_rows(first, num_rows) : MatrixView<float>(buffer, num_rows, size);
      kernels.affine({.inputs = current.data,
                      .input_stride = current.stride,
                      .num_rows = num_rows,
                      .weights = parameters_.data() + layer.weights,
                      .bias = parameters_.data() + layer.bias,
                      .num_inputs = layer.num_inputs,
                      .outputs = next.data,
                      .output_stride = next.stride,
                      .num_outputs = next.columns,
                      .floor = is_last ? -std::numeric_limits<float>::infinity() : 0.0f});
      current = next;
    }
  }
}

}  // namespace coffee_fast
