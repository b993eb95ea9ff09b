#include "coffee_fast/risk_averse_solver.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "coffee_fast/anchored.hpp"
#include "coffee_fast/risk_averse_branch.hpp"

namespace coffee_fast {
namespace {

constexpr double dampings[] = {0.5, 0.1, 0.02};

void normalize(std::span<double> logs) {
  const double log_total = log_sum_exp(logs);
  for (double& x : logs) x -= log_total;
}

/// The best profile found so far, by the largest gap as a share of what is allowed.
class Search {
 public:
  Search(const RiskAverseGame& game, std::span<const double> allowed, std::span<const double> start)
      : game_(game), allowed_(allowed) {
    best_.mixtures.assign(start.begin(), start.end());
    best_.gap = game.gap(start);
    for (std::size_t player = 0; player < allowed.size(); ++player)
      best_.adversaries.push_back(game.adversary(player, start).p);
  }

  bool has_converged() const {
    for (std::size_t i = 0; i < allowed_.size(); ++i)
      if (!(best_.gap[i] <= allowed_[i])) return false;
    return true;
  }

  /// Traces the branch from uniform play.
  void trace(std::size_t max_steps, CancelToken& cancel) { end(trace_risk_averse(game_, max_steps, cancel)); }

  /// Takes Newton steps from the best profile.
  void polish() { end(polish_risk_averse(game_, best_.mixtures)); }

  /// Moves from the best profile a share of the way to each response until it has converged.
  void iterate(double damping, std::size_t num_iterations, CancelToken& cancel) {
    std::vector<double> current = best_.mixtures;
    for (std::size_t iteration = 0; iteration < num_iterations && !has_converged(); ++iteration) {
      cancel.poll();
      const std::vector<double> response = game_.responses(current);
      for (std::size_t a = 0; a < current.size(); ++a)
        current[a] = (1.0 - damping) * current[a] + damping * response[a];
      for (std::size_t player = 0; player < allowed_.size(); ++player)
        normalize(std::span(current).subspan(game_.begin(player), game_.size(player)));
      ++best_.num_iterations;
      keep(current, {});
    }
  }

  RiskAverseEquilibrium result() const {
    RiskAverseEquilibrium found = best_;
    for (std::size_t player = 0; player < allowed_.size(); ++player) {
      const std::span<const double> mixture = game_.part(found.mixtures, player);
      const Response response = game_.response(player, found.adversaries[player]);
      double largest = 0.0;
      for (std::size_t a = 0; a < mixture.size(); ++a)
        largest = std::max(largest, std::abs(std::exp(mixture[a]) - std::exp(response.logs[a])));
      found.residual.push_back(largest);
    }
    found.value = game_.value(found.mixtures);
    found.has_converged = has_converged();
    return found;
  }

 private:
  void end(RiskAverseBranchEnd point) {
    best_.num_iterations += point.num_solves;
    for (std::size_t player = 0; player < allowed_.size(); ++player)
      normalize(std::span(point.mixtures).subspan(game_.begin(player), game_.size(player)));
    for (std::vector<double>& adversary : point.adversaries) normalize(adversary);
    keep(point.mixtures, point.adversaries);
  }

  /// Keeps a profile that is better than all before, with the worst adversaries or, where the gap against them is
  /// smaller, those given.
  void keep(const std::vector<double>& mixtures, const std::vector<std::vector<double>>& adversaries) {
    std::vector<double> gap = game_.gap(mixtures);
    std::vector<bool> is_sharper(gap.size(), false);
    if (!adversaries.empty()) {
      const std::vector<double> other = game_.saddle_gap(mixtures, adversaries);
      for (std::size_t i = 0; i < gap.size(); ++i) {
        is_sharper[i] = other[i] < gap[i];
        if (is_sharper[i]) gap[i] = other[i];
      }
    }
    if (!(share(gap) < share(best_.gap))) return;
    best_.mixtures = mixtures;
    best_.gap = gap;
    for (std::size_t player = 0; player < gap.size(); ++player) {
      std::vector<double>& kept = best_.adversaries[player];
      kept = is_sharper[player] ? adversaries[player] : game_.adversary(player, mixtures).p;
      if (is_sharper[player])
        for (double& p : kept) p = std::exp(p);
    }
  }

  /// The largest gap as a share of what is allowed; NaN, which is no better than anything, if a gap is.
  double share(const std::vector<double>& gap) const {
    double largest = 0.0;
    for (std::size_t i = 0; i < gap.size(); ++i) {
      if (std::isnan(gap[i])) return gap[i];
      largest = std::max(largest, gap[i] / allowed_[i]);
    }
    return largest;
  }

  const RiskAverseGame& game_;
  std::span<const double> allowed_;
  RiskAverseEquilibrium best_;
};

}  // namespace

RiskAverseEquilibrium solve_risk_averse(const RiskAverseGame& game, std::span<const double> allowed,
                                        std::span<const double> initial, std::size_t max_iterations,
                                        CancelToken& cancel) {
  Search search(game, allowed, initial.empty() ? game.legal() : initial);
  if (initial.empty()) search.trace(max_iterations, cancel);
  for (const double damping : dampings) {
    if (search.has_converged()) break;
    search.iterate(damping, max_iterations / std::size(dampings), cancel);
    if (!search.has_converged()) search.polish();
  }
  search.polish();
  return search.result();
}

}  // namespace coffee_fast
