#pragma once

// Products of packed matrices, written once over the registers of simd.hpp and instantiated by each instruction set's
// unit. Nothing of std:: that the linker could share between the units is used here.

#include <cstddef>
#include <utility>

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

/// Panels that go through the registers together where there are as many left.
template <class V>
constexpr std::size_t panels_at_once = V::width == panel_width ? 2 : 1;

/// Rows of the tallest tile: beside its sums, its columns and one element of `a` must fit in the registers. A last
/// panel alone gets no taller ones: they would cost more to compile than all others, and gain nothing.
template <class V>
constexpr std::size_t max_rows = (V::num_registers - 2) / (panels_at_once<V> * panel_width / V::width) - 1;

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
  const std::size_t num_tiles = (num_rows + max_rows<V> - 1) / max_rows<V>;
  for (std::size_t tile = 0, row = 0; tile < num_tiles; ++tile) {
    const std::size_t height = (num_rows - row) / (num_tiles - tile);
    product.a = a + row * product.a_row;
    multiply_rows<V, P>(height, product, make_epilogue(row, first_panel), std::make_index_sequence<max_rows<V>>{});
    row += height;
  }
}

template <class V, class MakeEpilogue>
[[gnu::noinline]] void multiply(const Product& product, std::size_t num_rows, std::size_t num_panels,
                                const MakeEpilogue& make_epilogue) {
  constexpr std::size_t P = panels_at_once<V>;
  std::size_t panel = 0;
  for (; panel + P <= num_panels; panel += P) multiply_panels<V, P>(product, num_rows, panel, make_epilogue);
  for (; panel < num_panels; ++panel) multiply_panels<V, 1>(product, num_rows, panel, make_epilogue);
}

}  // namespace
}  // namespace coffee_fast
