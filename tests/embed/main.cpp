// Solves rock-paper-scissors, whose one equilibrium is uniform play, and prints what it found.

#include <coffee_fast/coffee_fast.hpp>

#include <cmath>
#include <iostream>

int main() {
  const auto table = coffee_fast::PayoffTable::symmetric(3, 1, {0, -1, 1, 1, 0, -1, -1, 1, 0});
  coffee_fast::CancelToken cancel;
  const auto result = coffee_fast::solve_replicator(table, {.max_iterations = 1000}, cancel);
  std::cout << "coffee_fast " << coffee_fast::version() << ":";
  for (const double probability : result.mixtures[0]) {
    std::cout << ' ' << probability;
    if (std::abs(probability - 1.0 / 3.0) > 1e-12) return 1;
  }
  std::cout << '\n';
  try {
    coffee_fast::PayoffTable::symmetric(2, 1, {0, 1, 2});
  } catch (const coffee_fast::InvalidArgument& error) {  // exceptions cross the library's border
    std::cout << error.what() << '\n';
    return 0;
  }
  return 1;
}
