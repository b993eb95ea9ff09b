#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "coffee_fast/entry_kinds.hpp"
#include "coffee_fast/mlp.hpp"

// What a DynamicsEnsemble is made of: players N, actions A, states of size D, vectors of actions V, one player's
// observation O, members E; where there is chance, C outcomes of vectors W.

namespace coffee_fast {

/// What the members disagree about in the rewards r_m,p of member m and player p.
enum class EnsembleDisagreement {
  max_deviation,  ///< max over m of the mean over p of |r_m,p - mean over m|
  range_mean,     ///< mean over p of (max over m - min over m)
  range_max,      ///< max over p of (max over m - min over m)
};
/// Where the history part of information states comes from.
enum class EnsembleHistorySource {
  observations,  ///< the predicted observations
  actions,       ///< the vectors of the actions played; they must be as long as an observation's history part
};

struct EnsembleOptions {
  std::size_t num_players = 2;
  std::size_t num_actions = 0;
  std::size_t state_size = 0;
  std::size_t observation_size = 0;
  std::size_t history_start = 0;
  std::size_t max_episode_length = 0;
  float terminal_state_value = -1.0f;
  float terminal_threshold = 0.5f;
  double reward_scale = 1.0;
  EnsembleDisagreement disagreement = EnsembleDisagreement::max_deviation;
  EnsembleHistorySource history_source = EnsembleHistorySource::observations;
  // With a network of ends only.
  bool is_simultaneous = false;  ///< all seats choose in a round; the last N * V entries of states are its choices
  bool pays_every_step = false;
  std::size_t num_chance_outcomes = 0;
  bool end_is_certain = false, mover_is_certain = false, pay_is_certain = false;
  bool mask_sees_state = false, view_sees_move = false, view_sees_state = false;
  bool outcome_disagreement = false;  ///< members disagree about ends, movers and outcomes, too
  bool member_per_episode = false;    ///< next states are those of one member, drawn by the episode's key
};

/// z(x) = (x - mean) / scale, entry by entry.
struct EnsembleNormalizer {
  std::vector<float> mean, scale;
};

struct EnsembleNetworks {
  std::vector<std::shared_ptr<const Mlp>> delta;   ///< [E]: D + V inputs, D outputs
  std::vector<std::shared_ptr<const Mlp>> reward;  ///< [E]: D + V inputs, N outputs
  std::shared_ptr<const Mlp> shared;               ///< D inputs, N * O + A outputs; none with kinds of entries
  // Where there are some of ends, x has N + W + K inputs more (K codes), shared N, and delta networks besides as many
  // as there are movers M, if the next one is predicted. Of the next three there are one or E.
  std::vector<std::shared_ptr<const Mlp>> end;     ///< x, 1 output
  std::vector<std::shared_ptr<const Mlp>> mover;   ///< of games whose next mover is predicted: x, M outputs
  std::vector<std::shared_ptr<const Mlp>> chance;  ///< of games with chance: D inputs, C outputs
  std::shared_ptr<const Mlp> pay;                  ///< may be missing: x, 1 output
  std::shared_ptr<const Mlp> code;                 ///< may be missing: x, K outputs
  std::shared_ptr<const Mlp> mask;                 ///< with kinds: O + N + D inputs, A outputs
  std::shared_ptr<const Mlp> view;  ///< with kinds that leave some to it: O + N + 2 M + V + W + D inputs, O outputs
};

/// What a log tells without a network; all may be empty.
struct EnsembleKnowledge {
  EntryKinds state;        ///< known: the state [D], the action's vector [V] and the outcome's [W]
  EntryKinds observation;  ///< of N * O entries; known: the player's own [O], the next state [D] and the two vectors
  std::vector<float> chance_vectors;               ///< [C, W], raw
  std::vector<float> least_rewards, most_rewards;  ///< [N]
};

/// First states of M logged trajectories.
struct EnsembleInitialStates {
  std::vector<float> states;              ///< [M, D]
  std::vector<float> observations;        ///< [M, N * O]
  std::vector<std::uint8_t> legal_masks;  ///< [M, A]
  std::vector<std::int32_t> players;      ///< [M]: on move; chance_player, with a mask of zeros, for chance
};

}  // namespace coffee_fast
