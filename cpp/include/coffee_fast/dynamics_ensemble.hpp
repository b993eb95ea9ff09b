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

/// A game learned from logged play by an ensemble of networks (Nguyen and Wellman 2026, Section 4.1), for players who
/// move strictly in turn.
///
/// From state s and action a, with z the normalization and a the action's vector:
/// - next state s' = mean over members m of z^-1(z(s) + delta_m(z(s), z(a)));
/// - the episode is over if s' lies within `terminal_threshold` of the terminal state, on average over its entries, or
///   after max_episode_length actions;
/// - only where s' says so are there rewards, r_m = reward_scale * reward_m(z(s), z(a)), and disagreement;
/// - else the shared network gives all players' observations and the legal actions at s'.
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
  };

  /// z(x) = (x - mean) / scale, entry by entry.
  struct Normalizer {
    std::vector<float> mean, scale;
  };

  struct Networks {
    std::vector<std::shared_ptr<const Mlp>> delta;   ///< [E]: D + V inputs, D outputs
    std::vector<std::shared_ptr<const Mlp>> reward;  ///< [E]: D + V inputs, N outputs
    std::shared_ptr<const Mlp> shared;               ///< D inputs, N * O + A outputs
  };

  /// First states of M logged trajectories.
  struct InitialStates {
    std::vector<float> states;              ///< [M, D]
    std::vector<float> observations;        ///< [M, N * O]
    std::vector<std::uint8_t> legal_masks;  ///< [M, A]
    std::vector<std::int32_t> players;      ///< [M]: on move
  };

  /// Normalizers of states [D], action vectors [V] and observations [N * O]. Throws InvalidArgument where sizes do not
  /// fit each other.
  DynamicsEnsemble(const Options& options, Networks networks, Normalizer state, Normalizer action,
                   Normalizer observation, std::vector<float> action_vectors, InitialStates initial_states);

  const Options& options() const { return options_; }

  // ---- Dynamics --------------------------------------------------------------------------------------------------
  struct Batch {
    // Of each lane.
    std::vector<float> states, observations, information_states;
    std::vector<std::uint8_t> legal_masks;
    std::vector<std::int32_t> players, num_actions_taken;
    // Scratch of a step, rows of lanes that take part.
    std::vector<float> inputs, deltas, next_states, terminal_inputs, rewards, shared_inputs, shared_outputs;
    std::vector<std::int32_t> terminal_rows, continuing_rows;
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
  Batch make_batch(std::size_t capacity) const;
  void reset(Batch& batch, std::span<const std::int32_t> lanes, std::span<const EpisodeKey> keys) const;
  void players_to_act(Batch& batch, std::span<const std::int32_t> lanes, std::span<std::int32_t> players) const;
  void information_states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void legal_masks(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<std::uint8_t> out) const;
  void states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void observations(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const;
  void step(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
            const StepOutputs& outputs) const;

  // ---- the networks by themselves, at any L states and actions, whether or not an episode would end there ----------
  /// The mean next states [L, D].
  void next_states(MatrixView<const float> states, std::span<const std::int32_t> actions, MatrixView<float> out) const;
  /// The members' rewards [L, N * E] (player-major) and their disagreement [L].
  void rewards(MatrixView<const float> states, std::span<const std::int32_t> actions, MatrixView<double> member_rewards,
               std::span<double> disagreement) const;
  /// What is observed at the states: observations [L, N * O] and legal masks [L, A].
  void observe(MatrixView<const float> states, MatrixView<float> observations,
               MatrixView<std::uint8_t> legal_masks) const;

 private:
  std::size_t event_size() const { return options_.observation_size - options_.history_start; }
  std::size_t action_size() const { return action_normalizer_.mean.size(); }
  std::size_t input_size() const { return options_.state_size + action_size(); }
  void check_states(const char* function, MatrixView<const float> states) const;
  void check_actions(const char* function, std::span<const std::int32_t> actions, std::size_t count) const;
  void normalize_state(const float* state, float* out) const;
  void set_input(Batch& batch, std::size_t row, const float* state, std::int32_t action) const;
  /// next_states [count, D] from inputs.
  void predict_next_states(Batch& batch, std::size_t count) const;
  bool is_terminal_state(std::span<const float> state) const;
  /// Rewards and disagreement in the rows named, from the first rows.size() terminal_inputs.
  void predict_rewards(Batch& batch, std::span<const std::int32_t> rows, MatrixView<double> rewards,
                       std::span<double> disagreement) const;
  double disagreement_of(std::span<const double> member_rewards) const;
  /// shared_outputs [count, N * O + A] from shared_inputs.
  void predict_observations(Batch& batch, std::size_t count) const;
  void decode_observations(const float* output, float* observations, std::uint8_t* legal_mask) const;
  void observe_next_states(Batch& batch, std::span<const std::int32_t> lanes,
                           std::span<const std::int32_t> actions) const;
  /// Puts what the mover knows to the front of the lane's information state.
  void set_known_part(Batch& batch, std::size_t lane) const;
  void append_event(Batch& batch, std::size_t lane, std::int32_t action) const;
  const float* observation_of_mover(const Batch& batch, std::size_t lane) const;

  Options options_;
  Networks networks_;
  Normalizer state_normalizer_, action_normalizer_, observation_normalizer_;
  std::vector<float> inverse_state_scale_;
  std::vector<float> action_vectors_;             // [A, V], raw
  std::vector<float> normalized_action_vectors_;  // [A, V]
  InitialStates initial_states_;
};

static_assert(Dynamics<DynamicsEnsemble>);

}  // namespace coffee_fast
