#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coffee_fast/dynamics.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// Generalized Bargaining (Nguyen and Wellman 2026, Section 5.1 and Appendix B): two players share a pool of items of
/// three types by alternating offers.
///
/// - The pool has 1 or more items of each type and 5 to 7 in all, uniform over the 31 such pools. Each player's
///   valuations are real numbers of 1 or more a type that sum to 5 to 10, uniform on that polytope. A fair coin says
///   who moves first.
/// - An offer is the vector of items that the proposer keeps; any part of the pool may be kept. The other player
///   accepts the last offer or makes its own. The episode ends with an acceptance, or without a deal after the 11th
///   offer.
/// - A deal pays each player its valuation of what it gets, times discount to the power of the offers made; no deal
///   pays nothing.
///
/// Observation of a player (11): [agreement, offers made, pool (3), own valuations (3), last offer (3)]. Information
/// state (41): the first 8 entries of the observation, then all offers in order, zero padded. State (15): observation
/// of player 0, valuations of player 1, player on move.
class GeneralizedBargaining {
 public:
  static constexpr std::size_t num_item_types = 3;
  static constexpr std::size_t max_offers = 11;
  using Items = std::array<std::int32_t, num_item_types>;
  using Valuations = std::array<double, num_item_types>;

  /// Which offers have an action: all of at most 7 items with at most 5 of a type (108, in lexicographic order), or
  /// only the 96 that some pool allows.
  enum class Offers { all, feasible };

  struct Options {
    double discount = 0.99;
    Offers offers = Offers::all;
  };

  /// One episode, in one cache line.
  struct alignas(64) Episode {
    std::array<Valuations, 2> valuations{};
    std::array<std::uint8_t, max_offers> offers{};  ///< the first num_offers are actions
    std::uint8_t num_offers = 0;
    std::uint8_t pool_index = 0;  ///< into pools()
    std::uint8_t first_player = 0;
    bool is_over = false;
    bool has_deal = false;

    std::int32_t player_to_act() const { return (first_player + num_offers) % 2; }
    const Items& pool() const { return pools()[pool_index]; }
  };
  static_assert(sizeof(Episode) == 64);

  explicit GeneralizedBargaining(const Options& options);
  GeneralizedBargaining() : GeneralizedBargaining(Options{}) {}

  const Options& options() const { return options_; }
  std::span<const Items> offers() const { return offers_; }
  std::int32_t accept_action() const { return static_cast<std::int32_t>(offers_.size()); }
  static std::span<const Items> pools();

  // ---- one episode at a time -------------------------------------------------------------------------------------
  /// An episode with everything drawn from the key's initial-state stream.
  Episode draw(const EpisodeKey& key) const;
  /// Checks pool, valuations and first player; errors name them.
  Episode make(const Items& pool, const std::array<Valuations, 2>& valuations, std::int32_t first_player) const;
  /// One byte an action; what an episode that is over would allow is meaningless.
  std::span<const std::uint8_t> legal_mask(const Episode& episode) const;
  /// The same as a list, ascending.
  std::span<const std::int32_t> legal_actions(const Episode& episode) const;
  /// Requires a running episode and a legal action.
  void apply(Episode& episode, std::int32_t action) const;
  /// Zeros until the episode has ended with a deal.
  std::array<double, 2> returns(const Episode& episode) const;
  void observation(const Episode& episode, std::int32_t player, std::span<float> out) const;
  void information_state(const Episode& episode, std::int32_t player, std::span<float> out) const;
  void state(const Episode& episode, std::span<float> out) const;

  // ---- Dynamics --------------------------------------------------------------------------------------------------
  struct Batch {
    std::vector<Episode> episodes;
  };
  std::size_t num_players() const { return 2; }
  std::size_t num_actions() const { return offers_.size() + 1; }
  std::size_t num_members() const { return 1; }
  std::size_t state_size() const { return 15; }
  std::size_t observation_size() const { return 11; }
  std::size_t information_state_size() const { return 8 + num_item_types * max_offers; }
  std::size_t max_episode_length() const { return max_offers; }
  Batch make_batch(std::size_t capacity) const { return {std::vector<Episode>(capacity)}; }
  void reset(Batch& batch, std::span<const std::int32_t> lanes, std::span<const EpisodeKey> keys) const;
  void players_to_act(Batch& batch, std::span<const std::int32_t> lanes, std::span<std::int32_t> players) const;
  void information_states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  std::span<const std::int32_t> legal_actions(const Batch& batch, std::int32_t lane) const {
    return legal_actions(batch.episodes[static_cast<std::size_t>(lane)]);
  }
  void legal_masks(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<std::uint8_t> out) const;
  void states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void observations(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void step(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
            const StepOutputs& outputs) const;

 private:
  /// Row of the tables of legal actions.
  static std::size_t legal_row(const Episode& episode) { return 2u * episode.pool_index + (episode.num_offers > 0); }
  const Items& last_offer(const Episode& episode) const { return offers_[episode.offers[episode.num_offers - 1u]]; }

  Options options_;
  std::vector<Items> offers_;
  std::vector<std::uint8_t> legal_masks_;      // [pools, 2, actions]: before and after the first offer
  std::vector<std::int32_t> legal_actions_;    // the lists of the same, one after another
  std::vector<std::size_t> legal_starts_;      // where each list begins, and where the last one ends
  std::array<double, max_offers + 1> powers_;  // discount to the power of the offers made
};

static_assert(ListsLegalActions<GeneralizedBargaining>);

}  // namespace coffee_fast
