#pragma once

#include <span>

namespace coffee_fast {

// What an uncertain value is worth to the wary: `values` and `probabilities` have one entry a state.

/// -(1 / risk_aversion) log sum of p e^(-risk_aversion v): the mean at 0, the least value as risk aversion grows. Where
/// risk_aversion times the range is below 1e-6 the logarithm would lose all digits: mean - risk_aversion variance / 2.
double entropic_certainty_equivalent(std::span<const double> values, std::span<const double> probabilities,
                                     double risk_aversion);

// The least expectation over distributions near a nominal one. "Least value" is that over all states, those of nominal
// probability zero among them.

/// (1 - radius) E V + radius min V: with this probability anything may come.
double contamination(std::span<const double> values, std::span<const double> nominal, double radius);

/// Within this total variation distance: max over eta in the values of E min(V, eta) - radius (eta - min V).
double total_variation_ball(std::span<const double> values, std::span<const double> nominal, double radius);

/// Within this KL divergence: max over b > 0 of -b log E e^(-V / b) - b radius.
double kl_ball(std::span<const double> values, std::span<const double> nominal, double radius);

/// At a price of `weight` for each nat of divergence: -weight log E e^(-V / weight).
double kl_penalized(std::span<const double> values, std::span<const double> nominal, double weight);

/// At a price for total variation: E min(V, min V + weight).
double total_variation_penalized(std::span<const double> values, std::span<const double> nominal, double weight);

/// At a price for E_nominal (p / nominal - 1)^2: E V - Var V / (4 weight) while no probability turns negative, else the
/// dual max over eta of eta - weight E f((eta - V) / weight), f(y) = max(y / 2 + 1, 0)^2 - 1.
double chi_squared_penalized(std::span<const double> values, std::span<const double> nominal, double weight);

}  // namespace coffee_fast
