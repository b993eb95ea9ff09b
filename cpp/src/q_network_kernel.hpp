#pragma once

// The gradient step of QNetwork, written once over the registers of simd.hpp and instantiated by each instruction
// set's unit. Nothing of std:: that the linker could share between the units is used here.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "layer_kernel.hpp"
#include "q_network_step.hpp"

namespace coffee_fast {
namespace {

/// One Adam step on a hidden layer, whose weight gradient inputs^T output_gradient never leaves the registers.
template <class V>
void hidden_update(const LayerShape& shape, const QNetworkStep& step, const float* inputs, std::size_t input_stride,
                   const float* output_gradient) {
  const Adam<V> adam(step.adam);
  const std::size_t stride = shape.padded_outputs;
  const Product product{inputs, 1, input_stride, 0, output_gradient, stride, panel_width, 1, step.batch_size};
  multiply<V>(product, shape.inputs, stride / panel_width, [&](std::size_t row, std::size_t panel) {
    const std::size_t tile = shape.weights + (panel * shape.inputs + row) * panel_width;
    const std::size_t panel_size = shape.inputs * panel_width;
    return [=](std::size_t r, std::size_t column, typename V::Type sum) __attribute__((always_inline)) {
      adam(tile + column / panel_width * panel_size + r * panel_width + column % panel_width, sum);
    };
  });
  for (std::size_t column = 0; column < stride; column += V::width) {
    auto sum = V::zero();
    for (std::size_t b = 0; b < step.batch_size; ++b) sum = V::add(sum, V::load(output_gradient + b * stride + column));
    adam(shape.bias + column, sum);
  }
}

/// outputs[i] = h . rows[i] for a few rows of `size` (a multiple of 16) elements: sixteen running sums each, then a
/// fixed tree, so that the width of the registers does not change a bit.
template <class V, std::size_t num_rows>
[[gnu::always_inline]] inline void dot(const float* h, const float* const (&rows)[num_rows], std::size_t size,
                                       float* outputs) {
  constexpr std::size_t N = panel_width / V::width;
  typename V::Type sums[num_rows][N];
  for (auto& row : sums)
    for (auto& sum : row) sum = V::zero();
  for (std::size_t i = 0; i < size; i += panel_width)
#pragma GCC unroll 4
    for (std::size_t j = 0; j < N; ++j) {
      const auto column = V::load(h + i + j * V::width);
#pragma GCC unroll 4
      for (std::size_t r = 0; r < num_rows; ++r)
        sums[r][j] = V::multiply_add(column, V::load(rows[r] + i + j * V::width), sums[r][j]);
    }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < num_rows; ++r) {
    for (std::size_t half = N / 2; half > 0; half /= 2)
      for (std::size_t j = 0; j < half; ++j) sums[r][j] = V::add(sums[r][j], sums[r][j + half]);
    outputs[r] = sum_lanes<V, V::width / 2>(sums[r][0], std::make_index_sequence<V::width>{});
  }
}

template <class V>
float q_value(const LayerShape& last, const float* parameters, const float* hidden, std::size_t action) {
  const float* const row[] = {parameters + last.weights + action * last.padded_inputs};
  float value;
  dot<V>(hidden, row, last.padded_inputs, &value);
  return value + parameters[last.bias + action];
}

/// The legal action of the greatest value at one state.
template <class V>
std::size_t greedy_action(const LayerShape& last, const float* parameters, const float* hidden,
                          const std::uint8_t* legal, std::size_t* actions) {
  std::size_t num_legal = 0;
  for (std::size_t action = 0; action < last.outputs; ++action) {
    actions[num_legal] = action;  // without a branch: masks are hard to predict
    num_legal += legal[action] != 0;
  }
  // Four actions at a time share the loads of the state; the last group may name an action twice.
  constexpr std::size_t group = 4;
  std::size_t best = actions[0];
  float best_value = 0.0f;
  for (std::size_t first = 0; first < num_legal; first += group) {
    const float* rows[group];
    std::size_t chosen[group];
    float values[group];
    for (std::size_t i = 0; i < group; ++i) {
      chosen[i] = actions[first + i < num_legal ? first + i : num_legal - 1];
      rows[i] = parameters + last.weights + chosen[i] * last.padded_inputs;
    }
    dot<V>(hidden, rows, last.padded_inputs, values);
    for (std::size_t i = 0; i < group; ++i) {
      const float value = values[i] + parameters[last.bias + chosen[i]];
      if ((first == 0 && i == 0) || value > best_value) {
        best = chosen[i];
        best_value = value;
      }
    }
  }
  return best;
}

/// The target network's value of the online network's greedy action at each next state.
template <class V>
void bootstrap_values(const QNetworkStep& step, const float* online_hidden, const float* target_hidden, float* values) {
  const LayerShape& last = step.shapes[step.num_layers - 1];
  for (std::size_t row = 0; row < step.num_next; ++row) {
    const std::size_t offset = row * last.padded_inputs;
    const std::size_t action = greedy_action<V>(last, step.adam.parameters, online_hidden + offset,
                                                step.next_legal_masks[row], step.legal_actions);
    values[row] = q_value<V>(last, step.target, target_hidden + offset, action);
  }
}

template <class V>
float gradient_step(const QNetworkStep& step) {
  [[maybe_unused]] const DenormalsAreZero scope;
  const std::size_t num_hidden = step.num_layers - 1;
  const std::size_t B = step.batch_size;
  const LayerShape& last = step.shapes[num_hidden];

  // Forward: Q at (s, s') in one pass, the target network at s' alone.
  for (std::size_t l = 0; l < num_hidden; ++l) {
    const LayerShape& shape = step.shapes[l];
    const std::size_t stride = l == 0 ? shape.inputs : step.shapes[l - 1].padded_outputs;
    hidden_forward<V>(shape, step.adam.parameters, step.activations[l], stride, B + step.num_next,
                      step.activations[l + 1]);
    hidden_forward<V>(shape, step.target, l == 0 ? step.activations[0] + B * stride : step.target_activations[l],
                      stride, step.num_next, step.target_activations[l + 1]);
  }
  const float* hidden = step.activations[num_hidden];
  bootstrap_values<V>(step, hidden + B * last.padded_inputs, step.target_activations[num_hidden], step.next_values);

  // The last layer: loss, gradient of its touched rows, and gradient of its inputs.
  float loss = 0.0f;
  float* gradient = step.gradients[num_hidden - 1];
  for (std::size_t b = 0; b < B; ++b) {
    const auto action = static_cast<std::size_t>(step.actions[b]);
    const float bootstrap = step.next_row[b] < 0 ? 0.0f : step.discount * step.next_values[step.next_row[b]];
    const float* h = hidden + b * last.padded_inputs;
    const float error = q_value<V>(last, step.adam.parameters, h, action) - (step.rewards[b] + bootstrap);
    loss += error * error;
    const float scale = 2.0f * error / static_cast<float>(B);
    const auto scales = V::broadcast(scale);
    const float* weights = step.adam.parameters + last.weights + action * last.padded_inputs;
    float* row = step.last_gradient + action * last.padded_inputs;
    for (std::size_t i = 0; i < last.padded_inputs; i += V::width) {
      const auto input = V::load(h + i);
      V::store(row + i, V::multiply_add(scales, input, V::load(row + i)));
      V::store(gradient + b * last.padded_inputs + i,
               V::where_positive(input, V::multiply(scales, V::load(weights + i))));
    }
    step.last_bias_gradient[action] += scale;
  }

  // Backward through the hidden layers; each is updated once nothing reads its weights any more.
  for (std::size_t l = num_hidden; l-- > 0;) {
    const LayerShape& shape = step.shapes[l];
    const std::size_t stride = l == 0 ? shape.inputs : step.shapes[l - 1].padded_outputs;
    if (l > 0) {
      to_panels<V>(step.gradients[l], step.padded_batch, shape.padded_outputs, step.output_gradient);
      hidden_backward<V>(shape, step.adam.parameters, step.output_gradient, step.padded_batch, step.input_gradient);
      from_panels<V>(step.input_gradient, step.padded_batch, stride, step.activations[l], step.gradients[l - 1]);
    }
    hidden_update<V>(shape, step, step.activations[l], stride, step.gradients[l]);
  }

  // Adam on the last layer, every row of it: moments decay also where no gradient came.
  const Adam<V> adam(step.adam);
  const std::size_t size = last.outputs * last.padded_inputs, offset = last.weights;
  float* const last_gradient = step.last_gradient;
  for (std::size_t i = 0; i < size; i += V::width) {
    adam(offset + i, V::load(last_gradient + i));
    V::store(last_gradient + i, V::zero());
  }
  for (std::size_t i = 0; i < last.padded_outputs; i += V::width) {
    adam(last.bias + i, V::load(step.last_bias_gradient + i));
    V::store(step.last_bias_gradient + i, V::zero());
  }
  return loss / static_cast<float>(B);
}

}  // namespace
}  // namespace coffee_fast
