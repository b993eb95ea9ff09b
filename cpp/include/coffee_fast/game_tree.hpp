#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/dynamics.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// What a tree is built from. Nodes are numbered breadth first: 0 is the root, then come its children, then theirs, so
/// that the children of a node lie side by side. Information sets are numbered in the order of their first nodes.
struct GameTreeArrays {
  std::size_t num_players = 0;
  std::size_t num_actions = 0;
  std::size_t num_chance_outcomes = 0;
  std::size_t num_members = 1;                 ///< E: opinions of what is paid, as those of an ensemble's members
  std::size_t max_episode_length = 0;          ///< at least the tree's longest episode, which 0 stands for
  float terminal_state_value = -1.0f;          ///< fills the state once the episode is over
  std::vector<std::int8_t> players;            ///< [V]: on move; chance_player; GameTree::luck, GameTree::nobody
  std::vector<std::int32_t> num_children;      ///< [V]
  std::vector<std::int32_t> actions;           ///< [V]: the move that leads to the node; ascending among siblings
  std::vector<double> probabilities;           ///< [V]: with which chance makes that move; 1 for a player's
  std::vector<std::int32_t> payoff_rows;       ///< [V]: what that move pays, a row of `payoffs`
  std::vector<double> payoffs;                 ///< [P, N * E], player-major
  std::vector<std::int32_t> information_sets;  ///< [V]: -1 where no player is on move
  std::vector<std::int32_t> observation_rows;  ///< [V, N]: what each player knows; where it is over, any number
  std::vector<float> observations;             ///< [R, O]
  std::size_t observation_size = 0;            ///< O
  std::vector<std::int32_t> hidden_rows;       ///< [V]: what the state holds besides all observations; as above
  std::vector<float> hidden;                   ///< [H, W]
  std::size_t hidden_size = 0;                 ///< W; with 0 neither rows nor values are looked at
  bool observations_in_state = true;           ///< or else the state is what is hidden alone
  std::vector<float> information_states;       ///< [sets, I]: what policies are told; none: the mover's observation
  std::size_t information_state_size = 0;      ///< I; with 0 there are none
};

/// The whole tree of a game of any number of players, with chance, in flat arrays: to play at the speed of memory and
/// to compute with exactly (see the functions below).
///
/// A player's observation is its information state, unless information states are given. State: all players'
/// observations side by side, then what is hidden. Where luck is on move nobody notices: it is drawn within the move
/// before, or before the first, from the stream of the episode's key, Purpose::transition and the node's number.
/// Each action of each information set is a sequence: those of information set h have numbers sequence_starts()[h] to
/// sequence_starts()[h + 1], in ascending order of actions. A profile is one probability a sequence.
class GameTree {
 public:
  static constexpr std::int8_t nobody = -2;  ///< it is over
  static constexpr std::int8_t luck = -3;    ///< chance decides, in no move of its own
  static constexpr std::int32_t none = -1;

  /// Throws InvalidArgument, which names node or information set, unless the arrays are those of a tree.
  explicit GameTree(GameTreeArrays arrays);

  struct Node {
    std::int32_t first_child;
    std::int32_t num_children;
    std::int32_t payoff_row;
    std::int32_t information_set;
    std::int8_t player;
  };
  std::span<const Node> nodes() const { return nodes_; }
  std::span<const std::int32_t> actions_at(const Node& node) const {
    return {arrays_.actions.data() + node.first_child, static_cast<std::size_t>(node.num_children)};
  }
  double probability(std::size_t node) const { return arrays_.probabilities[node]; }
  /// [N * E], player-major.
  std::span<const double> payoffs(const Node& node) const {
    const std::size_t width = num_players() * num_members();
    return {arrays_.payoffs.data() + static_cast<std::size_t>(node.payoff_row) * width, width};
  }
  /// What a member says that the node pays a player; their mean for `none`.
  double payoff(const Node& node, std::size_t player, std::int32_t member) const {
    const std::span<const double> all = payoffs(node).subspan(player * num_members(), num_members());
    if (member != none) return all[static_cast<std::size_t>(member)];
    return std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
  }

  std::size_t num_information_sets() const { return first_nodes_.size(); }
  std::size_t num_sequences() const { return static_cast<std::size_t>(sequence_starts_.back()); }
  std::span<const std::int32_t> first_nodes() const { return first_nodes_; }          ///< of information sets
  std::span<const std::int32_t> sequence_starts() const { return sequence_starts_; }  ///< [sets + 1]
  /// The player's own last sequence before each information set, `none` at its first decision.
  std::span<const std::int32_t> parent_sequences() const { return parent_sequences_; }
  /// An information set whose player once knew or did what it does not know any more; `none` with perfect recall.
  std::int32_t forgetful_set() const { return forgetful_set_; }
  std::span<const float> information_state(std::size_t information_set) const;
  std::int8_t player_of(std::size_t information_set) const {
    return nodes_[static_cast<std::size_t>(first_nodes_[information_set])].player;
  }

  // ---- Dynamics --------------------------------------------------------------------------------------------------
  struct Batch {
    std::vector<std::int32_t> nodes;
    std::vector<EpisodeKey> keys;
  };
  std::size_t num_players() const { return arrays_.num_players; }
  std::size_t num_actions() const { return arrays_.num_actions; }
  std::size_t num_members() const { return arrays_.num_members; }
  std::size_t num_chance_outcomes() const { return arrays_.num_chance_outcomes; }
  std::size_t state_size() const {
    return (arrays_.observations_in_state ? num_players() * observation_size() : 0) + arrays_.hidden_size;
  }
  std::size_t observation_size() const { return arrays_.observation_size; }
  std::size_t information_state_size() const {
    return arrays_.information_state_size != 0 ? arrays_.information_state_size : observation_size();
  }
  std::size_t max_episode_length() const { return arrays_.max_episode_length; }
  Batch make_batch(std::size_t capacity) const {
    return {std::vector<std::int32_t>(capacity), std::vector<EpisodeKey>(capacity)};
  }
  void reset(Batch& batch, std::span<const std::int32_t> lanes, std::span<const EpisodeKey> keys) const;
  void players_to_act(Batch& batch, std::span<const std::int32_t> lanes, std::span<std::int32_t> players) const;
  void information_states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  std::span<const std::int32_t> legal_actions(const Batch& batch, std::int32_t lane) const {
    return actions_at(at(batch, lane));
  }
  void legal_masks(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<std::uint8_t> out) const;
  void chance_probabilities(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<double> out) const;
  void states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void observations(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void step(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
            const StepOutputs& outputs) const;

 private:
  const Node& at(const Batch& batch, std::int32_t lane) const {
    return nodes_[static_cast<std::size_t>(batch.nodes[static_cast<std::size_t>(lane)])];
  }
  std::span<const float> observation(std::size_t node, std::size_t player) const;
  void follow_luck(Batch& batch, std::int32_t lane, std::span<double> rewards) const;
  double disagreement_of(std::span<const double> rewards) const;
  void check_sizes() const;
  void link_children();
  void check_moves() const;
  void check_rows() const;
  void number_sequences();
  void find_parent_sequences();

  GameTreeArrays arrays_;  // without what nodes_ holds
  std::vector<Node> nodes_;
  std::vector<std::int32_t> first_nodes_, sequence_starts_{0}, parent_sequences_;
  std::int32_t forgetful_set_ = none;
};

static_assert(ListsLegalActions<GameTree> && HasChance<GameTree>);

/// Each player's expected payoff by each member [N * E], player-major, where all play `profile` [Q]. O(V).
std::vector<double> profile_values(const GameTree& tree, std::span<const double> profile, CancelToken& cancel);

struct BestResponse {
  double value = 0.0;
  std::vector<std::int32_t> actions;  ///< [sets]: what to play, the lowest of equals; -1 at other players' sets
};

/// The most that a player can earn, by any policy, where the others play `profile`, by what a member says is paid, or
/// by their mean for GameTree::none. O(V). Needs perfect recall.
BestResponse best_response(const GameTree& tree, std::span<const double> profile, std::size_t player,
                           std::int32_t member, CancelToken& cancel);

/// The policy of one player that earns, whatever the others do, what drawing one of `policies` [K, Q] by `weights` [K]
/// at the start of each episode does (Kuhn 1953): at each information set they are weighted by how likely they are to
/// have made the player's earlier moves; by `weights` where none gets there. [Q], zero at other players' sequences.
/// O(K Q). Needs perfect recall.
std::vector<double> mixture_behavior(const GameTree& tree, std::size_t player, MatrixView<const double> policies,
                                     std::span<const double> weights);

}  // namespace coffee_fast
