#include "coffee_fast/anchored.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace coffee_fast {
namespace {

/// The largest spread, over the others' actions, of the payoff of one own action.
double largest_spread(const StageGame& game, std::size_t mixture) {
  const std::span<const double> table = game.payoffs(mixture);
  const std::size_t own = game.size(mixture);
  std::size_t stride = 1;
  for (std::size_t axis = mixture + 1; axis < game.num_axes(); ++axis) stride *= game.size(axis);
  double largest = 0.0;
  for (std::size_t a = 0; a < own; ++a) {
    double lowest = table[a * stride], highest = lowest;
    for (std::size_t block = 0; block < table.size(); block += own * stride)
      for (std::size_t inner = 0; inner < stride; ++inner) {
        const double payoff = table[block + a * stride + inner];
        lowest = std::min(lowest, payoff);
        highest = std::max(highest, payoff);
      }
    largest = std::max(largest, highest - lowest);
  }
  return largest;
}

}  // namespace

double log_sum_exp(std::span<const double> values) {
  const double top = *std::max_element(values.begin(), values.end());
  double sum = 0.0;
  for (const double value : values) sum += std::exp(value - top);
  return top + std::log(sum);
}

double anchored_best_response(std::span<const double> values, std::span<const double> reference, double kl_weight,
                              std::span<double> response) {
  const double top = *std::max_element(values.begin(), values.end());  // out, so that small weights lose nothing
  for (std::size_t a = 0; a < values.size(); ++a) response[a] = reference[a] + (values[a] - top) / kl_weight;
  const double log_total = log_sum_exp(response);
  for (double& score : response) score -= log_total;
  return top + kl_weight * log_total;
}

double log_kl_divergence(std::span<const double> mixture, std::span<const double> other) {
  double sum = 0.0;
  for (std::size_t a = 0; a < mixture.size(); ++a) {
    const double difference = other[a] - mixture[a], p = std::exp(mixture[a]);
    const double term = std::abs(difference) < 1.0 ? p * (std::expm1(difference) - difference)
                                                   : std::exp(other[a]) - p - p * difference;
    sum += std::max(term, 0.0);
  }
  return sum;
}

void regularized_gap(const StageGame& game, std::span<const double> reference, std::span<const double> kl_weight,
                     std::span<const double> mixtures, std::span<double> gaps) {
  std::vector<double> probabilities(mixtures.size()), values(mixtures.size()), response(mixtures.size());
  std::transform(mixtures.begin(), mixtures.end(), probabilities.begin(), [](double x) { return std::exp(x); });
  game.deviation_payoffs(probabilities, values);
  for (std::size_t i = 0; i < game.num_mixtures(); ++i) {
    const std::span<double> best = game.part(std::span(response), i);
    anchored_best_response(game.part(std::span<const double>(values), i), game.part(reference, i), kl_weight[i], best);
    gaps[i] = kl_weight[i] * log_kl_divergence(game.part(mixtures, i), best);
  }
}

double contraction(const StageGame& game, std::span<const double> kl_weight) {
  const StageGame centered = game.centered(std::vector<double>(game.num_mixtures(), 1.0));
  std::vector<double> factors;
  for (std::size_t i = 0; i < game.num_mixtures(); ++i)
    factors.push_back(largest_spread(centered, i) / (2.0 * kl_weight[i]));
  if (game.num_axes() == 1) return factors[0];
  if (game.num_axes() == 2) return factors.front() * factors.back();
  return static_cast<double>(game.num_axes() - 1) * *std::max_element(factors.begin(), factors.end());
}

bool is_zero_sum(const StageGame& game, std::span<const double> kl_weight) {
  if (game.num_axes() != 2 || kl_weight.front() != kl_weight.back()) return false;
  const std::size_t rows = game.size(0), columns = game.size(1);
  const std::span<const double> row_payoffs = game.payoffs(0), column_payoffs = game.payoffs(game.num_mixtures() - 1);
  double lowest = HUGE_VAL, highest = -HUGE_VAL;
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) {
      const double other = game.num_mixtures() == 2 ? column_payoffs[r * columns + c] : row_payoffs[c * columns + r];
      const double half_sum = 0.5 * row_payoffs[r * columns + c] + 0.5 * other;
      lowest = std::min(lowest, half_sum);
      highest = std::max(highest, half_sum);
    }
  return highest - lowest <= 1e-9 * game.range(0);
}

}  // namespace coffee_fast
