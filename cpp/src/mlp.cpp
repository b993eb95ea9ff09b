#include "coffee_fast/mlp.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

bool all_finite(std::span<const float> values) {
  std::uint32_t num_nonfinite = 0;  // counted without a branch, so that the compiler vectorises the loop
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

}  // namespace

Mlp::Mlp(std::span<const Layer> layers) {
  check_layers(layers);
  input_size_ = layers.front().weights.columns;
  output_size_ = layers.back().weights.rows;
  for (const Layer& layer : layers) {
    PackedLayer packed{layer.weights.columns, layer.weights.rows, {}, {layer.bias.begin(), layer.bias.end()}};
    packed.weights.resize(packed.inputs * packed.outputs);
    for (std::size_t output = 0; output < packed.outputs; ++output)
      for (std::size_t input = 0; input < packed.inputs; ++input)
        packed.weights[input * packed.outputs + output] = layer.weights(output, input);
    layers_.push_back(std::move(packed));
  }
}

std::size_t Mlp::num_parameters() const {
  std::size_t count = 0;
  for (const PackedLayer& layer : layers_) count += (layer.inputs + 1) * layer.outputs;
  return count;
}

void Mlp::forward(MatrixView<const float> inputs, MatrixView<float> outputs, Workspace&) const {
  check(inputs.columns == input_size_, "Mlp.forward: inputs must have shape [", inputs.rows, ", ", input_size_,
        "], got [", inputs.rows, ", ", inputs.columns, "]");
  check(outputs.rows == inputs.rows && outputs.columns == output_size_, "Mlp.forward: outputs must have shape [",
        inputs.rows, ", ", output_size_, "], got [", outputs.rows, ", ", outputs.columns, "]");
  std::vector<float> current, next;
  for (std::size_t row = 0; row < inputs.rows; ++row) {
    current.assign(inputs.row(row).begin(), inputs.row(row).end());
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      const PackedLayer& layer = layers_[l];
      next = layer.bias;
      for (std::size_t k = 0; k < layer.inputs; ++k)
        for (std::size_t n = 0; n < layer.outputs; ++n) next[n] += current[k] * layer.weights[k * layer.outputs + n];
      if (l + 1 < layers_.size())
        for (float& value : next) value = std::max(value, 0.0f);
      current.swap(next);
    }
    std::copy(current.begin(), current.end(), outputs.row(row).begin());
  }
}

}  // namespace coffee_fast
