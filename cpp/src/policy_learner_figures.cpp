// What PolicyLearner tells of an update's episodes, and what each of them counts.

#include <cmath>

#include "coffee_fast/check.hpp"
#include "policy_learner_batch.hpp"

namespace coffee_fast {

void PolicyLearner::check_opponent_weights(const std::vector<std::vector<double>>& weights) const {
  if (weights.empty()) return;
  const std::vector<PolicyMixture>& opponents = options_.experience.opponents;
  check(weights.size() == opponents.size(), "PolicyLearner.update: opponent_weights must be one list a seat, ",
        opponents.size(), ", got ", weights.size());
  for (std::size_t seat = 0; seat < weights.size(); ++seat) {
    check(weights[seat].size() == opponents[seat].policies.size(), "PolicyLearner.update: opponent_weights of seat ",
          seat, " must be one a policy of its mixture, ", opponents[seat].policies.size(), ", got ",
          weights[seat].size());
    for (const double weight : weights[seat])
      check(weight >= 0.0 && std::isfinite(weight),
            "PolicyLearner.update: opponent_weights must be finite numbers of at least 0, got ", weight);
  }
}

std::vector<double> PolicyLearner::episode_weights(const Experience& experience,
                                                   const std::vector<std::vector<double>>& opponent_weights) const {
  const std::size_t N = dynamics_.num_players();
  std::vector<double> weights(options_.num_episodes, 1.0);
  for (std::size_t episode = 0; episode < weights.size() && !opponent_weights.empty(); ++episode)
    for (std::size_t seat = 0; seat < N; ++seat) {
      const std::int32_t strategy = experience.strategies[episode * N + seat];
      if (strategy >= 0) weights[episode] *= opponent_weights[seat][static_cast<std::size_t>(strategy)];
    }
  return weights;
}

PolicyUpdateFigures PolicyLearner::figures_of(const Experience& experience) const {
  const std::size_t N = dynamics_.num_players();
  const auto& groups = options_.experience.learning_seats;
  PolicyUpdateFigures figures;
  figures.num_episodes = options_.num_episodes;
  for (const PolicyMixture& mixture : options_.experience.opponents) {
    figures.gains_against.emplace_back(mixture.policies.size(), 0.0);
    figures.times_met.emplace_back(mixture.policies.size(), 0.0);
  }
  std::vector<std::vector<double>> returns(N), learner_returns(policies_.size());
  std::vector<double> disagreement;
  for (std::size_t episode = 0; episode < options_.num_episodes; ++episode) {
    if (experience.is_coverage[episode]) {
      ++figures.num_coverage_episodes;
      continue;
    }
    const auto paid = std::span(experience.returns).subspan(episode * N, N);
    const auto& group = groups[(num_updates_ * options_.num_episodes + episode) % groups.size()];
    double gain = 0.0;
    for (const LearningSeat& learner : group) {
      learner_returns[learner.network].push_back(earned(learner, paid));
      gain += earned(learner, paid) - options_.experience.uncertainty_penalty * experience.disagreement[episode];
    }
    for (std::size_t seat = 0; seat < N; ++seat) {
      returns[seat].push_back(paid[seat]);
      const std::int32_t strategy = experience.strategies[episode * N + seat];
      if (strategy < 0) continue;
      figures.gains_against[seat][static_cast<std::size_t>(strategy)] += gain / static_cast<double>(group.size());
      figures.times_met[seat][static_cast<std::size_t>(strategy)] += 1.0;
    }
    disagreement.push_back(experience.disagreement[episode]);
  }
  for (std::size_t seat = 0; seat < N; ++seat)
    for (std::size_t strategy = 0; strategy < figures.times_met[seat].size(); ++strategy)
      if (figures.times_met[seat][strategy] > 0.0)
        figures.gains_against[seat][strategy] /= figures.times_met[seat][strategy];
  for (const std::vector<double>& seat : returns) figures.returns.push_back(mean(seat));
  for (const std::vector<double>& network : learner_returns) figures.learner_returns.push_back(mean(network));
  figures.disagreement = mean(disagreement);
  return figures;
}

}  // namespace coffee_fast
