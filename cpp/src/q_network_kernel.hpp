#pragma once

// The gradient step of QNetwork, written once over the registers of simd.hpp and instantiated by each instruction
// set's unit. Nothing of std:: that the linker could share between the units is used here.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "q_network_step.hpp"
#include "simd.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t panel_width = 16;

/// A product C[r, n] = sum over k of a(r, k) b(k, n), with k in blocks: element (r, k) of `a` lies at
/// r * a_row + (k / block_size) * a_block + (k % block_size) * a_step; row k of `b` at k * b_step, a panel of 16
/// columns every b_panel.
struct Product {
  const float* a;
  std::size_t a_row, a_step, a_block;
  const float* b;
  std::size_t b_step, b_panel;
  std::size_t num_blocks, block_size;
};

/// R rows and P panels of the product, all of it in registers; `epilogue(row, column, sum)` receives each register.
/// `sums` is an array only to the reader: every index is a constant, so that no element goes through the stack.
template <class V, std::size_t R, std::size_t P, class Epilogue, std::size_t... I, std::size_t... J>
[[gnu::always_inline]] inline void multiply_tile(const Product& product, const Epilogue& epilogue,
                                                 std::index_sequence<I...>, std::index_sequence<J...>) {
  using Register = typename V::Type;
  constexpr std::size_t in_panel = panel_width / V::width;
  constexpr std::size_t N = P * in_panel;
  Register sums[] = {(static_cast<void>(I), V::zero())...};
  const float* b = product.b;
  const std::size_t a_row = product.a_row, a_step = product.a_step, b_step = product.b_step, b_panel = product.b_panel;
  for (std::size_t block = 0; block < product.num_blocks; ++block) {
    const float* a = product.a + block * product.a_block;
    for (std::size_t k = product.block_size; k > 0; --k) {
      const Register columns[] = {V::load(b + J / in_panel * b_panel + J % in_panel * V::width)...};
      ((sums[I] = V::multiply_add(V::broadcast(a[I / N * a_row]), columns[I % N], sums[I])), ...);
      a += a_step;
      b += b_step;
    }
  }
  (epilogue(I / N, I % N * V::width, sums[I]), ...);
}

template <class V, std::size_t P>
constexpr std::size_t max_rows = (V::num_registers - 2) / (P * panel_width / V::width) - 1;

template <class V, std::size_t P, class Epilogue, std::size_t... R>
[[gnu::always_inline]] inline void multiply_rows(std::size_t num_rows, const Product& product, const Epilogue& epilogue,
                                                 std::index_sequence<R...>) {
  constexpr std::size_t N = P * panel_width / V::width;
  ((num_rows == R + 1 ? multiply_tile<V, R + 1, P>(product, epilogue, std::make_index_sequence<(R + 1) * N>{},
                                                   std::make_index_sequence<N>{})
                      : void()),
   ...);
}

/// The whole product [num_rows, num_panels * 16] in tiles of nearly equal height; `make_epilogue(row, panel)` gives
/// the epilogue of the tile that starts there.
template <class V, std::size_t P, class MakeEpilogue>
[[gnu::always_inline]] inline void multiply_panels(Product product, std::size_t num_rows, std::size_t first_panel,
                                                   const MakeEpilogue& make_epilogue) {
  const float* const a = product.a;
  product.b += first_panel * product.b_panel;
  const std::size_t num_tiles = (num_rows + max_rows<V, P> - 1) / max_rows<V, P>;
  for (std::size_t tile = 0, row = 0; tile < num_tiles; ++tile) {
    const std::size_t height = (num_rows - row) / (num_tiles - tile);
    product.a = a + row * product.a_row;
    multiply_rows<V, P>(height, product, make_epilogue(row, first_panel), std::make_index_sequence<max_rows<V, P>>{});
    row += height;
  }
}

template <class V, class MakeEpilogue>
[[gnu::noinline]] void multiply(const Product& product, std::size_t num_rows, std::size_t num_panels,
                                const MakeEpilogue& make_epilogue) {
  constexpr std::size_t P = V::width == panel_width ? 2 : 1;
  std::size_t panel = 0;
  for (; panel + P <= num_panels; panel += P) multiply_panels<V, P>(product, num_rows, panel, make_epilogue);
  for (; panel < num_panels; ++panel) multiply_panels<V, 1>(product, num_rows, panel, make_epilogue);
}

/// outputs[rows, padded outputs] = max(0, inputs W + bias) of one hidden layer.
template <class V>
void hidden_forward(const QNetwork::Shape& shape, const float* parameters, const float* inputs,
                    std::size_t input_stride, std::size_t num_rows, float* outputs) {
  const Product product{inputs, input_stride, 1, 0, parameters + shape.weights, panel_width, shape.inputs * panel_width,
                        1,      shape.inputs};
  const float* bias = parameters + shape.bias;
  const std::size_t stride = shape.padded_outputs;
  multiply<V>(product, num_rows, stride / panel_width, [=](std::size_t row, std::size_t panel) {
    float* const tile = outputs + row * stride + panel * panel_width;
    const float* const tile_bias = bias + panel * panel_width;
    return [=](std::size_t r, std::size_t column, typename V::Type sum) [[gnu::always_inline]] {
      V::store(tile + r * stride + column, V::at_least(V::add(sum, V::load(tile_bias + column)), V::zero()));
    };
  });
}

/// gradient_t[inputs, batch] = W gradient_of_outputs_t[outputs, batch] of one hidden layer.
template <class V>
void hidden_backward(const QNetwork::Shape& shape, const float* parameters, const float* output_gradient_t,
                     std::size_t padded_batch, float* input_gradient_t) {
  const Product product{parameters + shape.weights,
                        panel_width,
                        1,
                        shape.inputs * panel_width,
                        output_gradient_t,
                        padded_batch,
                        panel_width,
                        shape.padded_outputs / panel_width,
                        panel_width};
  multiply<V>(product, shape.inputs, padded_batch / panel_width, [=](std::size_t row, std::size_t panel) {
    float* const tile = input_gradient_t + row * padded_batch + panel * panel_width;
    return [=](std::size_t r, std::size_t column, typename V::Type sum)
               [[gnu::always_inline]] { V::store(tile + r * padded_batch + column, sum); };
  });
}

/// Adam on one register of parameters (torch's arithmetic: bias corrections folded into two scalars).
template <class V>
struct Adam {
  typename V::Type first_weight, second_decay, second_weight, inverse_root_correction, epsilon, negative_step;
  float *parameters, *first, *second;

  Adam(const QNetworkStep& step)
      : first_weight(V::broadcast(step.first_weight)),
        second_decay(V::broadcast(step.second_decay)),
        second_weight(V::broadcast(step.second_weight)),
        inverse_root_correction(V::broadcast(step.inverse_root_correction)),
        epsilon(V::broadcast(step.epsilon)),
        negative_step(V::broadcast(-step.step_size)),
        parameters(step.online),
        first(step.first_moment),
        second(step.second_moment) {}

  [[gnu::always_inline]] void operator()(std::size_t offset, typename V::Type gradient) const {
    const auto old_first = V::load(first + offset);
    const auto m = V::multiply_add(first_weight, V::subtract(gradient, old_first), old_first);
    const auto v = V::multiply_add(second_weight, V::multiply(gradient, gradient),
                                   V::multiply(second_decay, V::load(second + offset)));
    const auto denominator = V::multiply_add(V::square_root(v), inverse_root_correction, epsilon);
    V::store(first + offset, m);
    V::store(second + offset, v);
    V::store(parameters + offset,
             V::multiply_add(negative_step, V::divide(m, denominator), V::load(parameters + offset)));
  }
};

/// One Adam step on a hidden layer, whose weight gradient inputs^T output_gradient never leaves the registers.
template <class V>
void hidden_update(const QNetwork::Shape& shape, const QNetworkStep& step, const float* inputs,
                   std::size_t input_stride, const float* output_gradient) {
  const Adam<V> adam(step);
  const std::size_t stride = shape.padded_outputs;
  const Product product{inputs, 1, input_stride, 0, output_gradient, stride, panel_width, 1, step.batch_size};
  multiply<V>(product, shape.inputs, stride / panel_width, [&](std::size_t row, std::size_t panel) {
    const std::size_t tile = shape.weights + (panel * shape.inputs + row) * panel_width;
    const std::size_t panel_size = shape.inputs * panel_width;
    return [=, &adam](std::size_t r, std::size_t column, typename V::Type sum) [[gnu::always_inline]] {
      adam(tile + column / panel_width * panel_size + r * panel_width + column % panel_width, sum);
    };
  });
  for (std::size_t column = 0; column < stride; column += V::width) {
    auto sum = V::zero();
    for (std::size_t b = 0; b < step.batch_size; ++b) sum = V::add(sum, V::load(output_gradient + b * stride + column));
    adam(shape.bias + column, sum);
  }
}

/// a . b over `size` (a multiple of 16) elements: sixteen running sums, then a fixed tree, so that the width of the
/// registers does not change a bit.
template <class V>
float dot(const float* a, const float* b, std::size_t size) {
  constexpr std::size_t N = panel_width / V::width;
  typename V::Type sums[N];
  for (std::size_t j = 0; j < N; ++j) sums[j] = V::zero();
  for (std::size_t i = 0; i < size; i += panel_width)
    for (std::size_t j = 0; j < N; ++j)
      sums[j] = V::multiply_add(V::load(a + i + j * V::width), V::load(b + i + j * V::width), sums[j]);
  float lanes[panel_width];
  for (std::size_t j = 0; j < N; ++j) V::store(lanes + j * V::width, sums[j]);
  for (std::size_t half = panel_width / 2; half > 0; half /= 2)
    for (std::size_t i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  return lanes[0];
}

template <class V>
float q_value(const QNetwork::Shape& last, const float* parameters, const float* hidden, std::size_t action) {
  return dot<V>(parameters + last.weights + action * last.padded_inputs, hidden, last.padded_inputs) +
         parameters[last.bias + action];
}

/// max over legal a, by the online network's choice, of the target network's value at each next state.
template <class V>
void bootstrap_values(const QNetworkStep& step, const float* online_hidden, const float* target_hidden, float* values) {
  const QNetwork::Shape& last = step.shapes[step.num_layers - 1];
  for (std::size_t row = 0; row < step.num_next; ++row) {
    const float* hidden = online_hidden + row * last.padded_inputs;
    const std::uint8_t* legal = step.next_legal_masks[row];
    std::size_t best = last.outputs;
    float best_value = 0.0f;
    for (std::size_t action = 0; action < last.outputs; ++action) {
      if (!legal[action]) continue;
      const float value = q_value<V>(last, step.online, hidden, action);
      if (best == last.outputs || value > best_value) {
        best = action;
        best_value = value;
      }
    }
    values[row] = q_value<V>(last, step.target, target_hidden + row * last.padded_inputs, best);
  }
}

/// columns[j, i] = rows[i, j] where keep[i, j] > 0, else 0; [num_rows, num_columns] into [num_columns, num_rows].
inline void transpose_kept(const float* source, std::size_t source_stride, const float* keep, std::size_t num_rows,
                           std::size_t num_columns, float* target, std::size_t target_stride) {
  constexpr std::size_t block = 16;
  for (std::size_t i0 = 0; i0 < num_rows; i0 += block)
    for (std::size_t j0 = 0; j0 < num_columns; j0 += block)
      for (std::size_t i = i0; i < num_rows && i < i0 + block; ++i)
        for (std::size_t j = j0; j < num_columns && j < j0 + block; ++j)
          target[j * target_stride + i] = keep[j * target_stride + i] > 0.0f ? source[i * source_stride + j] : 0.0f;
}

template <class V>
float gradient_step(const QNetworkStep& step) {
  const std::size_t num_hidden = step.num_layers - 1;
  const std::size_t B = step.batch_size;
  const QNetwork::Shape& last = step.shapes[num_hidden];

  // Forward: Q at (s, s') in one pass, the target network at s' alone.
  for (std::size_t l = 0; l < num_hidden; ++l) {
    const QNetwork::Shape& shape = step.shapes[l];
    const std::size_t stride = l == 0 ? shape.inputs : step.shapes[l - 1].padded_outputs;
    hidden_forward<V>(shape, step.online, step.activations[l], stride, B + step.num_next, step.activations[l + 1]);
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
    const float error = q_value<V>(last, step.online, h, action) - (step.rewards[b] + bootstrap);
    loss += error * error;
    const float scale = 2.0f * error / static_cast<float>(B);
    const auto scales = V::broadcast(scale);
    const float* weights = step.online + last.weights + action * last.padded_inputs;
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
    const QNetwork::Shape& shape = step.shapes[l];
    const std::size_t stride = l == 0 ? shape.inputs : step.shapes[l - 1].padded_outputs;
    if (l > 0) {
      const float* d = step.gradients[l];
      for (std::size_t i0 = 0; i0 < shape.padded_outputs; i0 += 16)
        for (std::size_t b = 0; b < B; ++b)
          for (std::size_t i = i0; i < i0 + 16; ++i)
            step.transposed[i * step.padded_batch + b] = d[b * shape.padded_outputs + i];
      hidden_backward<V>(shape, step.online, step.transposed, step.padded_batch, step.transposed_next);
      transpose_kept(step.transposed_next, step.padded_batch, step.activations[l], shape.inputs, B,
                     step.gradients[l - 1], stride);
    }
    hidden_update<V>(shape, step, step.activations[l], stride, step.gradients[l]);
  }

  // Adam on the last layer, every row of it: moments decay also where no gradient came.
  const Adam<V> adam(step);
  const std::size_t size = last.outputs * last.padded_inputs;
  for (std::size_t i = 0; i < size; i += V::width) {
    adam(last.weights + i, V::load(step.last_gradient + i));
    V::store(step.last_gradient + i, V::zero());
  }
  for (std::size_t i = 0; i < last.padded_outputs; i += V::width) {
    adam(last.bias + i, V::load(step.last_bias_gradient + i));
    V::store(step.last_bias_gradient + i, V::zero());
  }
  return loss / static_cast<float>(B);
}

}  // namespace
}  // namespace coffee_fast
