#include "coffee_fast/mlp.hpp"

#include <algorithm>

#include "coffee_fast/check.hpp"

namespace coffee_fast {

Mlp::Mlp(std::span<const Layer> layers) {
  check(!layers.empty(), "Mlp: layers must not be empty");
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
