#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace coffee_fast {

/// A game in normal form as the anchored solvers see it: one payoff table a mixture, [A_1, ..., A_n] row-major. A
/// symmetric game of two players is one table and one mixture, which both play; otherwise table and mixture i are
/// player i's. The mixtures of a profile lie one after another in an array of num_actions() entries.
class StageGame {
 public:
  /// `sizes` are the n players' numbers of actions; one table of two equal sizes makes a symmetric game.
  StageGame(std::vector<std::size_t> sizes, std::vector<std::vector<double>> payoffs);

  std::size_t num_axes() const { return sizes_.size(); }
  std::size_t num_mixtures() const { return payoffs_.size(); }
  std::size_t num_actions() const { return offsets_.back(); }
  std::size_t size(std::size_t axis) const { return sizes_[axis]; }
  /// Whose mixture the actions of an axis are drawn from.
  std::size_t owner(std::size_t axis) const { return payoffs_.size() == 1 ? 0 : axis; }
  std::size_t begin(std::size_t mixture) const { return offsets_[mixture]; }
  std::span<const double> payoffs(std::size_t mixture) const { return payoffs_[mixture]; }

  template <class T>
  std::span<T> part(std::span<T> profile, std::size_t mixture) const {
    return profile.subspan(offsets_[mixture], offsets_[mixture + 1] - offsets_[mixture]);
  }

  /// The table with a player's own actions first: [A_i, B] for its B joint actions of the others, in their order.
  std::vector<double> by_own_action(std::size_t mixture) const;

  /// Largest payoff of a table less its smallest.
  double range(std::size_t mixture) const;

  /// The same game to a player's choice: for each profile of the others, its payoffs less the middle of their range,
  /// over `divisor` (one a mixture).
  StageGame centered(std::span<const double> divisor) const;

  /// values [num_actions()]: expected payoff of each action of each mixture's player against `probabilities`.
  void deviation_payoffs(std::span<const double> probabilities, std::span<double> values) const;

  /// pairs [A_player, A_axis]: expected payoff of each action of the player against each of another axis.
  void pair_payoffs(std::size_t player, std::size_t axis, std::span<const double> probabilities,
                    std::span<double> pairs) const;

 private:
  void contract(std::size_t mixture, std::size_t keep, std::size_t also_keep, std::span<const double> probabilities,
                std::span<double> out) const;

  std::vector<std::size_t> sizes_, offsets_;
  std::vector<std::vector<double>> payoffs_;
  mutable std::vector<double> scratch_[2];
};

}  // namespace coffee_fast
