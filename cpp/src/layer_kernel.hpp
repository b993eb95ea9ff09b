#pragma once

// What training does to one layer, written once over the registers of simd.hpp and instantiated by each instruction
// set's unit. Nothing of std:: that the linker could share between the units is used here.

#include <cstddef>
#include <utility>

#include "adam_step.hpp"
#include "coffee_fast/layer_shape.hpp"
#include "product_kernel.hpp"
#include "simd.hpp"

namespace coffee_fast {
namespace {

/// outputs[rows, padded outputs] = inputs W + bias of one layer in panels, or max(0, that).
template <class V, bool is_relu = true>
void hidden_forward(const LayerShape& shape, const float* parameters, const float* inputs, std::size_t input_stride,
                    std::size_t num_rows, float* outputs) {
  const Product product{inputs, input_stride, 1, 0, parameters + shape.weights, panel_width, shape.inputs * panel_width,
                        1,      shape.inputs};
  const float* bias = parameters + shape.bias;
  const std::size_t stride = shape.padded_outputs;
  multiply<V>(product, num_rows, stride / panel_width, [=](std::size_t row, std::size_t panel) {
    float* const tile = outputs + row * stride + panel * panel_width;
    const float* const tile_bias = bias + panel * panel_width;
    return [=](std::size_t r, std::size_t column, typename V::Type sum) __attribute__((always_inline)) {
      const auto value = V::add(sum, V::load(tile_bias + column));
      V::store(tile + r * stride + column, is_relu ? V::at_least(value, V::zero()) : value);
    };
  });
}

/// gradient_t[inputs, batch] = W gradient_of_outputs_t[outputs, batch] of one layer in panels.
template <class V>
void hidden_backward(const LayerShape& shape, const float* parameters, const float* output_gradient_t,
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
               __attribute__((always_inline)) { V::store(tile + r * padded_batch + column, sum); };
  });
}

/// Adam on one register of parameters (torch's arithmetic: bias corrections folded into two scalars).
template <class V>
struct Adam {
  typename V::Type first_weight, second_decay, second_weight, inverse_root_correction, epsilon, negative_step;
  float *parameters, *first, *second;

  explicit Adam(const AdamStep& step)
      : first_weight(V::broadcast(step.first_weight)),
        second_decay(V::broadcast(step.second_decay)),
        second_weight(V::broadcast(step.second_weight)),
        inverse_root_correction(V::broadcast(step.inverse_root_correction)),
        epsilon(V::broadcast(step.epsilon)),
        negative_step(V::broadcast(-step.step_size)),
        parameters(step.parameters),
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

/// target[j, i] = source[i, j], both of sides that are multiples of 16; where `keep` is given, 0 unless keep[j, i] > 0.
template <class V>
void transpose(const float* source, std::size_t num_rows, std::size_t num_columns, float* target, const float* keep) {
  for (std::size_t i = 0; i < num_rows; i += V::width)
    for (std::size_t j = 0; j < num_columns; j += V::width) {
      typename V::Type rows[V::width];
#pragma GCC unroll 16
      for (std::size_t r = 0; r < V::width; ++r) rows[r] = V::load(source + (i + r) * num_columns + j);
      transpose<V>(rows);
#pragma GCC unroll 16
      for (std::size_t r = 0; r < V::width; ++r) {
        const std::size_t offset = (j + r) * num_rows + i;
        V::store(target + offset, keep ? V::where_positive(V::load(keep + offset), rows[r]) : rows[r]);
      }
    }
}

/// Treats denormal numbers as zeros while it lives. Moments of weights that get no gradient decay into them, where
/// arithmetic is ten times slower.
class DenormalsAreZero {
 public:
#if defined(__SSE__)
  DenormalsAreZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
  ~DenormalsAreZero() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#endif
};

}  // namespace
}  // namespace coffee_fast
