#include "coffee_fast/trained_network.hpp"

#include <algorithm>

#include "coffee_fast/check.hpp"
#include "coffee_fast/isa.hpp"
#include "trained_network_pass.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t panel_width = 16;
constexpr double first_moment_decay = 0.9, second_moment_decay = 0.999, adam_epsilon = 1e-8;

std::size_t padded(std::size_t size) { return (size + panel_width - 1) / panel_width * panel_width; }

const TrainedNetworkKernels& kernels() {
  switch (active_isa()) {
#if defined(__x86_64__)
    case Isa::avx512:
      return trained_network_avx512;
    case Isa::avx2:
      return trained_network_avx2;
#elif defined(__aarch64__)
    case Isa::neon:
      return trained_network_neon;
#endif
    default:
      return trained_network_portable;
  }
}

std::size_t element(const LayerShape& shape, std::size_t output, std::size_t input) {
  return shape.weights + (output / panel_width * shape.inputs + input) * panel_width + output % panel_width;
}

/// What the kernels take of a pass.
TrainedNetworkPass step_of(const std::vector<LayerShape>& shapes, const std::vector<float>& parameters,
                           TrainedNetwork::Pass& pass) {
  pass.activation_rows.clear();
  pass.gradient_rows.clear();
  for (AlignedVector<float>& buffer : pass.activations) pass.activation_rows.push_back(buffer.data());
  for (AlignedVector<float>& buffer : pass.gradients) pass.gradient_rows.push_back(buffer.data());
  return {.shapes = shapes.data(),
          .num_layers = shapes.size(),
          .parameters = parameters.data(),
          .num_rows = pass.inputs.rows,
          .padded_rows = padded(pass.inputs.rows),
          .inputs = pass.inputs.data,
          .input_stride = pass.inputs.stride,
          .activations = pass.activation_rows.data(),
          .gradients = pass.gradient_rows.data(),
          .output_gradient = pass.output_gradient.data(),
          .input_gradient = pass.input_gradient.data(),
          .gradient = nullptr};
}

}  // namespace

TrainedNetwork::TrainedNetwork(std::span<const Mlp::Layer> layers) {
  const Mlp checked(layers);  // which refuses layers that do not fit each other
  std::size_t size = 0;
  for (const Mlp::Layer& layer : layers) {
    LayerShape shape{};
    shape.inputs = shape.padded_inputs = layer.weights.columns;
    shape.outputs = layer.weights.rows;
    shape.padded_outputs = padded(shape.outputs);
    shape.weights = size;
    size += shape.padded_outputs * shape.inputs;
    shape.bias = size;
    size += shape.padded_outputs;
    shapes_.push_back(shape);
  }
  for (std::vector<float>* values : {&parameters_, &first_moment_, &second_moment_}) values->assign(size, 0.0f);
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const auto& [weights, bias] = layers[l];
    for (std::size_t output = 0; output < weights.rows; ++output)
      for (std::size_t input = 0; input < weights.columns; ++input)
        parameters_[element(shapes_[l], output, input)] = weights(output, input);
    std::ranges::copy(bias, parameters_.begin() + static_cast<std::ptrdiff_t>(shapes_[l].bias));
  }
}

TrainedNetwork::Pass TrainedNetwork::make_pass() const {
  Pass pass;
  std::size_t widest = padded(num_inputs());
  for (const LayerShape& shape : shapes_) {
    pass.activations.emplace_back(rows_per_pass * shape.padded_outputs, 0.0f);
    pass.gradients.emplace_back(rows_per_pass * shape.padded_outputs, 0.0f);
    widest = std::max(widest, shape.padded_outputs);
  }
  pass.output_gradient.assign(widest * rows_per_pass, 0.0f);
  pass.input_gradient.assign(widest * rows_per_pass, 0.0f);
  return pass;
}

MatrixView<const float> TrainedNetwork::forward(MatrixView<const float> inputs, Pass& pass) const {
  check(inputs.rows <= rows_per_pass && inputs.columns == num_inputs(),
        "TrainedNetwork.forward: inputs must be at most ", rows_per_pass, " rows of ", num_inputs(), ", got ",
        inputs.rows, " of ", inputs.columns);
  pass.inputs = inputs;
  const TrainedNetworkPass step = step_of(shapes_, parameters_, pass);
  kernels().forward(step);
  return {pass.activations.back().data(), inputs.rows, num_outputs(), shapes_.back().padded_outputs};
}

MatrixView<float> TrainedNetwork::output_gradients(Pass& pass) const {
  return {pass.gradients.back().data(), pass.inputs.rows, num_outputs(), shapes_.back().padded_outputs};
}

void TrainedNetwork::backward(Pass& pass, std::span<float> gradient) const {
  TrainedNetworkPass step = step_of(shapes_, parameters_, pass);
  step.gradient = gradient.data();
  const std::size_t width = shapes_.back().padded_outputs;  // a longer pass may have left its rows
  float* const last = pass.gradients.back().data();
  std::fill(last + step.num_rows * width, last + step.padded_rows * width, 0.0f);
  kernels().backward(step);
}

void TrainedNetwork::adam_step(std::span<float> gradients, double learning_rate) {
  ++num_steps_;
  kernels().adam(coffee_fast::adam_step(learning_rate, first_moment_decay, second_moment_decay, adam_epsilon,
                                        num_steps_, parameters_, first_moment_, second_moment_),
                 gradients.data(), gradient_size(), gradients.size() / gradient_size());
}

void TrainedNetwork::read_layer(std::span<const float> parameters, std::size_t layer, MatrixView<float> weights,
                                std::span<float> bias) const {
  const LayerShape& shape = shapes_[layer];
  for (std::size_t output = 0; output < shape.outputs; ++output)
    for (std::size_t input = 0; input < shape.inputs; ++input)
      weights(output, input) = parameters[element(shape, output, input)];
  std::ranges::copy(parameters.subspan(shape.bias, shape.outputs), bias.begin());
}

Mlp TrainedNetwork::compiled(std::span<const float> parameters) const {
  std::vector<std::vector<float>> weights, biases;
  std::vector<Mlp::Layer> layers;
  for (std::size_t l = 0; l < shapes_.size(); ++l) {
    const LayerShape& shape = shapes_[l];
    weights.emplace_back(shape.inputs * shape.outputs);
    biases.emplace_back(shape.outputs);
    read_layer(parameters, l, {weights[l].data(), shape.outputs, shape.inputs}, biases[l]);
  }
  for (std::size_t l = 0; l < shapes_.size(); ++l)
    layers.push_back({{weights[l].data(), shapes_[l].outputs, shapes_[l].inputs}, biases[l]});
  return Mlp(layers);
}

void TrainedNetwork::restore(State state) {
  for (const std::vector<float>* values : {&state.parameters, &state.first_moment, &state.second_moment})
    check(values->size() == parameters_.size(), "TrainedNetwork.restore: parameters and moments must have ",
          parameters_.size(), " elements, got ", values->size());
  parameters_ = std::move(state.parameters);
  first_moment_ = std::move(state.first_moment);
  second_moment_ = std::move(state.second_moment);
  num_steps_ = state.num_steps;
}

}  // namespace coffee_fast
