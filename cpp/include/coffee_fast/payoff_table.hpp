#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "coffee_fast/profile_index.hpp"

namespace coffee_fast {

class PackedPayoffs;

/// How payoffs by several ensemble members become one: their mean, or the bounds they span.
enum class OverMembers { mean, lower, upper };

/// The payoffs of a normal-form game: for each player a dense array [members, S1, ..., Sn] of finite doubles.
/// A plain game has one member. Its payoffs never change and threads may share it.
class PayoffTable {
 public:
  /// The largest payoff size accepted; sums and differences of payoffs then stay far from overflow.
  static constexpr double max_payoff = 1e280;

  /// `payoffs[i]` is player i's array, row-major. Throws InvalidArgument for wrong sizes or a payoff that is NaN or
  /// larger than `max_payoff`.
  PayoffTable(std::vector<std::size_t> num_strategies, std::size_t num_members,
              std::vector<std::vector<double>> payoffs);

  PayoffTable(PayoffTable&&) noexcept;
  PayoffTable& operator=(PayoffTable&&) noexcept;
  ~PayoffTable();

  /// A symmetric two-player game: payoffs [members, S, S] to the player of the row; the other's are the transpose.
  static PayoffTable symmetric(std::size_t num_strategies, std::size_t num_members, std::vector<double> payoffs);

  const ProfileIndex& profiles() const { return profiles_; }
  std::size_t num_players() const { return profiles_.num_players(); }
  std::size_t num_strategies(std::size_t player) const { return profiles_.num_strategies()[player]; }
  std::size_t num_members() const { return num_members_; }
  bool is_symmetric() const { return is_symmetric_; }
  /// The largest absolute payoff.
  double payoff_scale() const { return payoff_scale_; }

  /// Payoffs [S1, ..., Sn] of `player` by one member. A symmetric table stores those of player 0 alone.
  std::span<const double> payoffs(std::size_t player, std::size_t member) const;

  /// Payoffs [S1, ..., Sn] of `player`, each entry the mean, least or largest over members.
  std::vector<double> combined_payoffs(std::size_t player, OverMembers over_members) const;

  /// The same, laid out for the kernels of deviation payoffs; made on first use and kept.
  const PackedPayoffs& packed_payoffs(std::size_t player, OverMembers over_members) const;

 private:
  struct Cache;

  PayoffTable(std::vector<std::size_t> num_strategies, std::size_t num_members,
              std::vector<std::vector<double>> payoffs, bool is_symmetric);

  ProfileIndex profiles_;
  std::size_t num_members_;
  bool is_symmetric_;
  double payoff_scale_ = 0.0;
  std::vector<std::vector<double>> payoffs_;
  std::unique_ptr<Cache> cache_;
};

}  // namespace coffee_fast
