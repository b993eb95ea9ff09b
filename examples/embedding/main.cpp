// The kernels without Python: payoffs of one's own, and a game of one's own.

#include <coffee_fast/coffee_fast.hpp>
#include <iostream>
#include <vector>

#include "matching_pennies.hpp"

namespace cf = coffee_fast;

/// Rock, paper, scissors, scissors worth double: replicator dynamics circle around the equilibrium (1/4, 1/2, 1/4).
void solve_payoffs() {
  const auto table = cf::PayoffTable::symmetric(3, 1, {0, -1, 2, 1, 0, -1, -2, 1, 0});
  cf::CancelToken cancel;
  const cf::ReplicatorResult found = cf::solve_replicator(table, {.max_iterations = 100'000, .average = true}, cancel);
  std::cout << "average mixture of the dynamics:";
  for (const double probability : found.mixtures[0]) std::cout << ' ' << probability;
  std::cout << '\n';
}

/// A million episodes of uniform play in MatchingPennies; the result is the same for any number of threads.
double mean_payoff(int num_threads) {
  const std::size_t num_episodes = 1'000'000;
  const std::vector<cf::PolicyMixture> players(2, {{cf::Policy{}}, {1.0}});
  std::vector<double> returns(num_episodes * 2), disagreement(num_episodes);
  std::vector<std::int32_t> lengths(num_episodes), strategies(num_episodes * 2);
  cf::CancelToken cancel;
  cf::rollout(MatchingPennies(), players, {.seed = 1, .num_threads = num_threads},
              {{returns.data(), num_episodes, 2}, lengths, disagreement, {strategies.data(), num_episodes, 2}}, cancel);
  double sum = 0.0;
  for (std::size_t episode = 0; episode < num_episodes; ++episode) sum += returns[2 * episode];
  return sum / static_cast<double>(num_episodes);
}

int main() {
  std::cout << "coffee_fast " << cf::version() << ", " << cf::isa_name(cf::active_isa()) << '\n';
  solve_payoffs();
  const double mean = mean_payoff(1);
  std::cout << "mean payoff of the matching player: " << mean << '\n';
  if (mean != mean_payoff(2)) return 1;
  try {
    cf::PayoffTable::symmetric(2, 1, {0, 1, 2});
  } catch (const cf::InvalidArgument& error) {  // exceptions cross the library's border
    std::cout << error.what() << '\n';
    return 0;
  }
  return 1;
}
