#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

#include "coffee_fast/rng.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// The coordinates of one episode: all its randomness comes from streams with these and a Purpose, so it is the same
/// in any batch, chunk or thread.
struct EpisodeKey {
  std::uint64_t seed = 0;
  std::uint64_t profile = 0;
  std::uint64_t rollout = 0;
};

/// Most episodes that are played at a time; their states alone fill a gigabyte.
inline constexpr std::size_t kMaxLanes = std::size_t{1} << 20;

/// What one step of a batch gives, a row for each lane that stepped.
struct StepOutputs {
  MatrixView<double> rewards;        ///< [L, N * E]: player-major, rewards(lane, player * E + member)
  std::span<double> disagreement;    ///< [L]: what the members disagree about at this transition; 0 for true games
  std::span<std::uint8_t> terminal;  ///< [L]: 1 where the episode is over
};

/// Games in which one player moves at a time, true or learned, advanced many episodes at a time.
///
/// A Batch holds `capacity` lanes, one episode each. Functions take the lanes they concern, in any order and without
/// repetition; a lane that is not named does not change. A dynamics object is immutable and may be shared by threads;
/// a Batch belongs to one thread and holds all the scratch that its dynamics needs.
///
/// `players_to_act` says chance_player where chance is to move; see HasChance. Moves at once are played seat by seat,
/// the earlier choices hidden until all have chosen.
///
/// `information_states`, `legal_masks` and `players_to_act` speak of the player on move; `states` and `observations`
/// (all players', [L, N * O]) are what a log of the episode would record.
template <class D>
concept Dynamics =
    requires(const D& dynamics, typename D::Batch& batch, std::span<const std::int32_t> lanes,
             std::span<const EpisodeKey> keys, std::span<std::int32_t> players, MatrixView<float> features,
             MatrixView<std::uint8_t> masks, std::span<const std::int32_t> actions, const StepOutputs& outputs) {
      { dynamics.num_players() } -> std::convertible_to<std::size_t>;
      { dynamics.num_actions() } -> std::convertible_to<std::size_t>;
      { dynamics.num_members() } -> std::convertible_to<std::size_t>;
      { dynamics.state_size() } -> std::convertible_to<std::size_t>;
      { dynamics.observation_size() } -> std::convertible_to<std::size_t>;
      { dynamics.information_state_size() } -> std::convertible_to<std::size_t>;
      { dynamics.max_episode_length() } -> std::convertible_to<std::size_t>;
      { dynamics.make_batch(std::size_t{}) } -> std::same_as<typename D::Batch>;
      dynamics.reset(batch, lanes, keys);
      dynamics.players_to_act(batch, lanes, players);
      dynamics.information_states(batch, lanes, features);
      dynamics.legal_masks(batch, lanes, masks);
      dynamics.states(batch, lanes, features);
      dynamics.observations(batch, lanes, features);
      dynamics.step(batch, lanes, actions, outputs);
    };

/// A dynamics that has the ascending list of a lane's legal actions at hand spares uniform play the masks.
template <class D>
concept ListsLegalActions =
    Dynamics<D> && requires(const D& dynamics, const typename D::Batch& batch, std::int32_t lane) {
      { dynamics.legal_actions(batch, lane) } -> std::convertible_to<std::span<const std::int32_t>>;
    };

/// Where and when uniform play draws: lane l at decision `time` from the stream of keys[l].rollout.
struct ActionDraws {
  Stream stream;  ///< of a seed, a purpose and a profile
  std::span<const EpisodeKey> keys;
  std::uint32_t time = 0;

  Stream of(std::int32_t lane) const { return stream.at(keys[static_cast<std::size_t>(lane)].rollout, time); }
};

/// A legal action for each lane, each with equal probability; no lane may be chance's.
template <ListsLegalActions D>
void play_uniformly(const D& dynamics, const typename D::Batch& batch, std::span<const std::int32_t> lanes,
                    const ActionDraws& draws, std::span<std::int32_t> actions) {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const std::span<const std::int32_t> legal = dynamics.legal_actions(batch, lanes[row]);
    actions[row] = legal[draws.of(lanes[row]).next_below(static_cast<std::uint32_t>(legal.size()))];
  }
}

/// A dynamics that may have such lists, and then plays uniformly a batch at a time.
template <class D>
concept PlaysUniformly =
    Dynamics<D> && requires(const D& dynamics, const typename D::Batch& batch, std::span<const std::int32_t> lanes,
                            const ActionDraws& draws, std::span<std::int32_t> actions) {
      { dynamics.lists_legal_actions() } -> std::same_as<bool>;
      dynamics.play_uniformly(batch, lanes, draws, actions);
    };

/// Whom `players_to_act` names where chance is to move, cards to be dealt, say.
inline constexpr std::int32_t chance_player = -1;

/// A dynamics whose chance events are moves of their own: whoever drives the episode draws an outcome in
/// [0, num_chance_outcomes()) by `chance_probabilities` ([L, C], rows sum to one; lanes where chance is to move) and
/// gives it to `step` as the action. At such lanes `legal_masks` and `information_states` are all zero. With 0 outcomes
/// chance never moves.
/// Other dynamics may still draw within `reset` and `step`, from streams of the episode's key.
template <class D>
concept HasChance = Dynamics<D> && requires(const D& dynamics, typename D::Batch& batch,
                                            std::span<const std::int32_t> lanes, MatrixView<double> probabilities) {
  { dynamics.num_chance_outcomes() } -> std::convertible_to<std::size_t>;
  dynamics.chance_probabilities(batch, lanes, probabilities);
};

}  // namespace coffee_fast
