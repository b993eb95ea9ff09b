#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coffee_fast/layer_shape.hpp"
#include "coffee_fast/mlp.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// A batch of B transitions to learn from; I features of an information state, A actions.
struct TransitionBatch {
  MatrixView<const float> information_states;       ///< [B, I]
  std::span<const std::int32_t> actions;            ///< [B]
  std::span<const float> rewards;                   ///< [B], in the units of the Q-values
  MatrixView<const float> next_information_states;  ///< [B, I]; not looked at where final
  std::span<const std::uint8_t> is_final;           ///< [B], 0 or 1
  MatrixView<const std::uint8_t> next_legal_masks;  ///< [B, A]; at least one 1 a row that is not final
};

struct QNetworkOptions {
  float discount = 0.99f;  ///< per own decision
  // Adam (Kingma and Ba, ICLR 2015), with torch's defaults
  double learning_rate = 1e-4;
  double first_moment_decay = 0.9;
  double second_moment_decay = 0.999;
  double epsilon = 1e-8;
};

/// A multilayer perceptron Q(s, .) that learns by double Q-learning (van Hasselt, Guez and Silver, AAAI 2016):
///
///   y = r + discount (1 - final) Q_target(s', argmax over legal a of Q(s', a)),   loss = mean over the batch of
///   (Q(s, a) - y)^2,   one step of Adam on its gradient.
///
/// A gradient step computes only what it needs: the last layer of Q(s) at the taken action, the last layer at s' at
/// the legal actions, nothing at s' for final transitions. Its result is a pure function of its arguments.
class QNetwork {
 public:
  /// `online` and `target` have the same shape, at least one hidden layer.
  QNetwork(std::span<const Mlp::Layer> online, std::span<const Mlp::Layer> target, const QNetworkOptions& options);

  /// One step on the batch; returns the loss before it.
  float gradient_step(const TransitionBatch& batch);

  /// The target network becomes a copy of the online one.
  void copy_to_target();

  std::size_t num_layers() const { return shapes_.size(); }
  std::size_t num_inputs(std::size_t layer) const { return shapes_[layer].inputs; }
  std::size_t num_outputs(std::size_t layer) const { return shapes_[layer].outputs; }
  std::uint64_t num_steps() const { return num_steps_; }

  /// What a network carries from step to step, each the size of its parameters.
  enum class Part { online, target, first_moment, second_moment };

  /// Copies a layer out of or into one part, laid out as torch.nn.Linear: weights [outputs, inputs], bias [outputs].
  void read_layer(Part part, std::size_t layer, MatrixView<float> weights, std::span<float> bias) const;
  void write_layer(Part part, std::size_t layer, MatrixView<const float> weights, std::span<const float> bias);
  void set_num_steps(std::uint64_t num_steps) { num_steps_ = num_steps; }

 private:
  std::size_t element(std::size_t layer, std::size_t output, std::size_t input) const;
  std::vector<float>& part(Part which);

  std::vector<LayerShape> shapes_;  // the last layer's rows are [outputs][padded inputs]
  QNetworkOptions options_;
  std::vector<float> online_, target_, first_moment_, second_moment_;
  std::vector<float> workspace_;
  std::vector<std::size_t> legal_actions_;
  std::uint64_t num_steps_ = 0;
};

}  // namespace coffee_fast
