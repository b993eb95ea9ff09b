#include "coffee_fast/policy_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace coffee_fast {
namespace {

/// Adds weight times the gradient of sum over a of pi(a) difference(a), but for that of the differences themselves, by
/// the logits: pi (difference - mean difference).
template <class Difference>
void add_divergence_gradient(const ActionDistribution& policy, double weight, const Difference& difference,
                             std::span<float> gradient) {
  const std::span<const double> probability = policy.probability();
  double mean = 0.0;
  for (std::size_t a = 0; a < probability.size(); ++a)
    if (probability[a] > 0.0) mean += probability[a] * difference(a);
  for (std::size_t a = 0; a < probability.size(); ++a)
    if (probability[a] > 0.0) gradient[a] += static_cast<float>(weight * probability[a] * (difference(a) - mean));
}

}  // namespace

void ActionDistribution::set(std::span<const float> logits, std::span<const std::uint8_t> legal) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t a = 0; a < legal.size(); ++a)
    if (legal[a]) largest = std::max(largest, static_cast<double>(logits[a]));
  double sum = 0.0;
  num_legal_ = 0;
  for (std::size_t a = 0; a < legal.size(); ++a) {
    probability_[a] = legal[a] ? std::exp(static_cast<double>(logits[a]) - largest) : 0.0;
    sum += probability_[a];
    num_legal_ += legal[a];
  }
  const double log_sum = largest + std::log(sum);
  for (std::size_t a = 0; a < legal.size(); ++a) {
    probability_[a] /= sum;
    log_probability_[a] = legal[a] ? static_cast<double>(logits[a]) - log_sum : 0.0;
  }
}

double kl_divergence(const ActionDistribution& policy, std::span<const float> log_reference) {
  if (log_reference.empty()) return std::log(static_cast<double>(policy.num_legal())) - entropy(policy);
  double sum = 0.0;
  for (std::size_t a = 0; a < log_reference.size(); ++a)
    sum += policy.probability()[a] * (policy.log_probability()[a] - static_cast<double>(log_reference[a]));
  return sum;
}

double entropy(const ActionDistribution& policy) {
  double sum = 0.0;
  for (std::size_t a = 0; a < policy.probability().size(); ++a)
    sum -= policy.probability()[a] * policy.log_probability()[a];
  return sum;
}

PolicyLossFigures policy_loss_gradient(const PolicyLoss& loss, const PolicyLossRow& row,
                                       const ActionDistribution& policy, double weight, std::span<float> gradient) {
  const std::span<const double> log_probability = policy.log_probability();
  const double log_ratio = log_probability[row.action] - row.old_log_probability;
  const double ratio = std::exp(log_ratio);
  const bool is_clipped = loss.update == PolicyLoss::Update::clipped &&
                          (row.advantage > 0.0 ? ratio > 1.0 + loss.clip : ratio < 1.0 - loss.clip);
  const double slope = is_clipped ? 0.0 : -weight * ratio * row.advantage;
  for (std::size_t a = 0; a < gradient.size(); ++a) gradient[a] = static_cast<float>(-slope * policy.probability()[a]);
  gradient[row.action] += static_cast<float>(slope);
  if (loss.kl_weight > 0.0)
    add_divergence_gradient(
        policy, weight * loss.kl_weight,
        [&](std::size_t a) {
          return log_probability[a] - (row.log_reference.empty() ? 0.0 : static_cast<double>(row.log_reference[a]));
        },
        gradient);
  if (loss.update == PolicyLoss::Update::mirror_descent)
    add_divergence_gradient(
        policy, weight / loss.step_size,
        [&](std::size_t a) { return log_probability[a] - static_cast<double>(row.old_log_probabilities[a]); },
        gradient);
  return {log_ratio, is_clipped};
}

void generalized_advantages(std::span<const double> rewards, std::span<const double> values,
                            std::span<const std::uint8_t> is_last, double lambda, std::span<double> advantages,
                            std::span<double> returns) {
  for (std::size_t t = rewards.size(); t-- > 0;) {
    const double next_value = is_last[t] ? 0.0 : values[t + 1];
    const double later = is_last[t] ? 0.0 : lambda * advantages[t + 1];
    advantages[t] = rewards[t] + next_value - values[t] + later;
    returns[t] = advantages[t] + values[t];
  }
}

}  // namespace coffee_fast
