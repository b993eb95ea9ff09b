#pragma once

#include <cstddef>
#include <span>

#include "coffee_fast/stage_game.hpp"

namespace coffee_fast {

// Kernels of games in which each player maximizes its expected payoff less kl_weight * KL(mixture || reference).
// Mixtures and references are log-probabilities; what is not available has log_zero in the reference.

/// Finite, so that differences stay numbers, and zero as a probability.
inline constexpr double log_zero = -1e200;
inline bool is_available(double log_reference) { return log_reference > 0.5 * log_zero; }

/// log sum exp(values).
double log_sum_exp(std::span<const double> values);

/// response = log(reference e^(values / kl_weight) / Z), which maximizes x . values - kl_weight KL(x || reference);
/// returns that maximum, kl_weight log sum reference e^(values / kl_weight).
double anchored_best_response(std::span<const double> values, std::span<const double> reference, double kl_weight,
                              std::span<double> response);

/// KL(mixture || other) of log-probabilities, summed in Bregman form: p (e^d - 1 - d) for d = log other - log mixture,
/// so that no rounding makes it negative.
double log_kl_divergence(std::span<const double> mixture, std::span<const double> other);

/// gaps, one a mixture: what its player could gain by deviating from `mixtures` in payoff less KL penalty. That is
/// exactly kl_weight KL(mixture || anchored best response to the others).
void regularized_gap(const StageGame& game, std::span<const double> reference, std::span<const double> kl_weight,
                     std::span<const double> mixtures, std::span<double> gaps);

/// Below 1, best responses contract: the equilibrium is unique and iterating them finds it. With c_i the largest
/// spread over the others' actions of a centered payoff of player i, over 2 kl_weight_i: c_1 c_2 for two players,
/// (n - 1) max c_i for more. Sufficient, not necessary.
double contraction(const StageGame& game, std::span<const double> kl_weight);

/// Whether two players with one KL weight have payoffs that add to a constant, to 1e-9 of their range.
bool is_zero_sum(const StageGame& game, std::span<const double> kl_weight);

}  // namespace coffee_fast
