#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/payoff_table.hpp"

namespace coffee_fast {

/// Discrete replicator dynamics over a payoff table. With deviation payoffs u (mean over members), o (optimistic) and
/// q (pessimistic), a step adds step_size * x_a * (...) to the probability of every strategy a:
///
///   plain (RD, Taylor and Jonker 1978):                     u_a - x . u
///   robust (R2D, Nguyen and Wellman 2026, Section 4.3):     (o_a - x . q) - (max_{b != a} o_b - q_a)
///
/// and then projects x onto {x_a >= min_probability, sum x = 1}. A player with a single strategy keeps it.
enum class ReplicatorKind { plain, robust };

struct ReplicatorOptions {
  ReplicatorKind kind = ReplicatorKind::plain;
  double step_size = 1e-3;
  std::size_t max_iterations = 20'000;
  double min_probability = 1e-6;
  /// Stop after the step that brings the regret, summed over players, below this (RRD; for R2D its upper bound: R3D).
  std::optional<double> regret_threshold = std::nullopt;
  /// Return the average of all iterates, the uniform start among them, instead of the last (projected RD, Lanctot et
  /// al. 2017).
  bool average = false;
};

struct ReplicatorResult {
  std::vector<std::vector<double>> mixtures;  // one a player
  std::size_t num_iterations = 0;
  bool threshold_reached = false;
};

/// Runs the dynamics from uniform mixtures. All players move from the same old profile; a symmetric table moves one
/// mixture for both. A step costs one pass over the payoffs of every player (two for R2D). Deterministic: the same
/// bits on every instruction set. Throws InvalidArgument for options out of range, NumericalError where step_size
/// times the payoffs would overflow, Cancelled.
ReplicatorResult solve_replicator(const PayoffTable& table, const ReplicatorOptions& options, CancelToken& cancel);

/// One step from `mixture` (its entries >= 0, sum 1) for given deviation payoffs; see ReplicatorKind.
std::vector<double> replicator_step(const std::vector<double>& mixture, const std::vector<double>& payoffs,
                                    double step_size, double min_probability);
std::vector<double> robust_replicator_step(const std::vector<double>& mixture, const std::vector<double>& optimistic,
                                           const std::vector<double>& pessimistic, double step_size,
                                           double min_probability);

}  // namespace coffee_fast
