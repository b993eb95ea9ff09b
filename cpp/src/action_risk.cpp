#include "coffee_fast/action_risk.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "coffee_fast/anchored.hpp"
#include "coffee_fast/robust_expectation.hpp"

namespace coffee_fast {
namespace {

constexpr double shares[] = {1.0, 0.2, 0.04};  // of the damping asked for, where responses circle

double log_probability(double x) { return std::log(std::max(x, 1e-300)); }

class ActionRiskGame {
 public:
  ActionRiskGame(const StageGame& game, std::span<const double> temperature, std::span<const double> risk_aversion)
      : game_(game), temperature_(temperature), risk_aversion_(risk_aversion) {
    for (std::size_t player = 0; player < game.num_mixtures(); ++player) payoffs_.push_back(game.by_own_action(player));
  }

  std::size_t num_mixtures() const { return payoffs_.size(); }

  std::vector<double> uniform() const {
    std::vector<double> mixtures(game_.num_actions());
    for (std::size_t i = 0; i < num_mixtures(); ++i)
      std::ranges::fill(game_.part(std::span(mixtures), i), 1.0 / static_cast<double>(game_.size(i)));
    return mixtures;
  }

  /// What each action of each player is worth.
  std::vector<double> values(std::span<const double> mixtures) const {
    std::vector<double> found;
    for (std::size_t i = 0; i < num_mixtures(); ++i) {
      const std::vector<double> joint = others(i, mixtures);
      for (std::size_t a = 0; a < game_.size(i); ++a)
        found.push_back(entropic_certainty_equivalent(std::span(payoffs_[i]).subspan(a * joint.size(), joint.size()),
                                                      joint, risk_aversion_[i]));
    }
    return found;
  }

  /// Logarithms of each player's quantal response.
  std::vector<double> responses(std::span<const double> mixtures) const {
    std::vector<double> found = values(mixtures);
    for (std::size_t i = 0; i < num_mixtures(); ++i) {
      const std::span<double> scores = game_.part(std::span(found), i);
      const double top = *std::ranges::max_element(scores);
      for (double& score : scores) score = (score - top) / temperature_[i];
      normalize(scores);
    }
    return found;
  }

  /// Moves mixtures a share of the way to responses, in the logarithms.
  void move(std::span<double> mixtures, std::span<const double> responses, double share) const {
    for (std::size_t a = 0; a < mixtures.size(); ++a)
      mixtures[a] = (1.0 - share) * log_probability(mixtures[a]) + share * responses[a];
    for (std::size_t i = 0; i < num_mixtures(); ++i) normalize(game_.part(mixtures, i));
    for (double& x : mixtures) x = std::exp(x);
  }

  /// The largest difference of a probability from the response, one a mixture.
  std::vector<double> residual(std::span<const double> mixtures, std::span<const double> responses) const {
    std::vector<double> found(num_mixtures(), 0.0);
    for (std::size_t i = 0; i < num_mixtures(); ++i)
      for (std::size_t a = game_.begin(i); a < game_.begin(i) + game_.size(i); ++a)
        found[i] = std::max(found[i], std::abs(mixtures[a] - std::exp(responses[a])));
    return found;
  }

  std::vector<double> gap(std::span<const double> mixtures) const {
    const std::vector<double> best = responses(mixtures);
    std::vector<double> logs(mixtures.size()), found;
    std::ranges::transform(mixtures, logs.begin(), log_probability);
    for (std::size_t i = 0; i < num_mixtures(); ++i)
      found.push_back(temperature_[i] * log_kl_divergence(game_.part(std::span<const double>(logs), i),
                                                          game_.part(std::span<const double>(best), i)));
    return found;
  }

  std::vector<double> value(std::span<const double> mixtures) const {
    const std::vector<double> worth = values(mixtures);
    std::vector<double> found;
    for (std::size_t i = 0; i < num_mixtures(); ++i) {
      const std::span<const double> x = game_.part(mixtures, i), u = game_.part(std::span<const double>(worth), i);
      found.push_back(std::inner_product(x.begin(), x.end(), u.begin(), 0.0));
    }
    return found;
  }

 private:
  static void normalize(std::span<double> logs) {
    const double log_total = log_sum_exp(logs);
    for (double& x : logs) x -= log_total;
  }

  /// What a player's others jointly play, [B].
  std::vector<double> others(std::size_t player, std::span<const double> mixtures) const {
    std::vector<double> joint{1.0};
    for (std::size_t axis = 0; axis < game_.num_axes(); ++axis) {
      if (axis == player) continue;
      std::vector<double> longer;
      for (const double weight : joint)
        for (const double x : game_.part(mixtures, game_.owner(axis))) longer.push_back(weight * x);
      joint = std::move(longer);
    }
    return joint;
  }

  const StageGame& game_;
  std::span<const double> temperature_, risk_aversion_;
  std::vector<std::vector<double>> payoffs_;
};

}  // namespace

ActionRiskEquilibrium solve_action_risk(const StageGame& game, std::span<const double> temperature,
                                        std::span<const double> risk_aversion, const ActionRiskOptions& options,
                                        CancelToken& cancel) {
  const ActionRiskGame players(game, temperature, risk_aversion);
  ActionRiskEquilibrium found;
  found.mixtures = players.uniform();
  found.residual = players.residual(found.mixtures, players.responses(found.mixtures));
  const auto largest = [](const std::vector<double>& residual) { return *std::ranges::max_element(residual); };
  const auto is_close = [&] { return largest(found.residual) <= options.tolerance; };
  for (const double share : shares) {
    std::vector<double> current = found.mixtures, responses = players.responses(current);
    for (std::size_t iteration = 0; iteration < options.max_iterations && !is_close(); ++iteration) {
      cancel.poll();
      players.move(current, responses, share * options.damping);
      responses = players.responses(current);
      ++found.num_iterations;
      const std::vector<double> residual = players.residual(current, responses);
      if (!(largest(residual) < largest(found.residual))) continue;
      found.residual = residual;
      found.mixtures = current;
    }
  }
  found.gap = players.gap(found.mixtures);
  found.value = players.value(found.mixtures);
  found.has_converged = is_close();
  return found;
}

}  // namespace coffee_fast
