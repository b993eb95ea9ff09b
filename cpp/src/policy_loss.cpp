#include "coffee_fast/policy_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace coffee_fast {
namespace {

/// Of pi(a) times what `difference(a)` says, the gradient of its sum by the logits: p (difference - mean difference).
template <class Difference>
void add_divergence_gradient(std::span<const double> log_probabilities, std::span<const std::uint8_t> legal,
                             double weight, const Difference& difference, std::span<float> gradient) {
  double mean = 0.0;
  for (std::size_t a = 0; a < legal.size(); ++a)
    if (legal[a]) mean += std::exp(log_probabilities[a]) * difference(a);
  for (std::size_t a = 0; a < legal.size(); ++a)
    if (legal[a]) gradient[a] += static_cast<float>(weight * std::exp(log_probabilities[a]) * (difference(a) - mean));
}

}  // namespace

void masked_log_softmax(std::span<const float> logits, std::span<const std::uint8_t> legal,
                        std::span<double> log_probabilities) {
  double largest = -std::numeric_limits<double>::infinity();
  for (std::size_t a = 0; a < legal.size(); ++a)
    if (legal[a]) largest = std::max(largest, static_cast<double>(logits[a]));
  double sum = 0.0;
  for (std::size_t a = 0; a < legal.size(); ++a)
    if (legal[a]) sum += std::exp(static_cast<double>(logits[a]) - largest);
  const double log_sum = largest + std::log(sum);
  for (std::size_t a = 0; a < legal.size(); ++a)
    log_probabilities[a] = legal[a] ? static_cast<double>(logits[a]) - log_sum : 0.0;
}

double kl_divergence(std::span<const double> log_probabilities, std::span<const std::uint8_t> legal,
                     std::span<const float> log_reference) {
  double sum = 0.0;
  std::size_t num_legal = 0;
  for (std::size_t a = 0; a < legal.size(); ++a) {
    if (!legal[a]) continue;
    ++num_legal;
    const double reference = log_reference.empty() ? 0.0 : static_cast<double>(log_reference[a]);
    sum += std::exp(log_probabilities[a]) * (log_probabilities[a] - reference);
  }
  return log_reference.empty() ? sum + std::log(static_cast<double>(num_legal)) : sum;
}

double policy_entropy(std::span<const double> log_probabilities, std::span<const std::uint8_t> legal) {
  double sum = 0.0;
  for (std::size_t a = 0; a < legal.size(); ++a)
    if (legal[a]) sum -= std::exp(log_probabilities[a]) * log_probabilities[a];
  return sum;
}

PolicyLossFigures policy_loss_gradient(const PolicyLoss& loss, const PolicyLossRow& row,
                                       std::span<const double> log_probabilities, double weight,
                                       std::span<float> gradient) {
  const double log_ratio = log_probabilities[row.action] - row.old_log_probability;
  const double ratio = std::exp(log_ratio);
  const bool is_clipped = loss.update == PolicyLoss::Update::clipped &&
                          (row.advantage > 0.0 ? ratio > 1.0 + loss.clip : ratio < 1.0 - loss.clip);
  const double slope = is_clipped ? 0.0 : -weight * ratio * row.advantage;
  for (std::size_t a = 0; a < row.legal.size(); ++a)
    gradient[a] = row.legal[a] ? static_cast<float>(-slope * std::exp(log_probabilities[a])) : 0.0f;
  gradient[row.action] += static_cast<float>(slope);
  if (loss.kl_weight > 0.0)
    add_divergence_gradient(
        log_probabilities, row.legal, weight * loss.kl_weight,
        [&](std::size_t a) {
          return log_probabilities[a] - (row.log_reference.empty() ? 0.0 : static_cast<double>(row.log_reference[a]));
        },
        gradient);
  if (loss.update == PolicyLoss::Update::mirror_descent)
    add_divergence_gradient(
        log_probabilities, row.legal, weight / loss.step_size,
        [&](std::size_t a) { return log_probabilities[a] - static_cast<double>(row.old_log_probabilities[a]); },
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
