#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coffee_fast/any_dynamics.hpp"
#include "coffee_fast/cancel.hpp"
#include "coffee_fast/experience.hpp"
#include "coffee_fast/policy.hpp"
#include "coffee_fast/policy_loss.hpp"
#include "coffee_fast/trained_network.hpp"

namespace coffee_fast {

/// A network that plays in the place of network `reference`, to the harm of the seat that it is an adversary of, and
/// pays kl_weight times its divergence from what that network plays now. 1 / kl_weight is how averse to strategic risk
/// the harmed are.
struct AdversaryNetwork {
  std::size_t reference;
  double kl_weight;
};

struct PolicyLearnerOptions {
  ExperienceOptions experience;
  std::size_t num_episodes = 1500;  ///< of an update
  std::size_t num_parallel_episodes = 256;
  std::size_t batch_size = 2048;  ///< decisions of a minibatch, about
  std::size_t num_epochs = 2;
  PolicyLoss::Update update = PolicyLoss::Update::clipped;
  double clip = 0.2;
  double step_size = 1.0;  ///< of mirror descent
  double gae_lambda = 1.0;
  bool kl_in_rewards = false;  ///< whether what a player pays for leaving its reference counts as a reward too
  double reward_scale = 1.0;   ///< rewards are divided by it where they are learned from
  double averaging = 0.0;      ///< share of the former average that each update leaves; 0: the last policy
  std::vector<AdversaryNetwork> adversaries;  ///< the last networks, behind those that have a reference of their own
};

/// One update, of each network k where it says [K].
struct PolicyUpdateFigures {
  std::vector<double> returns;          ///< [players]: mean of a normal episode, undiscounted, raw, without penalty
  std::vector<double> learner_returns;  ///< [K]: the same, of the seats that learn
  double disagreement = 0.0;            ///< mean of a normal episode
  std::vector<double> kl, kl_per_episode, entropy;  ///< [K]: KL(pi || reference) and entropy, before the update
  std::vector<double> step_kl;                      ///< [K]: estimate of KL(pi_old || pi) in the last epoch
  std::vector<double> value_error;                  ///< [K]: mean squared, scaled units, before the update
  std::vector<double> clipped;                      ///< [K]: share of the last epoch's decisions
  std::vector<std::int64_t> num_decisions;          ///< [K]
  /// [N, K_j]: of each policy in a seat's mixture, what the learners of the normal episodes in which it played gained
  /// on average, less the penalty, and in how many of them it played.
  std::vector<std::vector<double>> gains_against, times_met;
  std::uint64_t num_episodes = 0, num_coverage_episodes = 0;
  double learning_seconds = 0.0;
};

/// Regularized policy gradients: networks learn at once from the episodes that they play together, each paying
/// kl_weight times its divergence from a reference (Sokota et al., ICLR 2023; Rudolph et al., ICLR 2026).
///
/// Update u plays episodes [u, u + 1) * num_episodes, takes generalized advantages, and makes num_epochs passes over
/// shuffled minibatches (stream (seed, replay, network, u, epoch)) of Adam steps on PolicyLoss and on the squared error
/// of the values. Its result is the same for every number of threads and of parallel episodes.
class PolicyLearner {
 public:
  /// Networks k = 0 .. K-1: policies[k] maps information states to A logits, values[k] to a number; references[k] is
  /// uniform play or a softmax policy, of all but the adversaries. The learner shares the dynamics.
  PolicyLearner(AnyDynamics dynamics, std::vector<TrainedNetwork> policies, std::vector<TrainedNetwork> values,
                std::vector<Policy> references, PolicyLearnerOptions options);

  /// One update. If it throws, Cancelled for one, the learner is what it was before. opponent_weights [N, K_j] say how
  /// much more or less a normal episode counts in the losses for each policy of a seat's mixture that plays in it,
  /// their product over seats; empty: all the same.
  PolicyUpdateFigures update(double kl_weight, double learning_rate,
                             const std::vector<std::vector<double>>& opponent_weights, int num_threads,
                             CancelToken& cancel);

  std::uint64_t num_updates() const { return num_updates_; }
  std::size_t num_networks() const { return policies_.size(); }
  const TrainedNetwork& policy(std::size_t k) const { return policies_[k]; }
  const TrainedNetwork& value(std::size_t k) const { return values_[k]; }
  /// Parameters of the averaged policy, laid out as policy(k)'s.
  std::span<const float> average(std::size_t k) const { return averages_[k]; }

  struct State {
    std::vector<TrainedNetwork::State> policies, values;
    std::vector<std::vector<float>> averages;
    std::uint64_t num_updates = 0;
  };
  State state() const;
  /// InvalidArgument unless the state is of networks of these sizes.
  void restore(State state);

 private:
  struct Batch;
  struct Worker;
  /// What a network is drawn to, and what leaving it costs.
  struct Anchor {
    Policy reference;
    double kl_weight;
    bool in_rewards;
  };

  std::vector<Policy> present_policies() const;
  Experience play(std::span<const Policy> learners, int num_threads, CancelToken& cancel) const;
  void check_opponent_weights(const std::vector<std::vector<double>>& weights) const;
  /// What counts of each episode.
  std::vector<double> episode_weights(const Experience& experience,
                                      const std::vector<std::vector<double>>& opponent_weights) const;
  PolicyUpdateFigures figures_of(const Experience& experience) const;
  Anchor anchor_of(std::size_t k, std::span<const Policy> learners, double kl_weight) const;
  void look_at(std::size_t k, const Decisions& decisions, const Anchor& anchor, Batch& batch, int num_threads,
               CancelToken& cancel, PolicyUpdateFigures& figures) const;
  void learn(std::size_t k, const Decisions& decisions, const Batch& batch, double kl_weight, double learning_rate,
             int num_threads, CancelToken& cancel, PolicyUpdateFigures& figures);
  void average_in();

  AnyDynamics dynamics_;
  std::vector<TrainedNetwork> policies_, values_;
  std::vector<std::vector<float>> averages_;
  std::vector<Policy> references_;
  PolicyLearnerOptions options_;
  std::uint64_t num_updates_ = 0;
};

}  // namespace coffee_fast
