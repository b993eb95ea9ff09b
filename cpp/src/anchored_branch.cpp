#include "coffee_fast/anchored_branch.hpp"

#include <algorithm>
#include <cmath>

#include "branch.hpp"
#include "coffee_fast/anchored.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t max_steps = 2000;

/// F(l, t) = l - log ref - t q(e^l) + log Z.
class AnchoredEquations : public Equations {
 public:
  AnchoredEquations(const StageGame& game, std::span<const double> reference)
      : game_(game),
        reference_(reference),
        size_(reference.size()),
        probabilities_(size_),
        values_(size_),
        response_(size_) {}

  void linearize(std::span<const double> logs, double t, std::span<double> residual, std::span<double> matrix,
                 std::span<double> by_time) override {
    for (std::size_t i = 0; i < size_; ++i) probabilities_[i] = std::exp(std::min(logs[i], 50.0));
    game_.deviation_payoffs(probabilities_, values_);
    std::fill(matrix.begin(), matrix.end(), 0.0);
    for (std::size_t i = 0; i < size_; ++i) matrix[i * size_ + i] = 1.0;
    for (std::size_t player = 0; player < game_.num_mixtures(); ++player) {
      const std::span<const double> q = game_.part(std::span<const double>(values_), player);
      const std::span<const double> anchor = game_.part(reference_, player);
      const std::span<double> response = game_.part(std::span(response_), player);
      const std::size_t begin = game_.begin(player);
      for (std::size_t a = 0; a < q.size(); ++a) response[a] = anchor[a] + t * q[a];
      const double log_total = log_sum_exp(response);
      double mean = 0.0;
      for (std::size_t a = 0; a < q.size(); ++a) {
        // What is not available stays so: differences of its logarithms are no numbers to go by.
        residual[begin + a] = is_available(anchor[a]) ? logs[begin + a] - response[a] + log_total : 0.0;
        response[a] = std::exp(response[a] - log_total);
        mean += response[a] * q[a];
      }
      for (std::size_t a = 0; a < q.size(); ++a) by_time[begin + a] = is_available(anchor[a]) ? mean - q[a] : 0.0;
      for (std::size_t axis = 0; axis < game_.num_axes(); ++axis)
        if (axis != player) add_derivatives(player, axis, t, matrix);
    }
  }

 private:
  /// Adds what a change of the mixture on `axis` does to the player's residual.
  void add_derivatives(std::size_t player, std::size_t axis, double t, std::span<double> matrix) {
    const std::size_t rows = game_.size(player), columns = game_.size(axis);
    const std::size_t row_begin = game_.begin(player), column_begin = game_.begin(game_.owner(axis));
    pairs_.resize(rows * columns);
    game_.pair_payoffs(player, axis, probabilities_, pairs_);
    std::vector<double> mean(columns, 0.0);
    for (std::size_t a = 0; a < rows; ++a)
      for (std::size_t b = 0; b < columns; ++b) {
        double& change = pairs_[a * columns + b];
        change *= t * probabilities_[column_begin + b];
        mean[b] += response_[row_begin + a] * change;
      }
    for (std::size_t a = 0; a < rows; ++a) {
      if (!is_available(reference_[row_begin + a])) continue;
      double* const row = matrix.data() + (row_begin + a) * size_ + column_begin;
      for (std::size_t b = 0; b < columns; ++b) row[b] += mean[b] - pairs_[a * columns + b];
    }
  }

  const StageGame& game_;
  std::span<const double> reference_;
  std::size_t size_;
  std::vector<double> probabilities_, values_, response_, pairs_;
};

}  // namespace

BranchEnd trace_branch(const StageGame& scaled, std::span<const double> reference, std::span<const double> allowed,
                       CancelToken& cancel) {
  double speed = 1.0;  // a step of one in t / s moves each log-probability by about one
  for (std::size_t i = 0; i < scaled.num_mixtures(); ++i) speed = std::max(speed, scaled.range(i));
  AnchoredEquations equations(scaled, reference);
  BranchPoint end = trace(equations, reference, speed, max_steps, cancel);
  if (end.has_arrived) end.num_solves += polish(equations, end.x, *std::min_element(allowed.begin(), allowed.end()));
  return {std::move(end.x), end.num_solves};
}

}  // namespace coffee_fast
