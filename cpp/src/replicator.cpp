#include "coffee_fast/replicator.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "coffee_fast/check.hpp"
#include "mixture_kernels.hpp"
#include "packed_payoffs.hpp"
#include "padded_mixture.hpp"

namespace coffee_fast {
namespace {

/// One mixture that the dynamics move: a player's, or the one that both players of a symmetric game share.
struct Population {
  OwnedMixture mixture;
  const PackedPayoffs& upper;  // plain dynamics: the mean over members, as is `lower`
  const PackedPayoffs& lower;
  std::vector<double> sum;  // of iterates, when they are averaged
  std::vector<const double*> opponents{};
  PackedPayoffs::Workspace upper_workspace{}, lower_workspace{};
  const double* optimistic = nullptr;
  const double* pessimistic = nullptr;

  void evaluate() {
    optimistic = upper.evaluate(opponents, upper_workspace);
    pessimistic = &lower == &upper ? optimistic : lower.evaluate(opponents, lower_workspace);
  }

  void accumulate() {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += mixture.padded().probabilities[i];
  }
};

std::vector<Population> make_populations(const PayoffTable& table, const ReplicatorOptions& options) {
  const bool is_robust = options.kind == ReplicatorKind::robust;
  std::vector<Population> populations;
  for (std::size_t player = 0; player < (table.is_symmetric() ? 1 : table.num_players()); ++player) {
    const std::size_t size = table.num_strategies(player);
    populations.push_back({.mixture = OwnedMixture(size, options.min_probability),
                           .upper = table.packed_payoffs(player, is_robust ? OverMembers::upper : OverMembers::mean),
                           .lower = table.packed_payoffs(player, is_robust ? OverMembers::lower : OverMembers::mean),
                           .sum = std::vector<double>(options.average ? size : 0, 0.0)});
  }
  for (std::size_t player = 0; player < populations.size(); ++player)
    for (std::size_t other = 0; other < table.num_players(); ++other)
      if (other != player) {
        const std::size_t population = table.is_symmetric() ? 0 : other;
        populations[player].opponents.push_back(populations[population].mixture.padded().probabilities);
      }
  return populations;
}

void check_step_size(double step_size, double payoff_scale) {
  check(step_size > 0.0 && std::isfinite(step_size), "step_size must be positive and finite, got ", step_size);
  if (payoff_scale * std::max(step_size, 1.0) > PayoffTable::max_payoff)
    throw NumericalError("replicator: step_size times the payoffs must be at most 1e280 in size");
}

double sum_of_regrets(const std::vector<Population>& populations, const PayoffTable& table) {
  double sum = 0.0;
  for (const Population& population : populations)
    sum += mixture_kernels().regret(population.mixture.padded(), population.optimistic, population.pessimistic);
  return table.is_symmetric() ? 2.0 * sum : sum;
}

ReplicatorResult result_of(const std::vector<Population>& populations, const PayoffTable& table, std::size_t iterations,
                           bool threshold_reached) {
  ReplicatorResult result{{}, iterations, threshold_reached};
  for (std::size_t player = 0; player < table.num_players(); ++player) {
    const Population& population = populations[table.is_symmetric() ? 0 : player];
    std::vector<double> mixture = population.sum.empty() ? population.mixture.to_vector() : population.sum;
    if (!population.sum.empty())
      for (double& probability : mixture) probability /= static_cast<double>(iterations + 1);
    result.mixtures.push_back(std::move(mixture));
  }
  return result;
}

std::vector<double> one_step(const std::vector<double>& mixture, const std::vector<double>& optimistic,
                             const std::vector<double>& pessimistic, double step_size, double min_probability,
                             bool is_robust) {
  check(!mixture.empty(), "mixture must not be empty");
  for (const std::vector<double>* payoffs : {&optimistic, &pessimistic}) {
    check(payoffs->size() == mixture.size(), "payoffs must have ", mixture.size(), " entries, got ", payoffs->size());
    for (const double payoff : *payoffs) {
      check(std::isfinite(payoff), "payoffs must be finite, got ", payoff);
      check_step_size(step_size, std::abs(payoff));
    }
  }
  for (const double probability : mixture)
    check(probability >= 0.0 && probability <= 1.0, "probabilities must lie in [0, 1], got ", probability);
  if (mixture.size() == 1) return mixture;

  OwnedMixture x(mixture.size(), min_probability);
  std::copy(mixture.begin(), mixture.end(), x.padded().probabilities);
  std::vector<double> padded_optimistic(optimistic), padded_pessimistic(pessimistic);
  padded_optimistic.resize(x.padded().padded_size);
  padded_pessimistic.resize(x.padded().padded_size);
  if (is_robust)
    mixture_kernels().robust_replicator_step(x.padded(), padded_optimistic.data(), padded_pessimistic.data(),
                                             step_size);
  else
    mixture_kernels().replicator_step(x.padded(), padded_optimistic.data(), step_size);
  return x.to_vector();
}

}  // namespace

ReplicatorResult solve_replicator(const PayoffTable& table, const ReplicatorOptions& options, CancelToken& cancel) {
  check(!options.regret_threshold || !std::isnan(*options.regret_threshold), "regret_threshold must not be NaN");
  check_step_size(options.step_size, table.payoff_scale());

  const MixtureKernels& kernels = mixture_kernels();
  std::vector<Population> populations = make_populations(table, options);
  std::size_t work_per_step = 1;
  for (Population& population : populations) {
    population.evaluate();
    population.accumulate();
    work_per_step += population.upper.work();
  }
  const std::size_t steps_per_poll = std::max<std::size_t>(1, 1'000'000 / work_per_step);

  std::size_t iteration = 0;
  bool threshold_reached = false;
  while (iteration < options.max_iterations && !threshold_reached) {
    if (iteration % steps_per_poll == 0) cancel.poll();
    for (Population& population : populations) {
      PaddedMixture& x = population.mixture.padded();
      if (population.mixture.size() == 1) continue;
      if (options.kind == ReplicatorKind::robust)
        kernels.robust_replicator_step(x, population.optimistic, population.pessimistic, options.step_size);
      else
        kernels.replicator_step(x, population.optimistic, options.step_size);
    }
    ++iteration;
    for (Population& population : populations) {
      population.evaluate();  // serves both the test below and the next step
      population.accumulate();
    }
    if (options.regret_threshold) threshold_reached = sum_of_regrets(populations, table) < *options.regret_threshold;
  }

  return result_of(populations, table, iteration, threshold_reached);
}

std::vector<double> replicator_step(const std::vector<double>& mixture, const std::vector<double>& payoffs,
                                    double step_size, double min_probability) {
  return one_step(mixture, payoffs, payoffs, step_size, min_probability, false);
}

std::vector<double> robust_replicator_step(const std::vector<double>& mixture, const std::vector<double>& optimistic,
                                           const std::vector<double>& pessimistic, double step_size,
                                           double min_probability) {
  return one_step(mixture, optimistic, pessimistic, step_size, min_probability, true);
}

}  // namespace coffee_fast
