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

/// gradient[inputs, batch] = W gradient_of_outputs[outputs, batch] of one layer in panels. The batch lies in panels
/// too, [batch / 16][inputs or outputs][16]: rows of the whole batch would meet in few of the cache's sets.
template <class V>
void hidden_backward(const LayerShape& shape, const float* parameters, const float* output_gradient,
                     std::size_t padded_batch, float* input_gradient) {
  const Product product{parameters + shape.weights,
                        panel_width,
                        1,
                        shape.inputs * panel_width,
                        output_gradient,
                        panel_width,
                        shape.padded_outputs * panel_width,
                        shape.padded_outputs / panel_width,
                        panel_width};
  const std::size_t panel_size = (shape.inputs + panel_width - 1) / panel_width * panel_width * panel_width;
  multiply<V>(product, shape.inputs, padded_batch / panel_width, [=](std::size_t row, std::size_t panel) {
    float* const tile = input_gradient + panel * panel_size + row * panel_width;
    return [=](std::size_t r, std::size_t column, typename V::Type sum) __attribute__((always_inline)) {
      V::store(tile + column / panel_width * panel_size + r * panel_width + column % panel_width, sum);
    };
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

/// Rows of `num_columns` values into panels of 16 rows, [rows / 16][columns][16]; both sides are multiples of 16.
template <class V>
void to_panels(const float* source, std::size_t num_rows, std::size_t num_columns, float* target) {
  for (std::size_t i = 0; i < num_rows; i += V::width)
    for (std::size_t j = 0; j < num_columns; j += V::width) {
      typename V::Type rows[V::width];
#pragma GCC unroll 16
      for (std::size_t r = 0; r < V::width; ++r) rows[r] = V::load(source + (i + r) * num_columns + j);
      transpose<V>(rows);
      float* const panel = target + i / panel_width * panel_width * num_columns + i % panel_width;
#pragma GCC unroll 16
      for (std::size_t r = 0; r < V::width; ++r) V::store(panel + (j + r) * panel_width, rows[r]);
    }
}

/// The way back, with 0 in place of what stands where `keep` [rows, columns] is not positive.
template <class V>
void from_panels(const float* source, std::size_t num_rows, std::size_t num_columns, const float* keep, float* target) {
  for (std::size_t i = 0; i < num_rows; i += V::width)
    for (std::size_t j = 0; j < num_columns; j += V::width) {
      typename V::Type columns[V::width];
      const float* const panel = source + i / panel_width * panel_width * num_columns + i % panel_width;
#pragma GCC unroll 16
      for (std::size_t c = 0; c < V::width; ++c) columns[c] = V::load(panel + (j + c) * panel_width);
      transpose<V>(columns);
#pragma GCC unroll 16
      for (std::size_t c = 0; c < V::width; ++c) {
        const std::size_t offset = (i + c) * num_columns + j;
        V::store(target + offset, V::where_positive(V::load(keep + offset), columns[c]));
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
