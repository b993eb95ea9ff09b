#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coffee_fast/aligned.hpp"
#include "coffee_fast/layer_shape.hpp"
#include "coffee_fast/mlp.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// A multilayer perceptron, ReLU between its layers, that learns from whatever loss its caller has: forward, gradient
/// of the loss by the outputs, backward, and a step of Adam (torch's defaults) on the sum of the gradients.
///
/// Passes take up to `rows_per_pass` rows, which is what a core's cache holds, and only read the network: threads take
/// passes of one batch side by side, each with a Pass of its own. A pass's gradient is a pure function of its rows, and
/// `adam_step` adds passes in their order, so the number of threads changes nothing.
class TrainedNetwork {
 public:
  static constexpr std::size_t rows_per_pass = 128;

  /// What one thread works in: the activations of its last forward pass among it.
  struct Pass {
    std::vector<AlignedVector<float>> activations;       ///< [layers]: of each layer's outputs, padded
    std::vector<AlignedVector<float>> gradients;         ///< [layers]: of the loss by them
    std::vector<float*> activation_rows, gradient_rows;  ///< where those lie, as the kernels take them
    AlignedVector<float> output_gradient, input_gradient;
    MatrixView<const float> inputs;
  };

  explicit TrainedNetwork(std::span<const Mlp::Layer> layers);

  std::size_t num_inputs() const { return shapes_.front().inputs; }
  std::size_t num_outputs() const { return shapes_.back().outputs; }
  /// Elements of a gradient, paddings among them.
  std::size_t gradient_size() const { return parameters_.size(); }

  Pass make_pass() const;
  /// The outputs [B, num_outputs()] at inputs [B, num_inputs()], B at most `rows_per_pass`; both live on until the next
  /// forward pass, and the inputs must until `backward`.
  MatrixView<const float> forward(MatrixView<const float> inputs, Pass& pass) const;
  /// Where to put the gradient of the loss by those outputs, [B, num_outputs()].
  MatrixView<float> output_gradients(Pass& pass) const;
  /// Writes the gradient of the loss by the parameters to `gradient` [gradient_size()].
  void backward(Pass& pass, std::span<float> gradient) const;
  /// One step against the sum of `gradients`, one after the other, [n * gradient_size()]; the first one is overwritten.
  void adam_step(std::span<float> gradients, double learning_rate);

  std::size_t num_layers() const { return shapes_.size(); }
  std::size_t num_inputs(std::size_t layer) const { return shapes_[layer].inputs; }
  std::size_t num_outputs(std::size_t layer) const { return shapes_[layer].outputs; }
  /// Copies a layer out of parameters laid out as those here, to torch.nn.Linear's weights and bias.
  void read_layer(std::span<const float> parameters, std::size_t layer, MatrixView<float> weights,
                  std::span<float> bias) const;
  /// A network for inference with parameters laid out as those here.
  Mlp compiled(std::span<const float> parameters) const;

  /// All that it carries from step to step.
  struct State {
    std::vector<float> parameters, first_moment, second_moment;
    std::uint64_t num_steps = 0;
  };
  State state() const { return {parameters_, first_moment_, second_moment_, num_steps_}; }
  /// InvalidArgument unless the sizes are those of this network.
  void restore(State state);
  std::span<const float> parameters() const { return parameters_; }

 private:
  std::vector<LayerShape> shapes_;
  std::vector<float> parameters_, first_moment_, second_moment_;
  std::uint64_t num_steps_ = 0;
};

}  // namespace coffee_fast
