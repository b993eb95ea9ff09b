#include "coffee_fast/anchored_solver.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/anchored.hpp"
#include "coffee_fast/anchored_branch.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t rescue_iterations = 200;
constexpr double rescue_damping = 0.1;
constexpr double largest_ratio = 10.0;  // of a range to a weight: one outlier must not widen what is allowed

/// The best profile found so far, by the largest divergence as a share of what is allowed.
class Search {
 public:
  Search(const StageGame& scaled, std::span<const double> reference, std::vector<double> allowed)
      : scaled_(scaled),
        reference_(reference),
        allowed_(std::move(allowed)),
        ones_(allowed_.size(), 1.0),
        mixtures_(reference.begin(), reference.end()),
        divergence_(allowed_.size()) {
    regularized_gap(scaled_, reference_, ones_, mixtures_, divergence_);
  }

  const std::vector<double>& mixtures() const { return mixtures_; }
  const std::vector<double>& divergence() const { return divergence_; }
  const std::vector<double>& allowed() const { return allowed_; }
  std::size_t num_iterations = 0;

  bool has_converged() const {
    for (std::size_t i = 0; i < allowed_.size(); ++i)
      if (!(divergence_[i] <= allowed_[i])) return false;
    return true;
  }

  /// Moves on from the best profile, a share of the way to the best response each time, until it has converged.
  void iterate(double damping, std::size_t max_iterations, CancelToken& cancel) {
    std::vector<double> current = mixtures_, probabilities(current.size()), values(current.size());
    for (std::size_t iteration = 0; iteration < max_iterations && !has_converged(); ++iteration) {
      cancel.poll();
      std::transform(current.begin(), current.end(), probabilities.begin(), [](double x) { return std::exp(x); });
      scaled_.deviation_payoffs(probabilities, values);
      for (std::size_t a = 0; a < current.size(); ++a)
        current[a] = (1.0 - damping) * current[a] + damping * (reference_[a] + values[a]);
      for (std::size_t i = 0; i < scaled_.num_mixtures(); ++i) {
        const std::span<double> mixture = scaled_.part(std::span(current), i);
        const double log_total = log_sum_exp(mixture);
        for (double& x : mixture) x -= log_total;
      }
      ++num_iterations;
      keep(current);
    }
  }

  /// Keeps a profile that is better than all before.
  void keep(const std::vector<double>& mixtures) {
    std::vector<double> divergence(allowed_.size());
    regularized_gap(scaled_, reference_, ones_, mixtures, divergence);
    if (!(excess(divergence) < excess(divergence_))) return;
    mixtures_ = mixtures;
    divergence_ = divergence;
  }

 private:
  double excess(const std::vector<double>& divergence) const {
    double largest = 0.0;
    for (std::size_t i = 0; i < divergence.size(); ++i) {
      const double share = divergence[i] / allowed_[i];
      if (std::isnan(share)) return share;  // no profile is worse
      largest = std::max(largest, share);
    }
    return largest;
  }

  const StageGame& scaled_;
  std::span<const double> reference_;
  std::vector<double> allowed_, ones_, mixtures_, divergence_;
};

}  // namespace

AnchoredEquilibrium solve_anchored(const StageGame& game, std::span<const double> reference,
                                   std::span<const double> kl_weight, const AnchoredOptions& options,
                                   CancelToken& cancel) {
  const std::size_t M = game.num_mixtures();
  double largest_range = 0.0;
  std::vector<double> allowed(M);  // of the KL divergence
  for (std::size_t i = 0; i < M; ++i) {
    const double range = game.range(i);
    largest_range = std::max(largest_range, range);
    allowed[i] = options.tolerance * std::min((range > 0.0 ? range : 1.0) / kl_weight[i], largest_ratio);
  }
  AnchoredEquilibrium found;
  found.contraction = contraction(game, kl_weight);
  found.is_zero_sum = is_zero_sum(game, kl_weight);
  // (1 + step * weight)^-1 for the step weight / max |U|^2 of mirror descent, as a share of the way to the response.
  const double ratio = *std::min_element(kl_weight.begin(), kl_weight.end()) / std::max(0.5 * largest_range, 1e-280);
  const double strength = std::min(ratio, 1e8) * std::min(ratio, 1e8);
  const bool is_automatic = options.method == AnchoredMethod::automatic;
  found.method = options.method;
  if (is_automatic) {
    const double needed = std::log(1.0 / std::min(options.tolerance, 0.5)) / std::log1p(strength);
    // A linear system costs the cube of the number of actions; there are some tens on a branch.
    const double cost = static_cast<double>(M * game.payoffs(0).size());
    const double cost_of_branch = 2.0 * std::pow(static_cast<double>(game.num_actions()), 3);
    const bool is_quick = needed <= std::min(static_cast<double>(options.max_iterations), cost_of_branch / cost);
    found.method = found.contraction < 1.0         ? AnchoredMethod::fixed_point
                   : found.is_zero_sum && is_quick ? AnchoredMethod::mirror_descent
                                                   : AnchoredMethod::homotopy;
  }

  const StageGame scaled = game.centered(kl_weight);
  Search search(scaled, reference, allowed);
  if (found.method != AnchoredMethod::homotopy)
    search.iterate(found.method == AnchoredMethod::fixed_point ? 1.0 : strength / (1.0 + strength),
                   options.max_iterations, cancel);
  if (is_automatic && !search.has_converged()) found.method = AnchoredMethod::homotopy;
  if (found.method == AnchoredMethod::homotopy) {
    const BranchEnd end = trace_branch(scaled, reference, search.allowed(), cancel);
    search.num_iterations += end.num_solves;
    search.keep(end.mixtures);
    // Tracing got stuck: whatever is in reach, with its gap.
    search.iterate(rescue_damping, rescue_iterations, cancel);
  }
  found.mixtures = search.mixtures();
  found.gap = search.divergence();
  for (std::size_t i = 0; i < M; ++i) found.gap[i] *= kl_weight[i];
  found.has_converged = search.has_converged();
  found.num_iterations = search.num_iterations;
  return found;
}

}  // namespace coffee_fast
