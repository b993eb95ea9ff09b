#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "coffee_fast/dynamics.hpp"
#include "coffee_fast/mlp.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// A game learned from logged play by an ensemble of networks.
///
/// Without a network of ends it is the model of Nguyen and Wellman (2026, Section 4.1), of players who move strictly in
/// turn and are paid at the end. From state s and action a, with z the normalization and a the action's vector:
/// - next state s' = mean over members m of z^-1(z(s) + delta_m(z(s), z(a)));
/// - the episode is over if s' lies within `terminal_threshold` of the terminal state, on average over its entries, or
///   after max_episode_length actions;
/// - only where s' says so are there rewards, r_m = reward_scale * reward_m(z(s), z(a)), and disagreement;
/// - else the shared network gives all players' observations and the legal actions at s'.
///
/// With a network of ends it plays any kind of game. Let x be z(s), z(a), the mover (one-hot) and z(outcome) side by
/// side, zeros for the action and the mover where chance moves and for the outcome where it does not:
/// - the episode is over with probability sigmoid(end(x)), drawn from the stream of Purpose::transition at its key and
///   step, and for certain once there is no room for another move (for another round of simultaneous ones);
/// - rewards and disagreement r_m = reward_scale * reward_m(x) at the end, or at every step;
/// - else the next mover is the next seat, or drawn (from the same stream) by softmax(mover(x)), chance the last class;
/// - s' as above, from x and, where it is drawn, the next mover (one-hot); the shared network sees z(s') and the mover;
/// - outcomes of chance have the probabilities softmax(chance(z(s))).
/// Simultaneous moves are exact until the last seat has chosen: the mover's entries of the state become its action's
/// vector, nothing is paid, nobody observes anything. Then x holds all choices, and s' none.
///
/// Episodes start from the first states of logged trajectories. The player on move sees what its information states
/// are made of: the part of its predicted observation before history_start, and the rest of the observations that each
/// mover had before, in order.
class DynamicsEnsemble {
 public:
  /// What the members disagree about in the rewards r_m,p of member m and player p.
  enum class Disagreement {
    max_deviation,  ///< max over m of the mean over p of |r_m,p - mean over m|
    range_mean,     ///< mean over p of (max over m - min over m)
    range_max,      ///< max over p of (max over m - min over m)
  };
  /// Where the history part of information states comes from.
  enum class HistorySource {
    observations,  ///< the predicted observations
    actions,       ///< the vectors of the actions played; they must be as long as an observation's history part
  };

  struct Options {
    std::size_t num_players = 2;
    std::size_t num_actions = 0;
    std::size_t state_size = 0;
    std::size_t observation_size = 0;
    std::size_t history_start = 0;
    std::size_t max_episode_length = 0;
    float terminal_state_value = -1.0f;
    float terminal_threshold = 0.5f;
    double reward_scale = 1.0;
    Disagreement disagreement = Disagreement::max_deviation;
    HistorySource history_source = HistorySource::observations;
    // With a network of ends only.
    bool is_simultaneous = false;  ///< all seats choose in a round; the last N * V entries of states are its choices
    bool pays_every_step = false;
    std::size_t num_chance_outcomes = 0;
  };

  /// z(x) = (x - mean) / scale, entry by entry.
  struct Normalizer {
    std::vector<float> mean, scale;
  };

  struct Networks {
    std::vector<std::shared_ptr<const Mlp>> delta;   ///< [E]: D + V inputs, D outputs
    std::vector<std::shared_ptr<const Mlp>> reward;  ///< [E]: D + V inputs, N outputs
    std::shared_ptr<const Mlp> shared;               ///< D inputs, N * O + A outputs
    // Where there is one of ends, all above have N + W inputs more but shared, which has N, and delta networks besides
    // as many as there are movers, if the next one is predicted.
    std::shared_ptr<const Mlp> end;     ///< D + V + N + W inputs, 1 output
    std::shared_ptr<const Mlp> mover;   ///< of games whose next mover is predicted: N outputs, or N + 1 with chance
    std::shared_ptr<const Mlp> chance;  ///< of games with chance: D inputs, C outputs
  };

  /// First states of M logged trajectories.
  struct InitialStates {
    std::vector<float> states;              ///< [M, D]
    std::vector<float> observations;        ///< [M, N * O]
    std::vector<std::uint8_t> legal_masks;  ///< [M, A]
    std::vector<std::int32_t> players;      ///< [M]: on move; chance_player, with a mask of zeros, for chance
  };

  /// Normalizers of states [D], action vectors [V] and observations [N * O]; chance_inputs [C, W] are the normalized
  /// vectors of outcomes. Throws InvalidArgument where sizes do not fit each other.
  DynamicsEnsemble(const Options& options, Networks networks, Normalizer state, Normalizer action,
                   Normalizer observation, std::vector<float> action_vectors, InitialStates initial_states,
                   std::vector<float> chance_inputs = {});

  const Options& options() const { return options_; }

  // ---- Dynamics --------------------------------------------------------------------------------------------------
  struct Batch {
    // Of each lane.
    std::vector<float> states, observations, information_states;
    std::vector<std::uint8_t> legal_masks;
    std::vector<std::int32_t> players, num_actions_taken;
    std::vector<EpisodeKey> keys;
    // Scratch of a step, rows of lanes that take part.
    std::vector<float> inputs, deltas, next_states, paying_inputs, rewards, shared_inputs, shared_outputs;
    std::vector<std::int32_t> paying_rows, continuing_rows;
    // The same, where ends are drawn.
    std::vector<float> delta_inputs, end_logits, mover_logits, chance_logits;
    std::vector<std::int32_t> acting_rows, choosing_rows;
    std::vector<double> probabilities;
    Mlp::Workspace workspace;
  };
  std::size_t num_players() const { return options_.num_players; }
  std::size_t num_actions() const { return options_.num_actions; }
  std::size_t num_members() const { return networks_.delta.size(); }
  std::size_t state_size() const { return options_.state_size; }
  std::size_t observation_size() const { return options_.observation_size; }
  std::size_t information_state_size() const {
    return options_.history_start + event_size() * options_.max_episode_length;
  }
  std::size_t max_episode_length() const { return options_.max_episode_length; }
  std::size_t num_chance_outcomes() const { return options_.num_chance_outcomes; }
  Batch make_batch(std::size_t capacity) const;
  void reset(Batch& batch, std::span<const std::int32_t> lanes, std::span<const EpisodeKey> keys) const;
  void players_to_act(Batch& batch, std::span<const std::int32_t> lanes, std::span<std::int32_t> players) const;
  void information_states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void legal_masks(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<std::uint8_t> out) const;
  void states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void observations(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void step(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
            const StepOutputs& outputs) const;
  void chance_probabilities(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<double> out) const;

  // ---- the networks by themselves, at any L states and actions, whether or not an episode would end there ----------
  // Where ends are drawn, players [L] say who is on move (chance_player: the action is an outcome); else they are not
  // looked at and may be left out.
  /// Whether ends, movers and outcomes are drawn, as there is a network of ends.
  bool draws_ends() const { return networks_.end != nullptr; }
  /// Classes of the next mover: players and, where there is chance, chance last.
  std::size_t num_movers() const { return num_players() + (num_chance_outcomes() > 0 ? 1 : 0); }
  /// The mean next states [L, D], given who moves next; without `next_players` that is the most likely mover.
  void next_states(MatrixView<const float> states, std::span<const std::int32_t> actions,
                   std::span<const std::int32_t> players, std::span<const std::int32_t> next_players,
                   MatrixView<float> out) const;
  /// The members' rewards [L, N * E] (player-major) and their disagreement [L].
  void rewards(MatrixView<const float> states, std::span<const std::int32_t> actions,
               std::span<const std::int32_t> players, MatrixView<double> member_rewards,
               std::span<double> disagreement) const;
  /// What is observed at the states: observations [L, N * O] and legal masks [L, A].
  void observe(MatrixView<const float> states, std::span<const std::int32_t> players, MatrixView<float> observations,
               MatrixView<std::uint8_t> legal_masks) const;
  /// Where ends are drawn: probabilities that an episode ends [L], and of who moves next if not [L, num_movers()].
  void outcomes(MatrixView<const float> states, std::span<const std::int32_t> actions,
                std::span<const std::int32_t> players, std::span<double> ends, MatrixView<double> movers) const;
  /// Probabilities of the outcomes of chance [L, C] at any states.
  void chance_probabilities(MatrixView<const float> states, MatrixView<double> out) const;

 private:
  std::size_t event_size() const { return options_.observation_size - options_.history_start; }
  std::size_t action_size() const { return action_normalizer_.mean.size(); }
  std::size_t outcome_size() const {
    return num_chance_outcomes() == 0 ? 0 : chance_inputs_.size() / num_chance_outcomes();
  }
  std::size_t input_size() const {
    return state_size() + action_size() + (draws_ends() ? num_players() + outcome_size() : 0);
  }
  bool predicts_mover() const { return networks_.mover != nullptr; }
  std::size_t delta_input_size() const { return input_size() + (predicts_mover() ? num_movers() : 0); }
  std::size_t shared_input_size() const { return state_size() + (draws_ends() ? num_players() : 0); }
  void check_networks() const;
  void check_initial_states() const;
  void check_states(const char* function, MatrixView<const float> states) const;
  void check_players(const char* function, std::span<const std::int32_t> players, std::size_t count) const;
  /// Also the players.
  void check_actions(const char* function, std::span<const std::int32_t> actions, std::span<const std::int32_t> players,
                     std::size_t count) const;
  void normalize_state(const float* state, float* out) const;
  void set_input(float* input, const float* state, std::int32_t action, std::int32_t player) const;
  /// next_states from inputs [L, delta_input_size()].
  void predict_next_states(Batch& batch, MatrixView<const float> inputs) const;
  bool is_terminal_state(std::span<const float> state) const;
  /// Rewards and disagreement in the rows named, from the first rows.size() paying_inputs.
  void predict_rewards(Batch& batch, std::span<const std::int32_t> rows, MatrixView<double> rewards,
                       std::span<double> disagreement) const;
  double disagreement_of(std::span<const double> member_rewards) const;
  /// shared_outputs [count, N * O + A] from shared_inputs.
  void predict_observations(Batch& batch, std::size_t count) const;
  void decode_observations(const float* output, float* observations) const;
  void decode_legal_mask(const float* output, std::uint8_t* legal_mask) const;
  void observe_next_states(Batch& batch, std::span<const std::int32_t> lanes,
                           std::span<const std::int32_t> actions) const;
  /// Puts what the mover knows to the front of the lane's information state.
  void set_known_part(Batch& batch, std::size_t lane) const;
  void append_event(Batch& batch, std::size_t lane, std::int32_t action) const;
  /// Of player 0 where chance is to move.
  const float* observation_of_mover(const Batch& batch, std::size_t lane) const;

  // ---- where ends are drawn ----------------------------------------------------------------------------------------
  void step_by_draws(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
                     const StepOutputs& outputs) const;
  /// Whether the player's choice is not the last of its round.
  bool is_within_round(std::int32_t player) const {
    return options_.is_simultaneous && player != chance_player && player + 1 < static_cast<std::int32_t>(num_players());
  }
  void choose_within_round(float* state, std::int32_t player, std::int32_t action) const;
  void set_shared_input(float* input, const float* state, std::int32_t player) const;
  void append_next_mover(float* delta_input, const float* input, std::int32_t next_player) const;
  /// end_logits and mover_logits of the first `count` inputs.
  void predict_outcomes(Batch& batch, std::size_t count) const;
  std::int32_t draw_mover(Batch& batch, std::size_t row, std::int32_t player, double uniform) const;
  void draw_next(Batch& batch, std::span<const std::int32_t> lanes, const StepOutputs& outputs) const;
  void clear_choices(float* state) const;
  void observe_after_draws(Batch& batch, std::span<const std::int32_t> lanes,
                           std::span<const std::int32_t> actions) const;

  Options options_;
  Networks networks_;
  Normalizer state_normalizer_, action_normalizer_, observation_normalizer_;
  std::vector<float> inverse_state_scale_;
  std::vector<float> action_vectors_;             // [A, V], raw
  std::vector<float> normalized_action_vectors_;  // [A, V]
  InitialStates initial_states_;
  std::vector<float> chance_inputs_;  // [C, W]
};

static_assert(HasChance<DynamicsEnsemble>);

}  // namespace coffee_fast
