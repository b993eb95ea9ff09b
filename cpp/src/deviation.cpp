#include "coffee_fast/deviation.hpp"

#include <algorithm>

#include "coffee_fast/check.hpp"
#include "packed_payoffs.hpp"

namespace coffee_fast {
namespace {

void check_profile(const PayoffTable& table, Profile mixtures) {
  check(mixtures.size() == table.num_players(), "mixtures must be one a player, ", table.num_players(), ", got ",
        mixtures.size());
  for (std::size_t player = 0; player < mixtures.size(); ++player)
    check(mixtures[player].size() == table.num_strategies(player), "mixture of player ", player, " must have ",
          table.num_strategies(player), " probabilities, got ", mixtures[player].size());
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

std::vector<double> deviation_payoffs(const PayoffTable& table, std::size_t player, Profile mixtures,
                                      OverMembers over_members) {
  check_profile(table, mixtures);
  check(player < table.num_players(), "player must be below ", table.num_players(), ", got ", player);
  std::vector<const double*> opponents;
  for (std::size_t other = 0; other < mixtures.size(); ++other)
    if (other != player) opponents.push_back(mixtures[other].data());
  PackedPayoffs::Workspace workspace;
  const double* const payoffs = table.packed_payoffs(player, over_members).evaluate(opponents, workspace);
  return {payoffs, payoffs + table.num_strategies(player)};
}

std::vector<double> expected_payoffs(const PayoffTable& table, Profile mixtures, OverMembers over_members) {
  check_profile(table, mixtures);
  std::vector<double> expected(table.num_players());
  for (std::size_t player = 0; player < expected.size(); ++player)
    expected[player] = dot(mixtures[player], deviation_payoffs(table, player, mixtures, over_members));
  return expected;
}

std::vector<double> regret(const PayoffTable& table, Profile mixtures) {
  check_profile(table, mixtures);
  std::vector<double> regrets(table.num_players());
  for (std::size_t player = 0; player < regrets.size(); ++player) {
    const std::vector<double> payoffs = deviation_payoffs(table, player, mixtures);
    regrets[player] = std::max(*std::max_element(payoffs.begin(), payoffs.end()) - dot(mixtures[player], payoffs), 0.0);
  }
  return regrets;
}

std::vector<double> pessimistic_regret(const PayoffTable& table, Profile mixtures) {
  std::vector<double> bounds = expected_payoffs(table, mixtures, OverMembers::lower);
  for (std::size_t player = 0; player < bounds.size(); ++player) {
    const std::vector<double> optimistic = deviation_payoffs(table, player, mixtures, OverMembers::upper);
    bounds[player] = std::max(*std::max_element(optimistic.begin(), optimistic.end()) - bounds[player], 0.0);
  }
  return bounds;
}

}  // namespace coffee_fast
