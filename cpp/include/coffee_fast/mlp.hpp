#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// A multilayer perceptron's forward pass in single precision: affine layers with a ReLU between them, linear output.
///
/// The weights are copied and packed at construction and never change. `forward` computes each output row from its
/// input row alone, with one fixed order of summation over inputs, so a row's result is the same in any batch.
/// Safe to share between threads; each thread brings its own Workspace.
class Mlp {
 public:
  /// One affine layer as torch.nn.Linear stores it: y = weights x + bias, weights [outputs, inputs], bias [outputs].
  struct Layer {
    MatrixView<const float> weights;
    std::span<const float> bias;
  };

  /// Scratch of one thread; grows to the largest batch seen and is reused.
  struct Workspace {
    std::vector<float> activations;
  };

  explicit Mlp(std::span<const Layer> layers);

  std::size_t input_size() const { return input_size_; }
  std::size_t output_size() const { return output_size_; }
  std::size_t num_parameters() const;

  /// outputs[b] = network(inputs[b]); inputs [B, input_size], outputs [B, output_size].
  void forward(MatrixView<const float> inputs, MatrixView<float> outputs, Workspace& workspace) const;

 private:
  struct PackedLayer {
    std::size_t inputs, outputs;
    std::vector<float> weights;  // [inputs][outputs]
    std::vector<float> bias;
  };
  std::size_t input_size_ = 0;
  std::size_t output_size_ = 0;
  std::vector<PackedLayer> layers_;
};

}  // namespace coffee_fast
