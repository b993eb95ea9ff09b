#include "coffee_fast/policy_learner.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "coffee_fast/check.hpp"
#include "coffee_fast/error.hpp"
#include "coffee_fast/parallel.hpp"
#include "coffee_fast/rng.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t rows_per_pass = TrainedNetwork::rows_per_pass;

std::size_t num_passes(std::size_t num_rows) { return (num_rows + rows_per_pass - 1) / rows_per_pass; }

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(values.size(), 1));
}

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

/// Row `index` of each of n rows of `width` values.
template <class T>
std::span<const T> row_of(const std::vector<T>& values, std::size_t index, std::size_t width) {
  return std::span<const T>(values).subspan(values.empty() ? 0 : index * width, values.empty() ? 0 : width);
}

void shuffle(std::vector<std::size_t>& order, Stream stream) {
  for (std::size_t left = order.size(); left > 1; --left)
    std::swap(order[left - 1], order[stream.next_below(static_cast<std::uint32_t>(left))]);
}

void require_finite(const TrainedNetwork& network) {
  for (const float value : network.parameters())
    if (!std::isfinite(value))
      throw NumericalError("PolicyLearner: a network left the finite numbers; try a smaller learning_rate");
}

}  // namespace

/// What the update needs to know of n decisions, as they were before it.
struct PolicyLearner::Batch {
  std::vector<double> log_probabilities, advantages, returns;  // [n]: of the action taken
  std::vector<float> log_references;                           // [n, A], or none for uniform play
  std::vector<float> old_log_probabilities;                    // [n, A] for mirror descent
};

/// What a thread works in.
struct PolicyLearner::Worker {
  TrainedNetwork::Pass policy, value;
  std::vector<float> inputs, reference_logits;
  ActionDistribution distribution;
  Mlp::Workspace reference;
};

PolicyLearner::PolicyLearner(AnyDynamics dynamics, std::vector<TrainedNetwork> policies,
                             std::vector<TrainedNetwork> values, std::vector<Policy> references,
                             PolicyLearnerOptions options)
    : dynamics_(std::move(dynamics)),
      policies_(std::move(policies)),
      values_(std::move(values)),
      references_(std::move(references)),
      options_(std::move(options)) {
  const std::size_t I = dynamics_.information_state_size(), A = dynamics_.num_actions(), K = policies_.size();
  check(K > 0 && values_.size() == K && references_.size() == K,
        "PolicyLearner: policies, values and references must be one a network and at least one, got ", K, ", ",
        values_.size(), " and ", references_.size());
  check_options(options_);
  for (std::size_t k = 0; k < K; ++k) {
    check(policies_[k].num_inputs() == I && policies_[k].num_outputs() == A, "PolicyLearner: policies must map ", I,
          " features to ", A, " actions, got ", policies_[k].num_inputs(), " to ", policies_[k].num_outputs());
    check(values_[k].num_inputs() == I && values_[k].num_outputs() == 1, "PolicyLearner: values must map ", I,
          " features to 1 number, got ", values_[k].num_inputs(), " to ", values_[k].num_outputs());
    check(references_[k].kind == Policy::Kind::uniform_random || references_[k].kind == Policy::Kind::softmax,
          "PolicyLearner: references must be uniform play or softmax policies, whose divergence is finite");
    check_policy(references_[k], I, A);
    averages_.emplace_back(policies_[k].parameters().begin(), policies_[k].parameters().end());
  }
  ExperienceCollector(dynamics_, options_.experience, K, 1);  // which refuses what does not fit
}

PolicyUpdateFigures PolicyLearner::update(double kl_weight, double learning_rate, int num_threads,
                                          CancelToken& cancel) {
  check(kl_weight >= 0.0 && std::isfinite(kl_weight), "PolicyLearner.update: kl_weight must be at least 0, got ",
        kl_weight);
  check(learning_rate > 0.0 && std::isfinite(learning_rate),
        "PolicyLearner.update: learning_rate must be positive, got ", learning_rate);
  const Experience experience = play(num_threads, cancel);
  const std::size_t K = policies_.size(), N = dynamics_.num_players();
  PolicyUpdateFigures figures;
  figures.num_episodes = options_.num_episodes;
  const auto& groups = options_.experience.learning_seats;
  std::vector<std::vector<double>> returns(N), learner_returns(K);
  std::vector<double> disagreement;
  for (std::size_t episode = 0; episode < options_.num_episodes; ++episode) {
    if (experience.is_coverage[episode]) {
      ++figures.num_coverage_episodes;
      continue;
    }
    const double* earned = &experience.returns[episode * N];
    for (std::size_t seat = 0; seat < N; ++seat) returns[seat].push_back(earned[seat]);
    for (const auto& [seat, network] : groups[(num_updates_ * options_.num_episodes + episode) % groups.size()])
      learner_returns[network].push_back(earned[seat]);
    disagreement.push_back(experience.disagreement[episode]);
  }
  for (const std::vector<double>& seat : returns) figures.returns.push_back(mean(seat));
  for (const std::vector<double>& network : learner_returns) figures.learner_returns.push_back(mean(network));
  figures.disagreement = mean(disagreement);

  const auto start = std::chrono::steady_clock::now();
  const auto policies = policies_;
  const auto values = values_;
  try {
    for (std::size_t k = 0; k < K; ++k) {
      const Decisions& decisions = experience.of_network[k];
      Batch batch;
      look_at(k, decisions, kl_weight, batch, num_threads, cancel, figures);
      learn(k, decisions, batch, kl_weight, learning_rate, num_threads, cancel, figures);
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

Experience PolicyLearner::play(int num_threads, CancelToken& cancel) const {
  std::vector<Policy> learners;
  for (const TrainedNetwork& policy : policies_) {
    Policy learner;
    learner.kind = Policy::Kind::softmax;
    learner.network = std::make_shared<const Mlp>(policy.compiled(policy.parameters()));
    learners.push_back(std::move(learner));
  }
  const std::size_t count = options_.num_episodes, lanes = std::min(options_.num_parallel_episodes, count);
  const std::size_t num_chunks = (count + lanes - 1) / lanes;
  std::vector<std::vector<ExperienceCollector>> collectors(static_cast<std::size_t>(resolve_num_threads(num_threads)));
  std::vector<Experience> chunks(num_chunks);
  parallel_for(num_chunks, num_threads, cancel, [&](std::size_t chunk, int worker) {
    auto& collector = collectors[static_cast<std::size_t>(worker)];
    if (collector.empty()) collector.emplace_back(dynamics_, options_.experience, policies_.size(), lanes);
    const std::size_t first = chunk * lanes;
    chunks[chunk] =
        collector.front().collect(learners, num_updates_ * count + first, std::min(lanes, count - first), cancel);
  });
  Experience all;
  for (const Experience& chunk : chunks) all.append(chunk);
  return all;
}

void PolicyLearner::look_at(std::size_t k, const Decisions& decisions, double kl_weight, Batch& batch, int num_threads,
                            CancelToken& cancel, PolicyUpdateFigures& figures) const {
  const std::size_t n = decisions.size(), A = dynamics_.num_actions(), I = dynamics_.information_state_size();
  const bool has_reference = references_[k].kind == Policy::Kind::softmax;
  const bool keeps_all = options_.update == PolicyLoss::Update::mirror_descent;
  batch.log_probabilities.resize(n);
  batch.advantages.resize(n);
  batch.returns.resize(n);
  batch.log_references.resize(has_reference ? n * A : 0);
  batch.old_log_probabilities.resize(keeps_all ? n * A : 0);
  std::vector<double> rewards(n), values(n), kl(n), entropy(n), squares(n);
  std::vector<Worker> workers(static_cast<std::size_t>(resolve_num_threads(num_threads)));
  parallel_for(num_passes(n), num_threads, cancel, [&](std::size_t pass, int index) {
    Worker& worker = workers[static_cast<std::size_t>(index)];
    if (worker.policy.activations.empty()) {
      worker.policy = policies_[k].make_pass();
      worker.value = values_[k].make_pass();
      worker.distribution = ActionDistribution(A);
      worker.reference_logits.resize(has_reference ? rows_per_pass * A : 0);
    }
    const std::size_t first = pass * rows_per_pass, count = std::min(rows_per_pass, n - first);
    const MatrixView<const float> inputs{decisions.information_states.data() + first * I, count, I};
    const MatrixView<const float> logits = policies_[k].forward(inputs, worker.policy);
    const MatrixView<const float> predicted = values_[k].forward(inputs, worker.value);
    const MatrixView<float> reference_logits{worker.reference_logits.data(), count, A};
    if (has_reference) references_[k].network->forward(inputs, reference_logits, worker.reference);
    ActionDistribution& distribution = worker.distribution;
    for (std::size_t row = 0; row < count; ++row) {
      const std::size_t t = first + row;
      const auto legal = row_of(decisions.legal_masks, t, A);
      if (has_reference) {
        for (float& logit : reference_logits.row(row)) logit /= static_cast<float>(references_[k].temperature);
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
      rewards[t] = decisions.rewards[t] / options_.reward_scale - (options_.kl_in_rewards ? kl_weight * kl[t] : 0.0);
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
  std::vector<Worker> workers(static_cast<std::size_t>(resolve_num_threads(num_threads)));
  for (std::size_t epoch = 0; n > 0 && epoch < options_.num_epochs; ++epoch) {
    std::iota(order.begin(), order.end(), 0);
    shuffle(order,
            Stream(options_.experience.seed, Purpose::replay, k, num_updates_, static_cast<std::uint32_t>(epoch)));
    for (std::size_t b = 0; b < num_batches; ++b) {
      const std::size_t first = b * n / num_batches, size = (b + 1) * n / num_batches - first;
      const double weight = 1.0 / static_cast<double>(size);
      parallel_for(num_passes(size), num_threads, cancel, [&](std::size_t pass, int index) {
        Worker& worker = workers[static_cast<std::size_t>(index)];
        if (worker.policy.activations.empty()) {
          worker.policy = policy.make_pass();
          worker.value = value.make_pass();
          worker.distribution = ActionDistribution(A);
          worker.inputs.resize(rows_per_pass * I);
        }
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
