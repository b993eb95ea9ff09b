#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "coffee_fast/error.hpp"
#include "coffee_fast/mlp.hpp"
#include "coffee_fast/rng.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
  Stream stream(seed, Purpose::weights);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(stream.next_double() - 0.5);
  return values;
}

/// Layers that compute sizes[1], sizes[2], ... values each; those of a product network compute as many products.
struct Network {
  std::vector<std::size_t> sizes;
  Activation activation;
  std::vector<std::vector<float>> weights, biases;

  explicit Network(std::vector<std::size_t> sizes_, Activation activation_ = Activation::relu)
      : sizes(std::move(sizes_)), activation(activation_) {
    for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
      weights.push_back(random_values(num_inputs(l) * num_rows(l), l));
      biases.push_back(random_values(num_rows(l), 100 + l));
    }
  }

  bool is_product(std::size_t l) const { return activation == Activation::product && l + 2 < sizes.size(); }
  std::size_t num_rows(std::size_t l) const { return sizes[l + 1] * (is_product(l) ? 2 : 1); }
  std::size_t num_inputs(std::size_t l) const {
    return activation == Activation::relu || l == 0 ? sizes[l] : sizes[l] + num_inputs(l - 1);
  }

  Mlp packed() const {
    std::vector<Mlp::Layer> layers;
    for (std::size_t l = 0; l < weights.size(); ++l)
      layers.push_back({{weights[l].data(), num_rows(l), num_inputs(l)}, biases[l]});
    return Mlp(layers, activation);
  }

  std::vector<double> forward(std::span<const float> row) const {
    std::vector<double> values(row.begin(), row.end());
    for (std::size_t l = 0; l < weights.size(); ++l) {
      std::vector<double> sums(biases[l].begin(), biases[l].end());
      for (std::size_t n = 0; n < sums.size(); ++n)
        for (std::size_t k = 0; k < values.size(); ++k) sums[n] += values[k] * weights[l][n * values.size() + k];
      if (is_product(l)) {
        for (std::size_t n = 0; n < sizes[l + 1]; ++n) sums[n] *= sums[sizes[l + 1] + n];
        sums.resize(sizes[l + 1]);
        sums.insert(sums.end(), values.begin(), values.end());
      } else if (l + 1 < weights.size()) {
        for (double& sum : sums) sum = sum < 0.0 ? 0.0 : sum;
      }
      values = sums;
    }
    return values;
  }
};

}  // namespace

TEST(mlp_computes_every_tile_shape) {
  for (const std::size_t num_outputs : {1u, 2u, 8u, 15u, 16u, 17u, 31u, 48u, 63u, 70u, 131u}) {
    const Network network({9, 20, num_outputs});
    const Mlp mlp = network.packed();
    Mlp::Workspace workspace;
    for (std::size_t num_rows = 0; num_rows <= 31; ++num_rows) {
      const std::vector<float> inputs = random_values(num_rows * 9, 7);
      std::vector<float> outputs(num_rows * num_outputs);
      mlp.forward({inputs.data(), num_rows, 9}, {outputs.data(), num_rows, num_outputs}, workspace);
      for (std::size_t row = 0; row < num_rows; ++row) {
        const std::vector<double> expected = network.forward(std::span(inputs).subspan(row * 9, 9));
        for (std::size_t n = 0; n < num_outputs; ++n)
          EXPECT(std::abs(outputs[row * num_outputs + n] - expected[n]) < 1e-5);
      }
    }
  }
}

TEST(mlp_puts_products_in_front_of_what_they_are_made_of) {
  for (const std::size_t width : {1u, 2u, 7u, 8u, 9u, 15u, 16u, 17u, 23u, 24u, 33u, 64u, 70u}) {
    for (std::size_t num_layers = 1; num_layers <= 3; ++num_layers) {
      std::vector<std::size_t> sizes(num_layers + 2, width);
      sizes.front() = 6;
      sizes[1] = width + num_layers - 1;
      sizes.back() = 11;
      const Network network(sizes, Activation::product);
      const Mlp mlp = network.packed();
      EXPECT(mlp.activation() == Activation::product);
      Mlp::Workspace workspace;
      for (const std::size_t num_rows : {0u, 1u, 2u, 5u, 6u, 7u, 14u, 97u}) {
        const std::vector<float> inputs = random_values(num_rows * 6, 7);
        std::vector<float> outputs(num_rows * 11);
        mlp.forward({inputs.data(), num_rows, 6}, {outputs.data(), num_rows, 11}, workspace);
        for (std::size_t row = 0; row < num_rows; ++row) {
          const std::vector<double> expected = network.forward(std::span(inputs).subspan(row * 6, 6));
          for (std::size_t n = 0; n < 11; ++n)
            EXPECT(std::abs(outputs[row * 11 + n] - expected[n]) < 1e-5 * (1.0 + std::abs(expected[n])));
        }
      }
    }
  }
}

namespace {

void expect_strides_are_kept(const Network& network) {
  const Mlp mlp = network.packed();
  Mlp::Workspace workspace;
  constexpr std::size_t num_rows = 200, input_stride = 8, output_stride = 23;
  std::vector<float> inputs = random_values(num_rows * input_stride, 3);
  std::vector<float> dense(num_rows * 5), expected(num_rows * 19);
  for (std::size_t row = 0; row < num_rows; ++row) {
    for (std::size_t k = 0; k < 5; ++k) dense[row * 5 + k] = inputs[row * input_stride + k];
    for (std::size_t k = 5; k < input_stride; ++k)
      inputs[row * input_stride + k] = std::numeric_limits<float>::quiet_NaN();
  }
  mlp.forward({dense.data(), num_rows, 5}, {expected.data(), num_rows, 19}, workspace);
  std::vector<float> outputs(num_rows * output_stride, 77.0f);
  mlp.forward({inputs.data(), num_rows, 5, input_stride}, {outputs.data(), num_rows, 19, output_stride}, workspace);
  for (std::size_t row = 0; row < num_rows; ++row) {
    for (std::size_t n = 0; n < 19; ++n) EXPECT(outputs[row * output_stride + n] == expected[row * 19 + n]);
    for (std::size_t n = 19; n < output_stride; ++n) EXPECT(outputs[row * output_stride + n] == 77.0f);
  }
}

}  // namespace

TEST(mlp_keeps_to_the_rows_of_strided_views) {
  expect_strides_are_kept(Network({5, 40, 19}));
  expect_strides_are_kept(Network({5, 40, 21, 19}, Activation::product));
}

TEST(mlp_workspace_serves_networks_and_batches_of_any_size) {
  const Network narrow({4, 3, 2}), wide({6, 150, 90, 7});
  const Mlp narrow_mlp = narrow.packed(), wide_mlp = wide.packed();
  const std::vector<float> inputs = random_values(6 * 300, 5);
  std::vector<float> fresh(7 * 300), reused(7 * 300), small(2 * 10);
  Mlp::Workspace fresh_workspace, workspace;
  wide_mlp.forward({inputs.data(), 300, 6}, {fresh.data(), 300, 7}, fresh_workspace);
  narrow_mlp.forward({inputs.data(), 10, 4}, {small.data(), 10, 2}, workspace);
  wide_mlp.forward({inputs.data(), 2, 6}, {reused.data(), 2, 7}, workspace);
  wide_mlp.forward({inputs.data(), 300, 6}, {reused.data(), 300, 7}, workspace);
  EXPECT(fresh == reused);

  const Mlp product_mlp = Network({6, 31, 40, 7}, Activation::product).packed();
  Mlp::Workspace product_workspace;
  product_mlp.forward({inputs.data(), 300, 6}, {fresh.data(), 300, 7}, product_workspace);
  product_mlp.forward({inputs.data(), 300, 6}, {reused.data(), 300, 7}, workspace);
  EXPECT(fresh == reused);
}

TEST(mlp_copies_share_nothing) {
  const Network network({4, 30, 20});
  const Mlp original = network.packed();
  const std::vector<float> inputs = random_values(4 * 9, 5);
  std::vector<float> expected(9 * 20), outputs(9 * 20);
  Mlp::Workspace workspace;
  original.forward({inputs.data(), 9, 4}, {expected.data(), 9, 20}, workspace);
  Mlp copy = Network({3, 2}).packed();
  copy = original;
  const Mlp moved = std::move(copy);
  moved.forward({inputs.data(), 9, 4}, {outputs.data(), 9, 20}, workspace);
  EXPECT(expected == outputs);
}

TEST(mlp_refuses_what_does_not_fit) {
  EXPECT_THROW(Mlp({}), InvalidArgument);
  Network broken({4, 3, 2});
  broken.sizes[1] = 2;
  EXPECT_THROW(broken.packed(), InvalidArgument);
  Network infinite({4, 3});
  infinite.weights[0][5] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(infinite.packed(), InvalidArgument);

  const std::vector<float> zeros(100);
  const auto product = [&](std::size_t rows, std::size_t columns) {
    const std::array<Mlp::Layer, 2> layers{
        {{{zeros.data(), rows, 3}, {zeros.data(), rows}}, {{zeros.data(), 1, columns}, {zeros.data(), 1}}}};
    return Mlp(layers, Activation::product);
  };
  EXPECT(product(4, 5).num_parameters() == 4 * 4 + 6);
  EXPECT_THROW(product(4, 4), InvalidArgument);
  EXPECT_THROW(product(5, 5), InvalidArgument);

  const Mlp mlp = Network({4, 3}).packed();
  Mlp::Workspace workspace;
  std::vector<float> values(100);
  const MatrixView<float> rows4(values.data(), 2, 4), rows3(values.data() + 50, 2, 3);
  EXPECT_THROW(mlp.forward(rows3, rows3, workspace), InvalidArgument);
  EXPECT_THROW(mlp.forward(rows4, rows4, workspace), InvalidArgument);
  EXPECT_THROW(mlp.forward(rows4, rows3.first_rows(1), workspace), InvalidArgument);
}
