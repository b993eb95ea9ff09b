#include "coffee_fast/anchored_mirror_descent.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/anchored.hpp"

namespace coffee_fast {
namespace {

constexpr double largest_ratio = 10.0;  // of a range to a weight: one outlier must not widen what is allowed

class Rounds {
 public:
  Rounds(const StageGame& game, std::span<const double> reference, std::span<const double> kl_weight)
      : game_(game),
        reference_(reference),
        kl_weight_(kl_weight),
        current_(reference.begin(), reference.end()),
        played_(reference.size()),
        values_(reference.size()),
        sums_(reference.size(), 0.0),
        value_(game.num_mixtures(), 0.0),
        joint_(game.payoffs(0).size(), 0.0) {
    normalize();
  }

  /// Adds a round to the sums.
  void play() {
    std::transform(current_.begin(), current_.end(), played_.begin(), [](double x) { return std::exp(x); });
    game_.deviation_payoffs(played_, values_);
    add_profiles();
    for (std::size_t a = 0; a < sums_.size(); ++a) sums_[a] += values_[a];
    for (std::size_t i = 0; i < value_.size(); ++i) {
      const auto x = game_.part(std::span<const double>(played_), i),
                 q = game_.part(std::span<const double>(values_), i);
      double payoff = 0.0;
      for (std::size_t a = 0; a < x.size(); ++a) payoff += x[a] * q[a];
      const auto mixture = game_.part(std::span<const double>(current_), i);
      value_[i] += payoff - kl_weight_[i] * log_kl_divergence(mixture, game_.part(reference_, i));
    }
  }

  /// What one mixture for all `t` rounds could gain: the best response to the mean of the payoffs.
  std::vector<double> gap(std::size_t t) const {
    std::vector<double> gaps(value_.size()), mean = sums_, response(sums_.size());
    for (double& value : mean) value /= static_cast<double>(t);
    for (std::size_t i = 0; i < gaps.size(); ++i) {
      const double best =
          anchored_best_response(game_.part(std::span<const double>(mean), i), game_.part(reference_, i), kl_weight_[i],
                                 game_.part(std::span(response), i));
      gaps[i] = std::max(best - value_[i] / static_cast<double>(t), 0.0);
    }
    return gaps;
  }

  /// The step after round `t`.
  void move(std::size_t t, double step_size) {
    for (std::size_t i = 0; i < value_.size(); ++i) {
      const double weight = kl_weight_[i];
      for (std::size_t a = game_.begin(i); a < game_.begin(i) + game_.size(i); ++a)
        current_[a] = step_size == 0.0 ? reference_[a] + sums_[a] / (weight * static_cast<double>(t + 1))
                                       : (current_[a] + step_size * (weight * reference_[a] + values_[a])) /
                                             (1.0 + step_size * weight);
    }
    normalize();
  }

  CorrelatedPlay result(std::vector<double> gap, std::size_t t) const {
    CorrelatedPlay found{joint_, std::vector<double>(played_.size(), 0.0), played_, std::move(gap), value_, t};
    for (double& probability : found.joint) probability /= static_cast<double>(t);
    for (double& value : found.value) value /= static_cast<double>(t);
    std::size_t stride = found.joint.size();
    for (std::size_t i = 0; i < game_.num_mixtures(); ++i) {
      const std::size_t size = game_.size(i);
      stride /= size;
      for (std::size_t profile = 0; profile < found.joint.size(); ++profile)
        found.average[game_.begin(i) + profile / stride % size] += found.joint[profile];
    }
    return found;
  }

 private:
  void normalize() {
    for (std::size_t i = 0; i < game_.num_mixtures(); ++i) {
      const std::span<double> mixture = game_.part(std::span(current_), i);
      const double log_total = log_sum_exp(mixture);
      for (double& x : mixture) x -= log_total;
    }
  }

  /// Adds the product of the mixtures to the joint distribution, axis by axis.
  void add_profiles() {
    product_.assign(1, 1.0);
    for (std::size_t axis = 0; axis < game_.num_axes(); ++axis) {
      const auto mixture = game_.part(std::span<const double>(played_), game_.owner(axis));
      longer_.clear();
      for (const double p : product_)
        for (const double x : mixture) longer_.push_back(p * x);
      product_.swap(longer_);
    }
    for (std::size_t profile = 0; profile < joint_.size(); ++profile) joint_[profile] += product_[profile];
  }

  const StageGame& game_;
  std::span<const double> reference_, kl_weight_;
  std::vector<double> current_, played_, values_, sums_, value_, joint_, product_, longer_;
};

}  // namespace

CorrelatedPlay anchored_mirror_descent(const StageGame& game, std::span<const double> reference,
                                       std::span<const double> kl_weight, const MirrorDescentOptions& options,
                                       CancelToken& cancel) {
  Rounds rounds(game, reference, kl_weight);
  for (std::size_t t = 1;; ++t) {
    cancel.poll();
    rounds.play();
    if (options.tolerance > 0.0 || t == options.num_iterations) {
      std::vector<double> gap = rounds.gap(t);
      bool is_done = true;
      for (std::size_t i = 0; i < gap.size(); ++i)
        is_done &= gap[i] <= options.tolerance * std::min(game.range(i), largest_ratio * kl_weight[i]);
      if (is_done || t == options.num_iterations) return rounds.result(std::move(gap), t);
    }
    rounds.move(t, options.step_size);
  }
}

}  // namespace coffee_fast
