#include "coffee_fast/mlp.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <utility>

#include "coffee_fast/check.hpp"
#include "coffee_fast/isa.hpp"
#include "mlp_kernels.hpp"

namespace coffee_fast {
namespace {

/// Rows that pass through all layers together: their activations stay in the L2 cache beside the weights. A multiple of
/// the tallest tiles' heights, 6 and 14.
constexpr std::size_t block_rows = 84;

constexpr float no_floor = -std::numeric_limits<float>::infinity();

constexpr std::size_t padded(std::size_t size) { return (size + panel_width - 1) / panel_width * panel_width; }

bool all_finite(std::span<const float> values) {
  std::uint32_t num_nonfinite = 0;  // counted without a branch, so that the compiler vectorizes the loop
  for (const float value : values) num_nonfinite += (std::bit_cast<std::uint32_t>(value) & 0x7f800000u) == 0x7f800000u;
  return num_nonfinite == 0;
}

void check_layers(std::span<const Mlp::Layer> layers, Activation activation) {
  check(!layers.empty(), "Mlp: layers must hold at least one layer, got none");
  const bool is_product = activation == Activation::product;
  std::size_t num_inputs = layers.front().weights.columns;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto& [weights, bias] = layers[l];
    check(weights.rows > 0 && weights.columns > 0, "Mlp: weights of layer ", l, " must not be empty, got shape [",
          weights.rows, ", ", weights.columns, "]");
    check(bias.size() == weights.rows, "Mlp: bias of layer ", l, " must have shape [", weights.rows, "], got [",
          bias.size(), "]");
    check(weights.columns == num_inputs, "Mlp: weights of layer ", l, " must have shape [", weights.rows, ", ",
          num_inputs, "], got [", weights.rows, ", ", weights.columns, "]");
    check(!is_product || l + 1 == layers.size() || weights.rows % 2 == 0, "Mlp: weights of product layer ", l,
          " must have two rows for each of its outputs, got ", weights.rows, " rows");
    bool weights_finite = true;
    for (std::size_t output = 0; output < weights.rows; ++output) weights_finite &= all_finite(weights.row(output));
    check(weights_finite, "Mlp: weights of layer ", l, " must be finite, got NaN or infinity");
    check(all_finite(bias), "Mlp: bias of layer ", l, " must be finite, got NaN or infinity");
    num_inputs = is_product ? num_inputs + weights.rows / 2 : weights.rows;
  }
}

/// Columns of the panels in the order of `outputs`. Panels of products hold a half each of U's and of G's rows.
std::size_t packed_column(std::size_t output, std::size_t num_outputs, bool computes_products) {
  if (!computes_products) return output;
  constexpr std::size_t half = panel_width / 2;
  const std::size_t product = output % (num_outputs / 2);
  return product / half * panel_width + product % half + (product == output ? 0 : half);
}

/// The panels of mlp_kernels.hpp; they and the bias hold zeros.
void pack(const Mlp::Layer& layer, bool computes_products, float* panels, float* bias) {
  const MatrixView<const float>& weights = layer.weights;
  for (std::size_t output = 0; output < weights.rows; ++output) {
    const std::size_t column = packed_column(output, weights.rows, computes_products);
    const std::span<const float> row = weights.row(output);
    float* target = panels + column / panel_width * panel_width * weights.columns + column % panel_width;
    for (std::size_t input = 0; input < weights.columns; ++input) target[input * panel_width] = row[input];
    bias[column] = layer.bias[output];
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
#elif defined(__aarch64__)
    case Isa::neon:
      return mlp_kernels_neon;
#endif
    default:
      return mlp_kernels_portable;
  }
}

Mlp::Mlp(std::span<const Layer> layers, Activation activation) : activation_(activation) {
  check_layers(layers, activation);
  std::size_t size = 0;
  for (const Layer& layer : layers) {
    const auto [rows, columns] = std::pair(layer.weights.rows, layer.weights.columns);
    const bool computes_products = activation == Activation::product && layers_.size() + 1 < layers.size();
    const std::size_t bias = size + padded(rows) * columns;
    layers_.push_back({columns, computes_products ? rows / 2 : rows, size, bias, computes_products});
    size = bias + padded(rows);
  }
  parameters_.resize(size);
  for (std::size_t l = 0; l < layers.size(); ++l)
    pack(layers[l], layers_[l].computes_products, parameters_.data() + layers_[l].weights,
         parameters_.data() + layers_[l].bias);
  for (std::size_t l = 0; l + 1 < layers.size(); ++l)
    padded_hidden_size_ = std::max(padded_hidden_size_, padded(layers_[l].num_outputs));
}

std::size_t Mlp::num_parameters() const {
  std::size_t count = 0;
  for (const PackedLayer& layer : layers_)
    count += (layer.num_inputs + 1) * layer.num_outputs * (layer.computes_products ? 2 : 1);
  return count;
}

void Mlp::forward(MatrixView<const float> inputs, MatrixView<float> outputs, Workspace& workspace) const {
  check(inputs.columns == input_size(), "Mlp.forward: inputs must have shape [", inputs.rows, ", ", input_size(),
        "], got [", inputs.rows, ", ", inputs.columns, "]");
  check(outputs.rows == inputs.rows && outputs.columns == output_size(), "Mlp.forward: outputs must have shape [",
        inputs.rows, ", ", output_size(), "], got [", outputs.rows, ", ", outputs.columns, "]");
  const bool is_relu = activation_ == Activation::relu;
  const std::size_t row_size = is_relu ? 2 * padded_hidden_size_ : padded(layers_.back().num_inputs);
  const std::size_t buffer_size = std::min(inputs.rows, block_rows) * row_size;
  if (workspace.activations.size() < buffer_size) workspace.activations.resize(buffer_size);

  for (std::size_t first = 0; first < inputs.rows; first += block_rows) {
    const std::size_t num_rows = std::min(block_rows, inputs.rows - first);
    const auto forward_block = is_relu ? &Mlp::forward_relu : &Mlp::forward_product;
    (this->*forward_block)(inputs.middle_rows(first, num_rows), outputs.middle_rows(first, num_rows),
                           workspace.activations.data());
  }
}

/// Two buffers take turns; hidden rows are stored with their padding, which is never read.
void Mlp::forward_relu(MatrixView<const float> inputs, MatrixView<float> outputs, float* buffer) const {
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    const MatrixView<float> next(buffer + l % 2 * inputs.rows * padded_hidden_size_, inputs.rows,
                                 padded(layers_[l].num_outputs));
    apply(layers_[l], inputs, next, 0.0f);
    inputs = next;
  }
  apply(layers_.back(), inputs, outputs, no_floor);
}

/// The buffer's rows are what the last layer takes: first the inputs are put at their ends, then each layer's values in
/// front of what it took.
void Mlp::forward_product(MatrixView<const float> inputs, MatrixView<float> outputs, float* buffer) const {
  const std::size_t num_columns = layers_.back().num_inputs;
  const auto columns = [&](std::size_t first, std::size_t count) {
    return MatrixView<float>(buffer + first, inputs.rows, count, padded(num_columns));
  };
  std::size_t first = num_columns - inputs.columns;
  for (std::size_t row = 0; row < inputs.rows; ++row)
    std::copy_n(inputs.row(row).data(), inputs.columns, columns(first, inputs.columns).row(row).data());
  for (std::size_t l = 0; l + 1 < layers_.size(); ++l) {
    const PackedLayer& layer = layers_[l];
    apply(layer, columns(first, layer.num_inputs), columns(first - layer.num_outputs, layer.num_outputs), no_floor);
    first -= layer.num_outputs;
  }
  apply(layers_.back(), columns(0, num_columns), outputs, no_floor);
}

void Mlp::apply(const PackedLayer& layer, MatrixView<const float> inputs, MatrixView<float> outputs,
                float floor) const {
  active_mlp_kernels().affine({.inputs = inputs.data,
                               .input_stride = inputs.stride,
                               .num_rows = inputs.rows,
                               .weights = parameters_.data() + layer.weights,
                               .bias = parameters_.data() + layer.bias,
                               .num_inputs = layer.num_inputs,
                               .outputs = outputs.data,
                               .output_stride = outputs.stride,
                               .num_outputs = outputs.columns,
                               .floor = floor,
                               .computes_products = layer.computes_products});
}

}  // namespace coffee_fast
