#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/payoff_table.hpp"

namespace coffee_fast {

/// A mixed-strategy profile: one mixture a player, of as many probabilities as the player has strategies.
using Profile = std::span<const std::vector<double>>;

/// u_i(a, x_-i) for every strategy a of `player`: what it gets by playing a against the others' mixtures.
/// The sum over each opponent's strategies runs in index order. Throws InvalidArgument for a profile of wrong shape.
std::vector<double> deviation_payoffs(const PayoffTable& table, std::size_t player, Profile mixtures,
                                      OverMembers over_members = OverMembers::mean);

/// u_i(x) for every player i. With `lower` (`upper`) the pessimistic (optimistic) payoffs of the profile: each pure
/// profile counts with its least (largest) payoff over members.
std::vector<double> expected_payoffs(const PayoffTable& table, Profile mixtures,
                                     OverMembers over_members = OverMembers::mean);

/// max_a u_i(a, x_-i) - u_i(x) for every player i, on the mean payoffs; never negative.
std::vector<double> regret(const PayoffTable& table, Profile mixtures);

/// max_a of the optimistic u_i(a, x_-i), minus the pessimistic u_i(x): at least the regret under any member.
std::vector<double> pessimistic_regret(const PayoffTable& table, Profile mixtures);

}  // namespace coffee_fast
