// What PolicyLearner does with the decisions of one network: look at them as they were, then learn from them.

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "coffee_fast/error.hpp"
#include "coffee_fast/parallel.hpp"
#include "coffee_fast/rng.hpp"
#include "policy_learner_batch.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t rows_per_pass = TrainedNetwork::rows_per_pass;

std::size_t num_passes(std::size_t num_rows) { return (num_rows + rows_per_pass - 1) / rows_per_pass; }

/// Row `index` of each of n rows of `width` values.
template <class T>
std::span<const T> row_of(const std::vector<T>& values, std::size_t index, std::size_t width) {
  return std::span<const T>(values).subspan(values.empty() ? 0 : index * width, values.empty() ? 0 : width);
}

void shuffle(std::vector<std::size_t>& order, Stream stream) {
  for (std::size_t left = order.size(); left > 1; --left)
    std::swap(order[left - 1], order[stream.next_below(static_cast<std::uint32_t>(left))]);
}

/// What thread `index` works in, made when it first works.
template <class Worker>
Worker& of_thread(std::vector<std::optional<Worker>>& workers, int index, const TrainedNetwork& policy,
                  const TrainedNetwork& value) {
  std::optional<Worker>& worker = workers[static_cast<std::size_t>(index)];
  if (!worker) worker.emplace(policy, value);
  return *worker;
}

void require_finite(const TrainedNetwork& network) {
  for (const float value : network.parameters())
    if (!std::isfinite(value))
      throw NumericalError("PolicyLearner: a network left the finite numbers; try a smaller learning_rate");
}

}  // namespace

/// What a thread works in.
struct PolicyLearner::Worker {
  Worker(const TrainedNetwork& policy_network, const TrainedNetwork& value_network)
      : policy(policy_network.make_pass()),
        value(value_network.make_pass()),
        inputs(rows_per_pass * policy_network.num_inputs()),
        reference_logits(rows_per_pass * policy_network.num_outputs()),
        distribution(policy_network.num_outputs()) {}

  TrainedNetwork::Pass policy, value;
  std::vector<float> inputs, reference_logits;
  ActionDistribution distribution;
  Mlp::Workspace reference;
};

void PolicyLearner::look_at(std::size_t k, const Decisions& decisions, const Anchor& anchor, Batch& batch,
                            int num_threads, CancelToken& cancel, PolicyUpdateFigures& figures) const {
  const std::size_t n = decisions.size(), A = dynamics_.num_actions(), I = dynamics_.information_state_size();
  const Policy& reference = anchor.reference;
  const bool has_reference = reference.kind == Policy::Kind::softmax;
  const bool keeps_all = options_.update == PolicyLoss::Update::mirror_descent;
  batch.log_probabilities.resize(n);
  batch.advantages.resize(n);
  batch.returns.resize(n);
  batch.log_references.resize(has_reference ? n * A : 0);
  batch.old_log_probabilities.resize(keeps_all ? n * A : 0);
  std::vector<double> rewards(n), values(n), kl(n), entropy(n), squares(n);
  std::vector<std::optional<Worker>> workers(static_cast<std::size_t>(resolve_num_threads(num_threads)));
  parallel_for(num_passes(n), num_threads, cancel, [&](std::size_t pass, int index) {
    Worker& worker = of_thread(workers, index, policies_[k], values_[k]);
    const std::size_t first = pass * rows_per_pass, count = std::min(rows_per_pass, n - first);
    const MatrixView<const float> inputs{decisions.information_states.data() + first * I, count, I};
    const MatrixView<const float> logits = policies_[k].forward(inputs, worker.policy);
    const MatrixView<const float> predicted = values_[k].forward(inputs, worker.value);
    const MatrixView<float> reference_logits{worker.reference_logits.data(), count, A};
    if (has_reference) reference.network->forward(inputs, reference_logits, worker.reference);
    ActionDistribution& distribution = worker.distribution;
    for (std::size_t row = 0; row < count; ++row) {
      const std::size_t t = first + row;
      const auto legal = row_of(decisions.legal_masks, t, A);
      if (has_reference) {
        for (float& logit : reference_logits.row(row)) logit /= static_cast<float>(reference.temperature);
        distribution.set(reference_logits.row(row), legal);
        std::ranges::copy(distribution.log_probability(),
                          batch.log_references.begin() + static_cast<std::ptrdiff_t>(t * A));
      }
      distribution.set(logits.row(row), legal);
      if (keeps_all)
        std::ranges::copy(distribution.log_probability(),
                          batch.old_log_probabilities.begin() + static_cast<std::ptrdiff_t>(t * A));
      batch.log_probabilities[t] = distribution.log_probability()[static_cast<std::size_t>(decisions.actions[t])];
      kl[t] = kl_divergence(distribution, row_of(batch.log_references, t, A));
      entropy[t] = coffee_fast::entropy(distribution);
      values[t] = static_cast<double>(predicted(row, 0));
      rewards[t] = decisions.rewards[t] / options_.reward_scale - (anchor.in_rewards ? anchor.kl_weight * kl[t] : 0.0);
    }
  });
  generalized_advantages(rewards, values, decisions.is_last, options_.gae_lambda, batch.advantages, batch.returns);
  for (std::size_t t = 0; t < n; ++t) squares[t] = (batch.returns[t] - values[t]) * (batch.returns[t] - values[t]);
  figures.kl.push_back(mean(kl));
  figures.kl_per_episode.push_back(mean(kl) * static_cast<double>(n) / static_cast<double>(options_.num_episodes));
  figures.entropy.push_back(mean(entropy));
  figures.value_error.push_back(mean(squares));
  figures.num_decisions.push_back(static_cast<std::int64_t>(n));
}

void PolicyLearner::learn(std::size_t k, const Decisions& decisions, const Batch& batch, double kl_weight,
                          double learning_rate, int num_threads, CancelToken& cancel, PolicyUpdateFigures& figures) {
  const std::size_t n = decisions.size(), A = dynamics_.num_actions(), I = dynamics_.information_state_size();
  TrainedNetwork &policy = policies_[k], &value = values_[k];
  const PolicyLoss loss{options_.update, options_.clip, options_.step_size, kl_weight};
  // Minibatches of nearly equal size, as many as come nearest to batch_size.
  const std::size_t num_batches = std::max<std::size_t>((n + options_.batch_size / 2) / options_.batch_size, 1);
  const std::size_t most_passes = num_passes((n + num_batches - 1) / num_batches);
  std::vector<float> policy_gradients(most_passes * policy.gradient_size());
  std::vector<float> value_gradients(most_passes * value.gradient_size());
  std::vector<double> step_kl(n, 0.0), is_clipped(n, 0.0);
  std::vector<std::size_t> order(n);
  std::vector<std::optional<Worker>> workers(static_cast<std::size_t>(resolve_num_threads(num_threads)));
  for (std::size_t epoch = 0; n > 0 && epoch < options_.num_epochs; ++epoch) {
    std::iota(order.begin(), order.end(), 0);
    shuffle(order,
            Stream(options_.experience.seed, Purpose::replay, k, num_updates_, static_cast<std::uint32_t>(epoch)));
    for (std::size_t b = 0; b < num_batches; ++b) {
      const std::size_t first = b * n / num_batches, size = (b + 1) * n / num_batches - first;
      parallel_for(num_passes(size), num_threads, cancel, [&](std::size_t pass, int index) {
        Worker& worker = of_thread(workers, index, policy, value);
        const std::size_t count = std::min(rows_per_pass, size - pass * rows_per_pass);
        const std::span rows = std::span(order).subspan(first + pass * rows_per_pass, count);
        for (std::size_t row = 0; row < count; ++row)
          std::ranges::copy(row_of(decisions.information_states, rows[row], I),
                            worker.inputs.begin() + static_cast<std::ptrdiff_t>(row * I));
        const MatrixView<const float> inputs{worker.inputs.data(), count, I};
        const MatrixView<const float> logits = policy.forward(inputs, worker.policy);
        const MatrixView<const float> predicted = value.forward(inputs, worker.value);
        const MatrixView<float> logit_gradients = policy.output_gradients(worker.policy);
        const MatrixView<float> value_gradient = value.output_gradients(worker.value);
        for (std::size_t row = 0; row < count; ++row) {
          const std::size_t t = rows[row];
          const double weight = batch.weights[t] / static_cast<double>(size);
          const PolicyLossRow decision{
              row_of(decisions.legal_masks, t, A), static_cast<std::size_t>(decisions.actions[t]),
              batch.log_probabilities[t],          batch.advantages[t],
              row_of(batch.log_references, t, A),  row_of(batch.old_log_probabilities, t, A)};
          worker.distribution.set(logits.row(row), row_of(decisions.legal_masks, t, A));
          const PolicyLossFigures found =
              policy_loss_gradient(loss, decision, worker.distribution, weight, logit_gradients.row(row));
          step_kl[t] = std::expm1(found.log_ratio) - found.log_ratio;  // under pi_old its mean is KL(pi_old || pi)
          is_clipped[t] = found.is_clipped ? 1.0 : 0.0;
          value_gradient(row, 0) =
              static_cast<float>(2.0 * weight * (static_cast<double>(predicted(row, 0)) - batch.returns[t]));
        }
        policy.backward(worker.policy,
                        std::span(policy_gradients).subspan(pass * policy.gradient_size(), policy.gradient_size()));
        value.backward(worker.value,
                       std::span(value_gradients).subspan(pass * value.gradient_size(), value.gradient_size()));
      });
      policy.adam_step(std::span(policy_gradients).first(num_passes(size) * policy.gradient_size()), learning_rate);
      value.adam_step(std::span(value_gradients).first(num_passes(size) * value.gradient_size()), learning_rate);
    }
  }
  require_finite(policy);
  require_finite(value);
  figures.step_kl.push_back(mean(step_kl));
  figures.clipped.push_back(mean(is_clipped));
}

}  // namespace coffee_fast
