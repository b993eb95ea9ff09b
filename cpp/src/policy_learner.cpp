#include "coffee_fast/policy_learner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "coffee_fast/check.hpp"
#include "policy_learner_batch.hpp"

namespace coffee_fast {
namespace {

void check_options(const PolicyLearnerOptions& options) {
  check(
      options.num_episodes > 0 && options.num_parallel_episodes > 0 && options.batch_size > 0 && options.num_epochs > 0,
      "PolicyLearner: num_episodes, num_parallel_episodes, batch_size and num_epochs must be at least 1");
  check(options.clip > 0.0 && std::isfinite(options.clip), "PolicyLearner: clip must be positive, got ", options.clip);
  check(options.step_size > 0.0 && std::isfinite(options.step_size), "PolicyLearner: step_size must be positive, got ",
        options.step_size);
  check(options.gae_lambda >= 0.0 && options.gae_lambda <= 1.0, "PolicyLearner: gae_lambda must lie in [0, 1], got ",
        options.gae_lambda);
  check(options.reward_scale > 0.0 && std::isfinite(options.reward_scale),
        "PolicyLearner: reward_scale must be positive, got ", options.reward_scale);
  check(options.averaging >= 0.0 && options.averaging < 1.0, "PolicyLearner: averaging must lie in [0, 1), got ",
        options.averaging);
}

}  // namespace

PolicyLearner::PolicyLearner(AnyDynamics dynamics, std::vector<TrainedNetwork> policies,
                             std::vector<TrainedNetwork> values, std::vector<Policy> references,
                             PolicyLearnerOptions options)
    : dynamics_(std::move(dynamics)),
      policies_(std::move(policies)),
      values_(std::move(values)),
      references_(std::move(references)),
      options_(std::move(options)) {
  const std::size_t I = dynamics_.information_state_size(), A = dynamics_.num_actions(), K = policies_.size();
  const std::size_t num_adversaries = options_.adversaries.size();
  check(!references_.empty() && values_.size() == K && references_.size() + num_adversaries == K,
        "PolicyLearner: policies and values must be one a network, and references one a network that is no adversary, "
        "got ",
        K, ", ", values_.size(), " and ", references_.size(), " with ", num_adversaries, " adversaries");
  check_options(options_);
  for (const auto& [reference, kl_weight] : options_.adversaries) {
    check(reference < references_.size(), "PolicyLearner: adversaries must be drawn to networks in [0, ",
          references_.size(), "), got ", reference);
    check(kl_weight > 0.0 && std::isfinite(kl_weight), "PolicyLearner: an adversary's kl_weight must be positive, got ",
          kl_weight);
  }
  for (std::size_t k = 0; k < K; ++k) {
    check(policies_[k].num_inputs() == I && policies_[k].num_outputs() == A, "PolicyLearner: policies must map ", I,
          " features to ", A, " actions, got ", policies_[k].num_inputs(), " to ", policies_[k].num_outputs());
    check(values_[k].num_inputs() == I && values_[k].num_outputs() == 1, "PolicyLearner: values must map ", I,
          " features to 1 number, got ", values_[k].num_inputs(), " to ", values_[k].num_outputs());
    averages_.emplace_back(policies_[k].parameters().begin(), policies_[k].parameters().end());
    if (k >= references_.size()) continue;
    check(references_[k].kind == Policy::Kind::uniform_random || references_[k].kind == Policy::Kind::softmax,
          "PolicyLearner: references must be uniform play or softmax policies, whose divergence is finite");
    check_policy(references_[k], I, A);
  }
  ExperienceCollector(dynamics_, options_.experience, K, 1);  // which refuses what does not fit
}

PolicyUpdateFigures PolicyLearner::update(double kl_weight, double learning_rate,
                                          const std::vector<std::vector<double>>& opponent_weights, int num_threads,
                                          CancelToken& cancel) {
  check(kl_weight >= 0.0 && std::isfinite(kl_weight), "PolicyLearner.update: kl_weight must be at least 0, got ",
        kl_weight);
  check(learning_rate > 0.0 && std::isfinite(learning_rate),
        "PolicyLearner.update: learning_rate must be positive, got ", learning_rate);
  check_opponent_weights(opponent_weights);
  const std::vector<Policy> learners = present_policies();
  const Experience experience = play(learners, num_threads, cancel);
  const std::vector<double> weights = episode_weights(experience, opponent_weights);
  PolicyUpdateFigures figures = figures_of(experience);
  const auto start = std::chrono::steady_clock::now();
  const auto policies = policies_;
  const auto values = values_;
  try {
    for (std::size_t k = 0; k < policies_.size(); ++k) {
      const Decisions& decisions = experience.of_network[k];
      const Anchor anchor = anchor_of(k, learners, kl_weight);
      Batch batch;
      for (const std::uint64_t episode : decisions.episodes)
        batch.weights.push_back(weights[episode - num_updates_ * options_.num_episodes]);
      look_at(k, decisions, anchor, batch, num_threads, cancel, figures);
      learn(k, decisions, batch, anchor.kl_weight, learning_rate, num_threads, cancel, figures);
    }
  } catch (...) {
    policies_ = policies;
    values_ = values;
    throw;
  }
  average_in();
  ++num_updates_;
  figures.learning_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return figures;
}

std::vector<Policy> PolicyLearner::present_policies() const {
  std::vector<Policy> learners;
  for (const TrainedNetwork& policy : policies_) {
    Policy learner;
    learner.kind = Policy::Kind::softmax;
    learner.network = std::make_shared<const Mlp>(policy.compiled(policy.parameters()));
    learners.push_back(std::move(learner));
  }
  return learners;
}

PolicyLearner::Anchor PolicyLearner::anchor_of(std::size_t k, std::span<const Policy> learners,
                                               double kl_weight) const {
  if (k < references_.size()) return {references_[k], kl_weight, options_.kl_in_rewards};
  const AdversaryNetwork& adversary = options_.adversaries[k - references_.size()];
  // What is paid for a later decision tells an adversary which states to seek out: it is of one sum over the episode.
  return {learners[adversary.reference], adversary.kl_weight, true};
}

Experience PolicyLearner::play(std::span<const Policy> learners, int num_threads, CancelToken& cancel) const {
  const std::size_t count = options_.num_episodes;
  return collect_experience(dynamics_, options_.experience, learners, num_updates_ * count, count,
                            options_.num_parallel_episodes, num_threads, cancel);
}

void PolicyLearner::average_in() {
  const auto kept = static_cast<float>(num_updates_ == 0 ? 0.0 : options_.averaging);
  for (std::size_t k = 0; k < policies_.size(); ++k) {
    const std::span<const float> current = policies_[k].parameters();
    for (std::size_t i = 0; i < current.size(); ++i)
      averages_[k][i] = kept * averages_[k][i] + (1.0f - kept) * current[i];
  }
}

PolicyLearner::State PolicyLearner::state() const {
  State state{{}, {}, averages_, num_updates_};
  for (const TrainedNetwork& policy : policies_) state.policies.push_back(policy.state());
  for (const TrainedNetwork& value : values_) state.values.push_back(value.state());
  return state;
}

void PolicyLearner::restore(State state) {
  const std::size_t K = policies_.size();
  check(state.policies.size() == K && state.values.size() == K && state.averages.size() == K,
        "PolicyLearner.restore: the state must be of ", K, " networks, got ", state.policies.size());
  for (std::size_t k = 0; k < K; ++k)
    check(state.averages[k].size() == averages_[k].size(), "PolicyLearner.restore: an average must have ",
          averages_[k].size(), " elements, got ", state.averages[k].size());
  for (std::size_t k = 0; k < K; ++k) {
    policies_[k].restore(std::move(state.policies[k]));
    values_[k].restore(std::move(state.values[k]));
  }
  averages_ = std::move(state.averages);
  num_updates_ = state.num_updates;
}

}  // namespace coffee_fast
