#pragma once

// The forward pass of one affine layer, written once over the registers of simd.hpp. Each instruction set's unit
// instantiates it; like simd.hpp it uses nothing of std:: that the linker could share between the units.

#include <cstddef>
#include <utility>

#include "mlp_kernels.hpp"
#include "simd.hpp"

namespace coffee_fast {
namespace {

/// outputs[rows, N registers] = values, but for columns beyond the block's last.
template <class V, std::size_t N, std::size_t... I>
[[gnu::always_inline]] inline void store_tile(const AffineBlock& block, const typename V::Type (&values)[sizeof...(I)],
                                              std::index_sequence<I...>) {
  float* const outputs = block.outputs;  // read before a store that might, for all the compiler knows, change them
  const std::size_t stride = block.output_stride, columns = block.num_outputs;
  if (columns >= N * V::width) {
    (V::store(outputs + I / N * stride + I % N * V::width, values[I]), ...);
  } else {
    const auto stored = [columns](std::size_t first) {
      return columns <= first ? 0 : columns - first < V::width ? columns - first : V::width;
    };
    (V::store_first(outputs + I / N * stride + I % N * V::width, values[I], stored(I % N * V::width)), ...);
  }
}

/// What one panel's first half times its second is held in: registers of V, or half a register if that holds a panel.
template <class V, bool holds_a_panel = V::width == panel_width>
struct Products {
  using Vector = V;
  static constexpr std::size_t per_panel = panel_width / 2 / V::width;

  /// The I-th register of them, of sums of any number of panels.
  template <std::size_t I, std::size_t S>
  [[gnu::always_inline]] static inline typename V::Type of(const typename V::Type (&sums)[S]) {
    constexpr std::size_t first = I + I / per_panel * per_panel;
    return V::multiply(sums[first], sums[first + per_panel]);
  }
};

template <class V>
struct Products<V, true> {
  using Vector = typename V::Half;
  static constexpr std::size_t per_panel = 1;

  template <std::size_t I, std::size_t S>
  [[gnu::always_inline]] static inline typename Vector::Type of(const typename V::Type (&sums)[S]) {
    return V::multiply_halves(sums[I]);
  }
};

template <class V, std::size_t P, std::size_t S, std::size_t... I>
[[gnu::always_inline]] inline void store_products(const AffineBlock& block, const typename V::Type (&sums)[S],
                                                  std::index_sequence<I...> registers) {
  using Vector = typename Products<V>::Vector;
  const typename Vector::Type products[] = {Products<V>::template of<I>(sums)...};
  store_tile<Vector, P * Products<V>::per_panel>(block, products, registers);
}

/// outputs[R, P panels] = max(floor, bias + inputs[R, K] weights[K, P panels]), or products, all of K in registers.
///
/// `sums` is an array only to the reader: every index is a constant before any optimization runs, so the compiler sees
/// R * N variables. Indexed by loops, GCC 12 keeps it on the stack and stores it at every k, at half the speed.
template <class V, std::size_t R, std::size_t P, std::size_t... I, std::size_t... J>
[[gnu::always_inline]] inline void multiply(const AffineBlock& block, std::index_sequence<I...> registers,
                                            std::index_sequence<J...>) {
  using Register = typename V::Type;
  constexpr std::size_t width = V::width;
  constexpr std::size_t vectors_per_panel = panel_width / width;
  constexpr std::size_t N = P * vectors_per_panel;
  const std::size_t panel_stride = block.num_inputs * panel_width;
  const std::size_t input_stride = block.input_stride;

  Register sums[] = {V::load(block.bias + I % N * width)...};
  const float* input = block.inputs;
  const float* weight = block.weights;
  for (std::size_t k = block.num_inputs; k > 0; --k) {
    const Register weights[] = {
        V::load(weight + J / vectors_per_panel * panel_stride + J % vectors_per_panel * width)...};
    ((sums[I] = V::multiply_add(V::broadcast(input[I / N * input_stride]), weights[I % N], sums[I])), ...);
    ++input;
    weight += panel_width;
  }

  if (block.computes_products)
    return store_products<V, P>(block, sums, std::make_index_sequence<R * P * Products<V>::per_panel>{});
  const Register floor = V::broadcast(block.floor);
  ((sums[I] = V::at_least(sums[I], floor)), ...);
  store_tile<V, N>(block, sums, registers);
}

template <class V, std::size_t R, std::size_t P>
void multiply_tile(const AffineBlock& block) {
  constexpr std::size_t N = P * panel_width / V::width;
  multiply<V, R, P>(block, std::make_index_sequence<R * N>{}, std::make_index_sequence<N>{});
}

/// The tallest tile of P panels: beside the sums, its weights and one input must fit in the registers.
template <class V>
constexpr std::size_t max_tile_rows(std::size_t num_panels) {
  return (V::num_registers - 2) / (num_panels * panel_width / V::width) - 1;
}

using Tile = void (*)(const AffineBlock& block);

template <class V, std::size_t R, std::size_t P>
constexpr Tile tile_or_null() {
  if constexpr (R <= max_tile_rows<V>(P)) {
    return &multiply_tile<V, R, P>;
  } else {
    return nullptr;
  }
}

template <class V, std::size_t R, std::size_t... P>
constexpr void fill_row(Tile* row, std::index_sequence<P...>) {
  ((row[P] = tile_or_null<V, R, P + 1>()), ...);
}

/// tiles[R - 1][P - 1], for all that fit.
template <class V>
struct TileTable {
  static constexpr std::size_t num_rows = max_tile_rows<V>(V::panels_at_full_height);
  static constexpr std::size_t num_panels = 2 * V::panels_at_full_height;
  Tile tiles[num_rows][num_panels];

  constexpr TileTable() : tiles{} { fill(std::make_index_sequence<num_rows>{}); }

 private:
  template <std::size_t... R>
  constexpr void fill(std::index_sequence<R...>) {
    (fill_row<V, R + 1>(tiles[R], std::make_index_sequence<num_panels>{}), ...);
  }
};

/// Covers the block with tiles as wide as their height allows: tall ones where there are rows enough, and for a handful
/// of rows wide ones, so that in both there are sums enough to hide a multiply-add's latency.
template <class V>
void affine(const AffineBlock& block) {
  static constexpr TileTable<V> table;
  const std::size_t num_tiles = (block.num_rows + table.num_rows - 1) / table.num_rows;
  const std::size_t tallest = (block.num_rows + num_tiles - 1) / num_tiles;
  std::size_t widest = table.num_panels;
  while (tallest > max_tile_rows<V>(widest)) --widest;

  const std::size_t panel_outputs = block.computes_products ? panel_width / 2 : panel_width;
  const std::size_t num_panels = (block.num_outputs + panel_outputs - 1) / panel_outputs;
  for (std::size_t panel = 0; panel < num_panels; panel += widest) {  // outermost: these weights stay in L1
    const std::size_t left = num_panels - panel;
    const std::size_t column = panel * panel_outputs;
    AffineBlock tile = block;
    tile.weights += panel * panel_width * block.num_inputs;
    tile.bias += panel * panel_width;
    tile.num_outputs -= column;
    for (std::size_t t = 0; t < num_tiles; ++t) {
      const std::size_t row = t * block.num_rows / num_tiles;  // heights that differ by one row at most
      const std::size_t rows = (t + 1) * block.num_rows / num_tiles - row;
      tile.inputs = block.inputs + row * block.input_stride;
      tile.outputs = block.outputs + row * block.output_stride + column;
      table.tiles[rows - 1][(left < widest ? left : widest) - 1](tile);
    }
  }
}

/// Enough chains to cover the latency of two multiply-adds a cycle, few enough for the registers.
template <class V>
constexpr std::size_t num_chains = V::num_registers / 2 + 2;

template <class V, std::size_t... I>
[[gnu::always_inline]] inline float run_chains(std::size_t num_rounds, std::index_sequence<I...>) {
  typename V::Type sums[] = {V::broadcast(static_cast<float>(I))...};
  const auto factor = V::broadcast(0.5f);
  for (; num_rounds > 0; --num_rounds) {
    ((sums[I] = V::multiply_add(sums[I], factor, factor)), ...);
    asm volatile("");  // the rounds must happen one by one
  }
  auto total = factor;
  ((total = V::multiply_add(sums[I], factor, total)), ...);
  float first = 0.0f;
  V::store_first(&first, total, 1);
  return first;
}

template <class V>
float fma_chains(std::size_t num_rounds) {
  return run_chains<V>(num_rounds, std::make_index_sequence<num_chains<V>>{});
}

template <class V>
constexpr MlpKernels make_mlp_kernels() {
  return {&affine<V>, &fma_chains<V>, 2 * V::width * num_chains<V>};
}

}  // namespace
}  // namespace coffee_fast
