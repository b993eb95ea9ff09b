// Gradients of both learners against backpropagation written out in double precision.

#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "coffee_fast/mlp.hpp"
#include "coffee_fast/q_network.hpp"
#include "coffee_fast/rng.hpp"
#include "coffee_fast/trained_network.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

using Doubles = std::vector<double>;

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
  Stream stream(seed, Purpose::weights);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(stream.next_double() - 0.5);
  return values;
}

struct Network {
  std::vector<std::size_t> sizes;
  std::vector<std::vector<float>> weights, biases;

  Network(std::vector<std::size_t> sizes_, std::uint64_t seed) : sizes(std::move(sizes_)) {
    for (std::size_t l = 0; l + 1 < sizes.size(); ++l) {
      weights.push_back(random_values(sizes[l] * sizes[l + 1], seed + l));
      biases.push_back(random_values(sizes[l + 1], seed + 100 + l));
    }
  }

  std::vector<Mlp::Layer> layers() const {
    std::vector<Mlp::Layer> result;
    for (std::size_t l = 0; l < weights.size(); ++l)
      result.push_back({{weights[l].data(), sizes[l + 1], sizes[l]}, biases[l]});
    return result;
  }

  /// The inputs, then what each layer gives at one row.
  std::vector<Doubles> forward(std::span<const float> row) const {
    std::vector<Doubles> values{Doubles(row.begin(), row.end())};
    for (std::size_t l = 0; l < weights.size(); ++l) {
      Doubles sums(biases[l].begin(), biases[l].end());
      for (std::size_t n = 0; n < sums.size(); ++n) {
        for (std::size_t k = 0; k < sizes[l]; ++k) sums[n] += values[l][k] * weights[l][n * sizes[l] + k];
        if (l + 1 < weights.size() && sums[n] < 0.0) sums[n] = 0.0;
      }
      values.push_back(sums);
    }
    return values;
  }

  /// Adds the gradient by weights, then biases, of each layer where the loss has this gradient by the outputs.
  void add_gradient(std::span<const float> row, Doubles by_outputs, std::vector<Doubles>& gradient) const {
    const std::vector<Doubles> values = forward(row);
    for (std::size_t l = weights.size(); l-- > 0;) {
      Doubles by_inputs(sizes[l]);
      for (std::size_t n = 0; n < sizes[l + 1]; ++n) {
        gradient[2 * l + 1][n] += by_outputs[n];
        for (std::size_t k = 0; k < sizes[l]; ++k) {
          gradient[2 * l][n * sizes[l] + k] += by_outputs[n] * values[l][k];
          by_inputs[k] += by_outputs[n] * weights[l][n * sizes[l] + k];
        }
      }
      for (std::size_t k = 0; k < sizes[l]; ++k)
        if (values[l][k] <= 0.0) by_inputs[k] = 0.0;  // of no concern to the inputs themselves
      by_outputs = by_inputs;
    }
  }

  std::vector<Doubles> no_gradient() const {
    std::vector<Doubles> result;
    for (std::size_t l = 0; l < weights.size(); ++l) {
      result.emplace_back(weights[l].size());
      result.emplace_back(biases[l].size());
    }
    return result;
  }

  /// Whether `read(layer, weights, bias)` gives `factor` times the gradient.
  template <class Read>
  bool agrees(const std::vector<Doubles>& gradient, double factor, Read read) const {
    bool same = true;
    for (std::size_t l = 0; l < weights.size(); ++l) {
      std::vector<float> found_weights(weights[l].size()), found_bias(biases[l].size());
      read(l, MatrixView<float>(found_weights.data(), sizes[l + 1], sizes[l]), std::span<float>(found_bias));
      for (const auto& [found, expected] :
           {std::pair(&found_weights, &gradient[2 * l]), std::pair(&found_bias, &gradient[2 * l + 1])})
        for (std::size_t i = 0; i < found->size(); ++i)
          same &= std::abs((*found)[i] - factor * (*expected)[i]) <= 1e-5 * (1.0 + std::abs((*expected)[i]));
    }
    return same;
  }
};

}  // namespace

TEST(trained_network_has_the_gradient_of_its_loss) {
  for (const std::size_t num_rows : {1u, 7u, 64u, 128u}) {
    const Network network({11, 40, 37, 5}, 1);
    const TrainedNetwork learner(network.layers());
    const std::vector<float> inputs = random_values(num_rows * 11, 2), by_outputs = random_values(num_rows * 5, 3);
    TrainedNetwork::Pass pass = learner.make_pass();
    const auto outputs = learner.forward({inputs.data(), num_rows, 11}, pass);
    std::vector<Doubles> expected = network.no_gradient();
    bool same = true;
    for (std::size_t r = 0; r < num_rows; ++r) {
      const auto row = std::span(inputs).subspan(r * 11, 11);
      const auto of_row = std::span(by_outputs).subspan(r * 5, 5);
      const Doubles values = network.forward(row).back();
      for (std::size_t i = 0; i < 5; ++i) same &= std::abs(outputs(r, i) - values[i]) < 1e-5;
      network.add_gradient(row, Doubles(of_row.begin(), of_row.end()), expected);
      for (std::size_t i = 0; i < 5; ++i) learner.output_gradients(pass)(r, i) = of_row[i];
    }
    std::vector<float> gradient(learner.gradient_size());
    learner.backward(pass, gradient);
    EXPECT(same);
    EXPECT(network.agrees(expected, 1.0, [&](std::size_t layer, MatrixView<float> weights, std::span<float> bias) {
      learner.read_layer(gradient, layer, weights, bias);
    }));
  }
}

TEST(q_network_has_the_gradient_of_double_q_learning) {
  constexpr std::size_t B = 30, I = 9, A = 19;
  const Network online({I, 36, 33, A}, 1), target({I, 36, 33, A}, 50);
  const std::vector<float> states = random_values(B * I, 2), next_states = random_values(B * I, 3),
                           rewards = random_values(B, 4), luck = random_values(B * A, 5);
  std::vector<std::int32_t> actions;
  std::vector<std::uint8_t> is_final, masks;
  for (std::size_t i = 0; i < B * A; ++i) masks.push_back(i % A == 0 || luck[i] > 0.1f);
  for (std::size_t b = 0; b < B; ++b) {
    actions.push_back(static_cast<std::int32_t>(b % A));
    is_final.push_back(b % 4 == 0);
  }
  QNetwork learner(online.layers(), target.layers(), {.discount = 0.9f});
  const float loss = learner.gradient_step({.information_states = {states.data(), B, I},
                                            .actions = actions,
                                            .rewards = rewards,
                                            .next_information_states = {next_states.data(), B, I},
                                            .is_final = is_final,
                                            .next_legal_masks = {masks.data(), B, A}});
  double expected_loss = 0.0;
  std::vector<Doubles> expected = online.no_gradient();
  for (std::size_t b = 0; b < B; ++b) {
    const auto state = std::span(states).subspan(b * I, I), next = std::span(next_states).subspan(b * I, I);
    const Doubles next_values = online.forward(next).back();
    std::size_t best = 0;  // always legal
    for (std::size_t a = 0; a < A; ++a)
      if (masks[b * A + a] && next_values[a] > next_values[best]) best = a;
    const double y = rewards[b] + (is_final[b] ? 0.0 : double{0.9f} * target.forward(next).back()[best]);
    const auto action = static_cast<std::size_t>(actions[b]);
    const double error = online.forward(state).back()[action] - y;
    expected_loss += error * error / B;
    Doubles by_outputs(A);
    by_outputs[action] = 2.0 * error / B;
    online.add_gradient(state, by_outputs, expected);
  }
  EXPECT(std::abs(loss - expected_loss) < 1e-5);
  // After one step from zero, Adam's first moment is a tenth of the gradient.
  EXPECT(online.agrees(expected, 0.1, [&](std::size_t layer, MatrixView<float> weights, std::span<float> bias) {
    learner.read_layer(QNetwork::Part::first_moment, layer, weights, bias);
  }));
}
