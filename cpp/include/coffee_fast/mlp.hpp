#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/aligned.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// What stands between the layers of a network.
enum class Activation {
  /// The next layer takes max(0, weights x + bias).
  relu,
  /// The rows of weights, and of bias, are those of U and then as many of G, and the next layer takes
  /// [(U x + b_U) * (G x + b_G), x]: the new values in front of all former ones, those of the network's input last.
  product,
};

/// A multilayer perceptron's forward pass in single precision: affine layers, an activation between them, linear
/// output.
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

  /// Scratch of one thread; grows to the largest batch seen (up to a fixed block of rows) and is reused.
  struct Workspace {
    AlignedVector<float> activations;
  };

  /// Checks that there is a layer, that each takes as many inputs as the one before gives, that product layers have
  /// pairs of rows, and that all is finite. Costs a copy of the weights: some 25 microseconds for 7e4 parameters.
  explicit Mlp(std::span<const Layer> layers, Activation activation = Activation::relu);

  Activation activation() const { return activation_; }
  std::size_t input_size() const { return layers_.front().num_inputs; }
  std::size_t output_size() const { return layers_.back().num_outputs; }
  std::size_t num_parameters() const;

  /// outputs[b] = network(inputs[b]); inputs [B, input_size], outputs [B, output_size], which must not overlap them.
  void forward(MatrixView<const float> inputs, MatrixView<float> outputs, Workspace& workspace) const;

 private:
  struct PackedLayer {
    std::size_t num_inputs, num_outputs;
    std::size_t weights, bias;  // where they start in parameters_
    bool computes_products;     // from two rows of weights each
  };
  void forward_relu(MatrixView<const float> inputs, MatrixView<float> outputs, float* buffer) const;
  void forward_product(MatrixView<const float> inputs, MatrixView<float> outputs, float* buffer) const;
  void apply(const PackedLayer& layer, MatrixView<const float> inputs, MatrixView<float> outputs, float floor) const;

  Activation activation_;
  std::vector<PackedLayer> layers_;
  AlignedVector<float> parameters_;     // in the panels of src/mlp_kernels.hpp
  std::size_t padded_hidden_size_ = 0;  // the most that a hidden layer stores for a row
};

}  // namespace coffee_fast
