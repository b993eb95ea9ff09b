#pragma once

#include <vector>

#include "coffee_fast/stage_game.hpp"

namespace coffee_fast {

/// The potential nearest to a game, and how far the game is from having one.
struct NearestPotential {
  std::vector<double> potential;  ///< [A_1, ..., A_n]
  double distance = 0.0;          ///< largest difference of a player's gain and the potential's, over its changes
};

/// The potential that minimizes the squared differences of gains, summed over all changes of one player's action. Its
/// normal equations are solved by splitting payoffs into parts that depend on subsets of the players (Candogan et al.
/// 2011): the part's coefficient is the mean of the players' parts, weighted by their numbers of actions. Costs n
/// passes over the profiles for each of the 2^n subsets.
NearestPotential nearest_potential(const StageGame& game);

}  // namespace coffee_fast
