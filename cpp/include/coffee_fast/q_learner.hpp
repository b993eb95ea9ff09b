#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "coffee_fast/actor.hpp"
#include "coffee_fast/cancel.hpp"
#include "coffee_fast/q_network.hpp"

namespace coffee_fast {

struct QLearnerOptions {
  std::size_t batch_size = 64;
  std::size_t min_replay = 50'000;     ///< transitions held before the first gradient step
  std::uint64_t learn_period = 2;      ///< in counted calls
  std::uint64_t target_period = 1000;  ///< in counted calls
  double reward_scale = 1.0;           ///< rewards are divided by it where values are learned
};

/// Deep Q-learning: an actor collects experience, a Q-network learns from it.
///
/// One clock runs everything, the actor's calls: at call c comes a gradient step if learn_period divides c and the
/// replay buffer holds min_replay transitions, then the target network is renewed if target_period divides c. What a
/// round of many episodes makes due follows the round, so the number of gradient steps a call stays what it is however
/// many episodes run in parallel. Mini-batch number g is drawn from stream (actor's seed, replay, 0, g).
class QLearner {
 public:
  /// Both outlive the learner.
  QLearner(ActorBase& actor, QNetwork& network, const QLearnerOptions& options);

  /// Goes on until the learner has made `num_decisions` in all; ends with the round that reaches them. After Cancelled
  /// the round is complete, and a further call continues as if there had been no interruption.
  void run(std::uint64_t num_decisions, CancelToken& cancel);

  std::uint64_t num_target_copies() const { return num_target_copies_; }
  void set_num_target_copies(std::uint64_t count) { num_target_copies_ = count; }
  /// Wall-clock seconds spent in gradient steps so far, the drawing of their mini-batches included.
  double learning_seconds() const { return learning_seconds_; }
  /// Mean loss of the gradient steps since this was last asked; NaN if there were none.
  double take_mean_loss();

 private:
  void learn_from_calls(std::uint64_t before, std::uint64_t after);
  void gradient_step();
  Mlp acting_network() const;

  ActorBase& actor_;
  QNetwork& network_;
  QLearnerOptions options_;
  std::uint64_t num_target_copies_ = 0;
  double loss_sum_ = 0.0;
  std::uint64_t num_losses_ = 0;
  double learning_seconds_ = 0.0;
  // One mini-batch.
  std::vector<float> states_, next_states_, rewards_;
  std::vector<std::int32_t> actions_;
  std::vector<std::uint8_t> is_final_, masks_;
};

}  // namespace coffee_fast
