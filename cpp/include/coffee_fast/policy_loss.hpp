#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace coffee_fast {

/// Log probabilities proportional to exp(logits) over the legal actions; elsewhere 0 is written and never meant.
void masked_log_softmax(std::span<const float> logits, std::span<const std::uint8_t> legal,
                        std::span<double> log_probabilities);

/// sum over legal a of pi(a) (log pi(a) - log reference(a)); without a reference, uniform play is meant.
double kl_divergence(std::span<const double> log_probabilities, std::span<const std::uint8_t> legal,
                     std::span<const float> log_reference);

/// In nats.
double policy_entropy(std::span<const double> log_probabilities, std::span<const std::uint8_t> legal);

/// What an update of a policy minimizes at each decision, with rho = pi(a) / pi_old(a) and advantage A:
///   clipped (Schulman et al. 2017):          -min(rho A, clip(rho, 1 - clip, 1 + clip) A) + kl_weight KL(pi || ref)
///   mirror descent (Sokota et al. 2023):     -rho A + kl_weight KL(pi || ref) + KL(pi || pi_old) / step_size
struct PolicyLoss {
  enum class Update { clipped, mirror_descent };
  Update update = Update::clipped;
  double clip = 0.2;
  double step_size = 1.0;
  double kl_weight = 0.0;
};

/// One decision that was made.
struct PolicyLossRow {
  std::span<const std::uint8_t> legal;  ///< [A]
  std::size_t action;                   ///< the one taken
  double old_log_probability;           ///< of it
  double advantage;
  std::span<const float> log_reference;          ///< [A], or empty for uniform play
  std::span<const float> old_log_probabilities;  ///< [A] for mirror descent
};

struct PolicyLossFigures {
  double log_ratio;  ///< log rho
  bool is_clipped;   ///< whether the clip stops the gradient of rho A
};

/// Writes weight times the gradient of the loss by the logits whose `log_probabilities` are given.
PolicyLossFigures policy_loss_gradient(const PolicyLoss& loss, const PolicyLossRow& row,
                                       std::span<const double> log_probabilities, double weight,
                                       std::span<float> gradient);

/// Generalized advantages (Schulman et al. 2016) of n decisions, those of one seat in one episode after each other,
/// with no discount: A_t = sum over later s of lambda^(s-t) (r_s + V_{s+1} - V_s), and the returns A_t + V_t.
void generalized_advantages(std::span<const double> rewards, std::span<const double> values,
                            std::span<const std::uint8_t> is_last, double lambda, std::span<double> advantages,
                            std::span<double> returns);

}  // namespace coffee_fast
