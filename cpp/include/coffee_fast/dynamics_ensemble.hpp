#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "coffee_fast/dynamics.hpp"
#include "coffee_fast/dynamics_ensemble_parts.hpp"
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
/// Where there are codes, kinds of luck that no outcome of chance tells, one is drawn first (same stream) by
/// softmax(code(x)), and x holds it (one-hot) from then on. A network of payments gives the probability by which
/// rewards are multiplied. Several networks of ends, movers or outcomes are averaged in probability; ends, movers and
/// payments that are certain are the likeliest ones.
///
/// With kinds of entries, s' and observations are settled by EntryKinds. Predicted entries of observations are those of
/// the view network, from what the player observed before, the seat, who moved and who is next (one-hot), and, where it
/// sees them, z(a), z(outcome) and z(s'); legal actions those of the mask network, from the mover's observation, the
/// mover and, where it sees it, z(s').
///
/// Simultaneous moves are exact until the last seat has chosen: the mover's entries of the state become its action's
/// vector, nothing is paid, nobody observes anything. Then x holds all choices, and s' none.
///
/// Episodes start from the first states of logged trajectories. The player on move sees what its information states
/// are made of: the part of its predicted observation before history_start, and the rest of the observations that each
/// mover had before, in order.
class DynamicsEnsemble {
 public:
  using Disagreement = EnsembleDisagreement;
  using HistorySource = EnsembleHistorySource;
  using Options = EnsembleOptions;
  using Normalizer = EnsembleNormalizer;
  using Networks = EnsembleNetworks;
  using Knowledge = EnsembleKnowledge;
  using InitialStates = EnsembleInitialStates;

  /// Normalizers of states [D], action vectors [V] and observations [N * O]; chance_inputs [C, W] are the normalized
  /// vectors of outcomes. Throws InvalidArgument where sizes do not fit each other.
  DynamicsEnsemble(const Options& options, Networks networks, Normalizer state, Normalizer action,
                   Normalizer observation, std::vector<float> action_vectors, InitialStates initial_states,
                   std::vector<float> chance_inputs = {}, Knowledge knowledge = {});

  const Options& options() const { return options_; }

  // ---- Dynamics --------------------------------------------------------------------------------------------------
  struct Batch {
    // Of each lane.
    std::vector<float> states, observations, information_states;
    std::vector<std::uint8_t> legal_masks;
    std::vector<std::int32_t> players, num_actions_taken, members;
    std::vector<EpisodeKey> keys;
    // Scratch of a step, rows of lanes that take part.
    std::vector<float> inputs, deltas, next_states, paying_inputs, rewards, shared_inputs, shared_outputs;
    std::vector<std::int32_t> paying_rows, continuing_rows, row_lanes, row_members;
    // The same, where ends are drawn.
    std::vector<float> delta_inputs, chance_states, logits;
    std::vector<std::int32_t> acting_rows, choosing_rows, last_movers;  // who moved, of each row
    std::vector<double> ends, movers, chances, payments, probabilities, information;
    // With kinds of entries, or a member an episode.
    std::vector<float> known, views, view_inputs, member_inputs;
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
  bool draws_ends() const { return !networks_.end.empty(); }
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
  /// What is observed at the states, by the shared network: observations [L, N * O] and legal masks [L, A].
  void observe(MatrixView<const float> states, std::span<const std::int32_t> players, MatrixView<float> observations,
               MatrixView<std::uint8_t> legal_masks) const;
  /// Legal masks [L, A] at states and observations [L, N * O], which a shared network does not look at.
  void legal_masks_at(MatrixView<const float> states, MatrixView<const float> observations,
                      std::span<const std::int32_t> players, MatrixView<std::uint8_t> out) const;
  /// Where ends are drawn: probabilities that an episode ends [L], and of who moves next if not [L, num_movers()].
  void outcomes(MatrixView<const float> states, std::span<const std::int32_t> actions,
                std::span<const std::int32_t> players, std::span<double> ends, MatrixView<double> movers) const;
  /// Where ends are drawn: probabilities [L] that something is paid, one where nothing says otherwise.
  void pays(MatrixView<const float> states, std::span<const std::int32_t> actions,
            std::span<const std::int32_t> players, std::span<double> out) const;
  /// Probabilities of the outcomes of chance [L, C] at any states.
  void chance_probabilities(MatrixView<const float> states, MatrixView<double> out) const;

  // ---- whole episodes whose moves are given ------------------------------------------------------------------------
  /// M episodes of T moves in all, the m-th from offsets[m] to offsets[m + 1], from their first states on.
  struct Moves {
    std::span<const std::int64_t> offsets;       ///< [M + 1]
    MatrixView<const float> states;              ///< [M, D], first ones
    MatrixView<const float> observations;        ///< [M, N * O]
    MatrixView<const std::uint8_t> legal_masks;  ///< [M, A]
    std::span<const std::int32_t> players;       ///< [T]: on move, chance_player for chance
    std::span<const std::int32_t> actions;       ///< [T]
  };
  /// What the model says before each move, and of each move as if it ended the episode.
  struct Followed {
    MatrixView<float> states, observations, information_states;  ///< [T, D], [T, N * O], [T, I]
    MatrixView<std::uint8_t> legal_masks;                        ///< [T, A]
    MatrixView<double> rewards;                                  ///< [T, N * E], player-major
    std::span<double> disagreement, ends;                        ///< [T], [T]: probabilities of an end
  };
  /// Follows the moves whatever the model would have drawn; luck that only codes tell is the likeliest.
  void follow(const Moves& moves, const Followed& out) const;

 private:
  std::size_t event_size() const { return options_.observation_size - options_.history_start; }
  std::size_t action_size() const { return action_normalizer_.mean.size(); }
  std::size_t outcome_size() const {
    return num_chance_outcomes() == 0 ? 0 : chance_inputs_.size() / num_chance_outcomes();
  }
  std::size_t input_size() const {
    return state_size() + action_size() + (draws_ends() ? num_players() + outcome_size() + num_codes() : 0);
  }
  std::size_t num_codes() const { return networks_.code == nullptr ? 0 : networks_.code->output_size(); }
  bool predicts_mover() const { return !networks_.mover.empty(); }
  bool has_kinds() const { return knowledge_.state.size() > 0; }
  std::size_t mask_input_size() const { return observation_size() + num_players() + state_size(); }
  std::size_t view_input_size() const {
    return observation_size() + num_players() + 2 * num_movers() + action_size() + outcome_size() + state_size();
  }
  /// Of players, and after them of chance.
  std::size_t mover_index(std::int32_t player) const {
    return player == chance_player ? num_players() : static_cast<std::size_t>(player);
  }
  std::size_t delta_input_size() const { return input_size() + (predicts_mover() ? num_movers() : 0); }
  std::size_t shared_input_size() const { return state_size() + (draws_ends() ? num_players() : 0); }
  void check_networks() const;
  void check_drawing_networks() const;
  void check_knowledge() const;
  void check_initial_states() const;
  void check_states(const char* function, MatrixView<const float> states) const;
  void check_players(const char* function, std::span<const std::int32_t> players, std::size_t count) const;
  /// Also the players.
  void check_actions(const char* function, std::span<const std::int32_t> actions, std::span<const std::int32_t> players,
                     std::size_t count) const;
  void normalize_state(const float* state, float* out) const;
  /// One player's.
  void normalize_observation(const float* observation, float* out) const;
  void set_input(float* input, const float* state, std::int32_t action, std::int32_t player) const;
  /// next_states from inputs [L, delta_input_size()]: the members' mean, or each row's member.
  void predict_next_states(Batch& batch, MatrixView<const float> inputs,
                           std::span<const std::int32_t> members = {}) const;
  void set_deltas_of(Batch& batch, MatrixView<const float> inputs, std::span<const std::int32_t> members) const;
  /// Of each row, where episodes have a member.
  std::span<const std::int32_t> members_of(Batch& batch, std::span<const std::int32_t> lanes) const;
  bool is_terminal_state(std::span<const float> state) const;
  /// Rewards and disagreement in the rows named, from the first rows.size() paying_inputs.
  void predict_rewards(Batch& batch, std::span<const std::int32_t> rows, MatrixView<double> rewards,
                       std::span<double> disagreement) const;
  double disagreement_of(std::span<const double> member_rewards) const;
  /// shared_outputs [count, N * O + A] from shared_inputs.
  void predict_observations(Batch& batch, std::size_t count) const;
  void decode_observations(const float* output, float* observations) const;
  /// From scores of A actions.
  void decode_legal_mask(const float* scores, std::uint8_t* legal_mask) const;
  double bounded_reward(std::size_t player, double reward) const;
  /// Probabilities that anything is paid, from inputs [L, input_size()].
  void predict_payments(Batch& batch, MatrixView<const float> inputs, std::span<double> out) const;
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
  /// Sorts out choices within a round, which it makes, and the other rows, whose inputs it sets.
  void begin_step(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions) const;
  void set_shared_input(float* input, const float* state, std::int32_t player) const;
  void append_next_mover(float* delta_input, const float* input, std::int32_t next_player) const;
  /// The networks' mean probabilities; a single output is the logit of the only class. Where they count as disagreement
  /// `information` of each row grows by the entropy of the mean minus the mean entropy.
  void mean_probabilities(Batch& batch, const std::vector<std::shared_ptr<const Mlp>>& networks,
                          MatrixView<const float> inputs, MatrixView<double> out) const;
  /// ends, movers and information of the first `count` inputs.
  void predict_outcomes(Batch& batch, std::size_t count) const;
  Stream stream_of_move(const Batch& batch, std::size_t lane) const;
  void draw_codes(Batch& batch, std::span<const std::int32_t> lanes) const;
  void set_likely_codes(Batch& batch, std::size_t count) const;
  void set_code(float* input, std::size_t code) const;
  std::int32_t draw_mover(Batch& batch, std::size_t row, std::int32_t player, double uniform) const;
  void draw_next(Batch& batch, std::span<const std::int32_t> lanes, const StepOutputs& outputs) const;
  void add_information(Batch& batch, std::span<double> disagreement) const;
  /// Next states of the rows that go on, given delta_inputs.
  void enter_next_states(Batch& batch, std::span<const std::int32_t> lanes,
                         std::span<const std::int32_t> actions) const;
  void clear_choices(float* state) const;
  void observe_after_draws(Batch& batch, std::span<const std::int32_t> lanes,
                           std::span<const std::int32_t> actions) const;

  // ---- with kinds of entries ---------------------------------------------------------------------------------------
  /// `first` [F], then the vectors of the action and the outcome; the one that there is not is zero.
  std::span<const float> known_of(Batch& batch, std::span<const float> first, std::span<const float> second,
                                  std::int32_t player, std::int32_t action) const;
  void settle_state(Batch& batch, const float* state, std::int32_t player, std::int32_t action, float* next) const;
  void observe_by_kinds(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions) const;
  void predict_views(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions) const;
  void set_view_input(float* input, const Batch& batch, std::size_t lane, std::size_t seat, std::int32_t player,
                      std::int32_t action) const;
  void set_mask_input(float* input, const float* state, const float* observations, std::int32_t player) const;

  // ---- following given moves ---------------------------------------------------------------------------------------
  static constexpr std::int32_t nobody = -2;  ///< is on move after the last one
  void begin_following(Batch& batch, const Moves& moves) const;
  void say_before_moves(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int64_t> rows,
                        const Followed& out) const;
  void follow_by_states(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
                        std::span<const std::int32_t> next_players, const StepOutputs& outputs,
                        std::span<double> ends) const;
  void follow_by_draws(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
                       std::span<const std::int32_t> next_players, const StepOutputs& outputs,
                       std::span<double> ends) const;

  Options options_;
  Networks networks_;
  Normalizer state_normalizer_, action_normalizer_, observation_normalizer_;
  std::vector<float> inverse_state_scale_;
  std::vector<float> action_vectors_;             // [A, V], raw
  std::vector<float> normalized_action_vectors_;  // [A, V]
  InitialStates initial_states_;
  std::vector<float> chance_inputs_;  // [C, W]
  Knowledge knowledge_;
  bool predicts_states_ = true, predicts_views_ = false;
};

static_assert(HasChance<DynamicsEnsemble>);

}  // namespace coffee_fast
