#include "coffee_fast/q_network.hpp"

#include <algorithm>
#include <utility>

#include "coffee_fast/check.hpp"
#include "coffee_fast/isa.hpp"
#include "q_network_step.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t panel_width = 16;

std::size_t padded(std::size_t size) { return (size + panel_width - 1) / panel_width * panel_width; }

float gradient_step_of_isa(const QNetworkStep& step) {
  switch (active_isa()) {
#if defined(__x86_64__)
    case Isa::avx512:
      return gradient_step_avx512(step);
    case Isa::avx2:
      return gradient_step_avx2(step);
#elif defined(__aarch64__)
    case Isa::neon:
      return gradient_step_neon(step);
#endif
    default:
      return gradient_step_portable(step);
  }
}

}  // namespace

QNetwork::QNetwork(std::span<const Mlp::Layer> online, std::span<const Mlp::Layer> target,
                   const QNetworkOptions& options)
    : options_(options) {
  check(online.size() >= 2, "QNetwork: online must have a hidden layer, got ", online.size(), " layers");
  check(target.size() == online.size(), "QNetwork: target must have ", online.size(), " layers like online, got ",
        target.size());
  std::size_t size = 0;
  for (std::size_t l = 0; l < online.size(); ++l) {
    LayerShape shape{};
    shape.inputs = online[l].weights.columns;
    shape.outputs = online[l].weights.rows;
    check(shape.inputs > 0 && shape.outputs > 0, "QNetwork: layer ", l, " must not be empty");
    check(l == 0 || shape.inputs == shapes_[l - 1].outputs, "QNetwork: layer ", l, " must have ",
          l == 0 ? 0 : shapes_[l - 1].outputs, " inputs, got ", shape.inputs);
    check(target[l].weights.columns == shape.inputs && target[l].weights.rows == shape.outputs, "QNetwork: layer ", l,
          " of target must have shape [", shape.outputs, ", ", shape.inputs, "]");
    const bool is_last = l + 1 == online.size();
    shape.padded_outputs = padded(shape.outputs);
    shape.padded_inputs = is_last ? padded(shape.inputs) : shape.inputs;
    shape.weights = size;
    size += is_last ? shape.outputs * shape.padded_inputs : shape.padded_outputs * shape.inputs;
    shape.bias = size;
    size += shape.padded_outputs;
    shapes_.push_back(shape);
  }
  for (std::vector<float>* values : {&online_, &target_, &first_moment_, &second_moment_}) values->assign(size, 0.0f);
  for (std::size_t l = 0; l < online.size(); ++l) {
    write_layer(Part::online, l, online[l].weights, online[l].bias);
    write_layer(Part::target, l, target[l].weights, target[l].bias);
  }
}

std::size_t QNetwork::element(std::size_t layer, std::size_t output, std::size_t input) const {
  const LayerShape& shape = shapes_[layer];
  if (layer + 1 == shapes_.size()) return shape.weights + output * shape.padded_inputs + input;
  return shape.weights + (output / panel_width * shape.inputs + input) * panel_width + output % panel_width;
}

std::vector<float>& QNetwork::part(Part which) {
  switch (which) {
    case Part::target:
      return target_;
    case Part::first_moment:
      return first_moment_;
    case Part::second_moment:
      return second_moment_;
    case Part::online:
      break;
  }
  return online_;
}

void QNetwork::read_layer(Part which, std::size_t layer, MatrixView<float> weights, std::span<float> bias) const {
  const LayerShape& shape = shapes_[layer];
  const std::vector<float>& values = const_cast<QNetwork*>(this)->part(which);
  const std::size_t step = layer + 1 == shapes_.size() ? 1 : panel_width;  // from one input to the next
  for (std::size_t output = 0; output < weights.rows; ++output) {
    const float* source = &values[element(layer, output, 0)];
    for (std::size_t input = 0; input < weights.columns; ++input) weights(output, input) = source[input * step];
  }
  std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(shape.bias), bias.size(), bias.begin());
}

void QNetwork::write_layer(Part which, std::size_t layer, MatrixView<const float> weights,
                           std::span<const float> bias) {
  const LayerShape& shape = shapes_[layer];
  check(weights.rows == shape.outputs && weights.columns == shape.inputs && bias.size() == shape.outputs,
        "QNetwork: layer ", layer, " must have weights [", shape.outputs, ", ", shape.inputs, "] and bias [",
        shape.outputs, "], got [", weights.rows, ", ", weights.columns, "] and [", bias.size(), "]");
  std::vector<float>& values = part(which);
  for (std::size_t output = 0; output < weights.rows; ++output)
    for (std::size_t input = 0; input < weights.columns; ++input)
      values[element(layer, output, input)] = weights(output, input);
  std::copy(bias.begin(), bias.end(), values.begin() + static_cast<std::ptrdiff_t>(shape.bias));
}

void QNetwork::copy_to_target() { target_ = online_; }

float QNetwork::gradient_step(const TransitionBatch& batch) {
  const std::size_t batch_size = batch.actions.size();
  const std::size_t num_inputs = shapes_.front().inputs;
  const std::size_t num_actions = shapes_.back().outputs;
  const std::size_t num_hidden = shapes_.size() - 1;
  check(batch_size > 0, "gradient_step: the batch must not be empty");
  check(batch.information_states.rows == batch_size && batch.information_states.columns == num_inputs,
        "gradient_step: information_states must have shape [", batch_size, ", ", num_inputs, "], got [",
        batch.information_states.rows, ", ", batch.information_states.columns, "]");
  check(batch.next_information_states.rows == batch_size && batch.next_information_states.columns == num_inputs,
        "gradient_step: next_information_states must have shape [", batch_size, ", ", num_inputs, "], got [",
        batch.next_information_states.rows, ", ", batch.next_information_states.columns, "]");
  check(batch.next_legal_masks.rows == batch_size && batch.next_legal_masks.columns == num_actions,
        "gradient_step: next_legal_masks must have shape [", batch_size, ", ", num_actions, "], got [",
        batch.next_legal_masks.rows, ", ", batch.next_legal_masks.columns, "]");
  check(batch.rewards.size() == batch_size && batch.is_final.size() == batch_size,
        "gradient_step: rewards and is_final must have ", batch_size, " elements, got ", batch.rewards.size(), " and ",
        batch.is_final.size());

  std::vector<std::int32_t> next_row(batch_size, -1);
  std::vector<const std::uint8_t*> next_legal_masks;
  for (std::size_t b = 0; b < batch_size; ++b) {
    check(batch.actions[b] >= 0 && static_cast<std::size_t>(batch.actions[b]) < num_actions, "gradient_step: actions[",
          b, "] must lie in [0, ", num_actions, "), got ", batch.actions[b]);
    if (batch.is_final[b]) continue;
    const std::span<const std::uint8_t> mask = batch.next_legal_masks.row(b);
    check(std::any_of(mask.begin(), mask.end(), [](std::uint8_t legal) { return legal != 0; }),
          "gradient_step: next_legal_masks[", b, "] must allow an action, since the transition is not final");
    next_row[b] = static_cast<std::int32_t>(next_legal_masks.size());
    next_legal_masks.push_back(mask.data());
  }
  const std::size_t num_next = next_legal_masks.size();

  // Lay the workspace out: stacked inputs, activations of both networks, gradients; zeros where a layer is padded.
  const std::size_t padded_batch = padded(batch_size);
  std::size_t widest = 0, size = 2 * batch_size * num_inputs + batch_size;
  for (std::size_t l = 0; l < num_hidden; ++l) {
    widest = std::max(widest, shapes_[l].padded_outputs);
    size += 4 * padded_batch * shapes_[l].padded_outputs;
  }
  const std::size_t last_size = num_actions * shapes_.back().padded_inputs;
  size += 2 * widest * padded_batch + last_size + shapes_.back().padded_outputs;
  if (workspace_.size() != size) workspace_.assign(size, 0.0f);
  legal_actions_.resize(num_actions);
  float* next_free = workspace_.data();
  const auto take = [&](std::size_t count) { return std::exchange(next_free, next_free + count); };

  std::vector<float*> activations{take(2 * batch_size * num_inputs)}, target_activations{nullptr}, gradients;
  for (std::size_t l = 0; l < num_hidden; ++l) {
    activations.push_back(take(2 * padded_batch * shapes_[l].padded_outputs));
    target_activations.push_back(take(padded_batch * shapes_[l].padded_outputs));
    gradients.push_back(take(padded_batch * shapes_[l].padded_outputs));
  }
  for (std::size_t b = 0; b < batch_size; ++b) {
    std::copy_n(batch.information_states.row(b).data(), num_inputs, activations[0] + b * num_inputs);
    if (next_row[b] >= 0)
      std::copy_n(batch.next_information_states.row(b).data(), num_inputs,
                  activations[0] + (batch_size + static_cast<std::size_t>(next_row[b])) * num_inputs);
  }

  ++num_steps_;
  QNetworkStep step{};
  step.shapes = shapes_.data();
  step.num_layers = shapes_.size();
  step.adam = adam_step(options_.learning_rate, options_.first_moment_decay, options_.second_moment_decay,
                        options_.epsilon, num_steps_, online_, first_moment_, second_moment_);
  step.target = target_.data();
  step.batch_size = batch_size;
  step.padded_batch = padded_batch;
  step.num_next = num_next;
  step.actions = batch.actions.data();
  step.rewards = batch.rewards.data();
  step.next_row = next_row.data();
  step.next_legal_masks = next_legal_masks.data();
  step.discount = options_.discount;
  step.activations = activations.data();
  step.target_activations = target_activations.data();
  step.gradients = gradients.data();
  step.output_gradient = take(widest * padded_batch);
  step.input_gradient = take(widest * padded_batch);
  step.legal_actions = legal_actions_.data();
  step.next_values = take(batch_size);
  step.last_gradient = take(last_size);
  step.last_bias_gradient = take(shapes_.back().padded_outputs);
  return gradient_step_of_isa(step);
}

}  // namespace coffee_fast
