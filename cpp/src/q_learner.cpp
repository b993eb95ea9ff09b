#include "coffee_fast/q_learner.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <optional>

#include "coffee_fast/check.hpp"
#include "coffee_fast/error.hpp"
#include "coffee_fast/rng.hpp"

namespace coffee_fast {

QLearner::QLearner(ActorBase& actor, QNetwork& network, const QLearnerOptions& options)
    : actor_(actor), network_(network), options_(options) {
  const std::size_t I = actor.replay().information_state_size(), A = actor.replay().num_actions();
  check(network.num_inputs(0) == I && network.num_outputs(network.num_layers() - 1) == A,
        "QLearner: network must have ", I, " inputs and ", A, " outputs, got ", network.num_inputs(0), " and ",
        network.num_outputs(network.num_layers() - 1));
  check(options.batch_size >= 1 && options.batch_size <= options.min_replay,
        "QLearner: batch_size must lie between 1 and min_replay ", options.min_replay, ", got ", options.batch_size);
  check(options.learn_period >= 1 && options.target_period >= 1,
        "QLearner: learn_period and target_period must be at least 1");
  check(options.reward_scale > 0.0 && std::isfinite(options.reward_scale),
        "QLearner: reward_scale must be positive, got ", options.reward_scale);
  states_.resize(options.batch_size * I);
  next_states_.resize(options.batch_size * I);
  rewards_.resize(options.batch_size);
  actions_.resize(options.batch_size);
  is_final_.resize(options.batch_size);
  masks_.resize(options.batch_size * A);
}

void QLearner::run(std::uint64_t num_decisions, CancelToken& cancel) {
  std::optional<Mlp> acting;
  std::uint64_t acting_steps = 0;
  while (actor_.counters().num_decisions < num_decisions) {
    cancel.poll();
    if (!acting || acting_steps != network_.num_steps()) {
      acting.emplace(acting_network());
      acting_steps = network_.num_steps();
    }
    const std::uint64_t before = actor_.counters().num_calls;
    actor_.advance(*acting);
    learn_from_calls(before, actor_.counters().num_calls);
  }
}

void QLearner::learn_from_calls(std::uint64_t before, std::uint64_t after) {
  for (std::uint64_t call = before + 1; call <= after; ++call) {
    if (call % options_.learn_period == 0 && actor_.replay().size() >= options_.min_replay) gradient_step();
    if (call % options_.target_period == 0) {
      network_.copy_to_target();
      ++num_target_copies_;
    }
  }
}

void QLearner::gradient_step() {
  const auto start = std::chrono::steady_clock::now();
  const std::size_t B = options_.batch_size, I = network_.num_inputs(0);
  const std::size_t A = network_.num_outputs(network_.num_layers() - 1);
  const MatrixView<float> states{states_.data(), B, I}, next_states{next_states_.data(), B, I};
  const MatrixView<std::uint8_t> masks{masks_.data(), B, A};
  actor_.replay().sample(Stream(actor_.options().seed, Purpose::replay, 0, network_.num_steps()),
                         {states, actions_, rewards_, next_states, is_final_, masks});
  const auto scale = static_cast<float>(options_.reward_scale);
  for (float& reward : rewards_) reward /= scale;
  loss_sum_ += network_.gradient_step({states, actions_, rewards_, next_states, is_final_, masks});
  ++num_losses_;
  learning_seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Mlp QLearner::acting_network() const {
  std::vector<std::vector<float>> weights, biases;
  std::vector<Mlp::Layer> layers;
  for (std::size_t l = 0; l < network_.num_layers(); ++l) {
    const std::size_t inputs = network_.num_inputs(l), outputs = network_.num_outputs(l);
    weights.emplace_back(inputs * outputs);
    biases.emplace_back(outputs);
    network_.read_layer(QNetwork::Part::online, l, {weights[l].data(), outputs, inputs}, biases[l]);
    for (const float value : biases[l])
      if (!std::isfinite(value))
        throw NumericalError("QLearner: the network left the finite numbers; try a smaller learning_rate");
  }
  for (std::size_t l = 0; l < network_.num_layers(); ++l)
    layers.push_back({{weights[l].data(), network_.num_outputs(l), network_.num_inputs(l)}, biases[l]});
  return Mlp(layers);
}

double QLearner::take_mean_loss() {
  const double mean =
      num_losses_ == 0 ? std::numeric_limits<double>::quiet_NaN() : loss_sum_ / static_cast<double>(num_losses_);
  loss_sum_ = 0.0;
  num_losses_ = 0;
  return mean;
}

}  // namespace coffee_fast
