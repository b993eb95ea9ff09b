#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace coffee_fast {

/// What a policy does at one decision: probabilities proportional to exp(logits) over the legal actions, and their
/// logarithms. Of others the probability is 0, and so is what stands for its logarithm.
class ActionDistribution {
 public:
  explicit ActionDistribution(std::size_t num_actions = 0) : probability_(num_actions), log_probability_(num_actions) {}

  void set(std::span<const float> logits, std::span<const std::uint8_t> legal);

  std::span<const double> probability() const { return probability_; }
  std::span<const double> log_probability() const { return log_probability_; }
  std::size_t num_legal() const { return num_legal_; }

 private:
  std::vector<double> probability_, log_probability_;
  std::size_t num_legal_ = 0;
};

/// sum over a of pi(a) (log pi(a) - log reference(a)); without a reference, uniform play is meant.
double kl_divergence(const ActionDistribution& policy, std::span<const float> log_reference);

/// In nats.
double entropy(const ActionDistribution& policy);

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

/// Writes weight times the gradient of the loss by the logits that `policy` was made of.
PolicyLossFigures policy_loss_gradient(const PolicyLoss& loss, const PolicyLossRow& row,
                                       const ActionDistribution& policy, double weight, std::span<float> gradient);

/// Generalized advantages (Schulman et al. 2016) of n decisions, those of one seat in one episode after each other,
/// with no discount: A_t = sum over later s of lambda^(s-t) (r_s + V_{s+1} - V_s), and the returns A_t + V_t.
void generalized_advantages(std::span<const double> rewards, std::span<const double> values,
                            std::span<const std::uint8_t> is_last, double lambda, std::span<double> advantages,
                            std::span<double> returns);

}  // namespace coffee_fast
