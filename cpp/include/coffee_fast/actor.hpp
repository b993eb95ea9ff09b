#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "coffee_fast/check.hpp"
#include "coffee_fast/dynamics.hpp"
#include "coffee_fast/mlp.hpp"
#include "coffee_fast/policy.hpp"
#include "coffee_fast/replay_buffer.hpp"

namespace coffee_fast {

struct ActorOptions {
  std::uint64_t seed = 0;
  /// The learner's seats, those of a role, say: in episode e it sits in seats[e % seats.size()], opponents in all
  /// others.
  std::vector<std::size_t> seats{0};
  std::size_t num_parallel_episodes = 32;
  std::size_t replay_capacity = 50'000;
  double uncertainty_penalty = 0.0;  ///< reward lost per unit of disagreement, both in raw units
  double coverage_weight = 0.0;      ///< probability that an episode is a deviation-coverage episode
  double epsilon_start = 1.0;
  double epsilon_end = 0.02;
  std::uint64_t epsilon_decay_steps = 200'000;  ///< in counted calls
};

/// How far a learner has come. A call is one own decision or the end of an episode (the clock of exploration and
/// learning); the averages run over about the last thousand finished episodes that were not coverage episodes.
struct ActorCounters {
  std::uint64_t num_decisions = 0;
  std::uint64_t num_calls = 0;
  std::uint64_t num_started_episodes = 0;
  std::uint64_t num_finished_episodes = 0;
  std::uint64_t num_finished_coverage_episodes = 0;
  double mean_return = 0.0;        ///< undiscounted, of the learner, without penalty, mean over members
  double mean_disagreement = 0.0;  ///< summed over the episode
};

/// Collects a learner's experience in many episodes at a time: the part that is the same for all dynamics.
///
/// What is paid from one own decision to the next, by chance's moves too, is the reward of the first.
/// Everything an episode draws comes from streams of (seed, purpose, episode, step), and lanes take new episodes in
/// lane order. So what is collected is a function of the options, the opponents and the networks passed to `advance`.
class ActorBase {
 public:
  /// What another actor of the same options needs to continue with the same bits.
  struct State {
    ReplayBuffer::Contents replay;
    ActorCounters counters;
    std::vector<std::uint64_t> lane_episodes;             ///< [lanes]
    std::vector<std::vector<std::int32_t>> lane_actions;  ///< [lanes]: all actions, chance's too, since the start
  };

  virtual ~ActorBase() = default;
  ActorBase(const ActorBase&) = delete;
  ActorBase& operator=(const ActorBase&) = delete;

  /// One round: every episode takes one step. Where the learner is on move it plays a uniform legal action with
  /// probability epsilon, else the legal action of largest `q_network` output; opponents play the policy drawn for
  /// the episode. Finished episodes go to the replay buffer and their lanes begin new ones.
  virtual void advance(const Mlp& q_network) = 0;
  /// Continues from `state`: running episodes are played again up to where they were. InvalidArgument if it does not
  /// fit; the actor is then good for nothing but another restore.
  virtual void restore(const State& state) = 0;
  State state() const;

  const ActorOptions& options() const { return options_; }
  const ActorCounters& counters() const { return counters_; }
  const ReplayBuffer& replay() const { return replay_; }
  /// Exploration at call number `call`: end + (start - end) * (1 - min(call, decay) / decay).
  double epsilon(std::uint64_t call) const;

 protected:
  struct Sizes {
    std::size_t num_players, num_actions, num_members, num_chance_outcomes, information_state_size, max_episode_length;
  };

  struct Lane {
    std::uint64_t episode = 0;
    std::size_t player = 0;  ///< the learner's seat
    bool is_coverage = false;
    std::vector<std::size_t> policies;  ///< [players]: index into policies_
    std::vector<std::int32_t> actions;  ///< of all players and chance
    double episode_return = 0.0;
    double episode_disagreement = 0.0;
    std::vector<float> information_states;      ///< [own decisions, I]
    std::vector<std::uint8_t> legal_mask_bits;  ///< [own decisions, packed_size(A)]
    std::vector<std::int32_t> own_actions;
    std::vector<double> own_rewards;  ///< sums up to the next own decision
  };

  ActorBase(const Sizes& sizes, std::vector<PolicyMixture> opponents, const ActorOptions& options);

  EpisodeKey episode_key(const Lane& lane) const { return {options_.seed, 0, lane.episode}; }
  void begin_episode(Lane& lane, std::uint64_t episode) const;
  /// Fills actions_ for all lanes from the observed players_, information_states_ and legal_masks_.
  void choose(const Mlp& q_network);
  /// The rows of the named lanes where chance is to move.
  std::span<const std::int32_t> rows_of_chance(std::span<const std::int32_t> lanes);
  /// Fills actions_ of all lanes where chance is to move, rows_of_chance(all lanes), a row of probabilities_ each.
  void choose_chance(std::span<const std::int32_t> rows);
  /// Books one step of the named lanes (row r is lanes[r]) and returns those whose episode is over.
  std::vector<std::int32_t> book_step(std::span<const std::int32_t> lanes);
  /// Pushes the finished episodes, in lane order, and gives their lanes new ones.
  void finish_episodes(std::span<const std::int32_t> lanes);
  void check_state(const State& state) const;
  void check_replayed_step(std::span<const std::int32_t> lanes) const;
  void check_replayed_chance(std::span<const std::int32_t> rows) const;
  MatrixView<double> probabilities_for(std::span<const std::int32_t> rows);

  Sizes sizes_;
  ActorOptions options_;
  std::vector<PolicyMixture> opponents_;  ///< [players]: of each seat while the learner sits elsewhere
  ReplayBuffer replay_;
  ActorCounters counters_;
  std::vector<Lane> lanes_;
  std::vector<std::int32_t> all_lanes_;

  // One round's rows, one a lane that steps.
  std::vector<std::int32_t> players_, actions_;
  std::vector<float> information_states_;
  std::vector<std::uint8_t> legal_masks_;
  std::vector<double> rewards_, disagreement_;
  std::vector<std::uint8_t> terminal_;
  std::vector<std::int32_t> rows_of_chance_, lanes_of_chance_;

 private:
  void number_policies();
  void choose_own(const Mlp& q_network);
  void choose_opponents();
  void gather(std::span<const std::int32_t> rows);
  MatrixView<const float> gathered_information_states() const;
  MatrixView<const std::uint8_t> gathered_legal_masks() const;
  double learner_reward(const Lane& lane, std::span<const double> rewards, double disagreement) const;
  double own_reward(const Lane& lane, std::span<const double> rewards) const;
  void push_episode(const Lane& lane);

  std::vector<Policy> policies_;                      // the different policies of all opponents, then uniform play
  std::vector<std::vector<std::size_t>> numbers_of_;  // [players, K]: of each mixture's policies in policies_
  std::vector<double> probabilities_;
  Mlp::Workspace workspace_;
  PolicyRows opponent_rows_;
  std::vector<float> gathered_features_, outputs_;
  std::vector<std::uint8_t> gathered_masks_;
};

/// The actor over one kind of dynamics, which must outlive it. A row each of the opponents is a seat's; the learner's
/// own is what the seat plays while the learner sits elsewhere.
template <Dynamics D>
class Actor : public ActorBase {
 public:
  Actor(const D& dynamics, std::vector<PolicyMixture> opponents, const ActorOptions& options)
      : ActorBase({dynamics.num_players(), dynamics.num_actions(), dynamics.num_members(),
                   num_chance_outcomes(dynamics), dynamics.information_state_size(), dynamics.max_episode_length()},
                  std::move(opponents), options),
        dynamics_(dynamics),
        batch_(dynamics.make_batch(options.num_parallel_episodes)) {
    reset(all_lanes_);
  }

  void advance(const Mlp& q_network) override {
    observe(all_lanes_);
    choose(q_network);
    if (const auto rows = observe_chance(all_lanes_); !rows.empty()) choose_chance(rows);
    const std::vector<std::int32_t> finished = step(all_lanes_);
    finish_episodes(finished);
    reset(finished);
  }

  void restore(const State& state) override {
    check_state(state);
    for (std::size_t lane = 0; lane < lanes_.size(); ++lane) begin_episode(lanes_[lane], state.lane_episodes[lane]);
    reset(all_lanes_);
    std::vector<std::int32_t> running;
    for (std::size_t time = 0;; ++time) {
      std::erase_if(running = all_lanes_, [&](std::int32_t lane) { return state.lane_actions[lane].size() <= time; });
      if (running.empty()) break;
      observe(running);
      for (std::size_t row = 0; row < running.size(); ++row) actions_[row] = state.lane_actions[running[row]][time];
      check_replayed_step(running);
      check_replayed_chance(observe_chance(running));
      check(step(running).empty(), "Actor.restore: an episode in flight ended; the state is of other dynamics");
    }
    replay_.restore(state.replay);
    counters_ = state.counters;
  }

 private:
  static std::size_t num_chance_outcomes(const D& dynamics) {
    if constexpr (HasChance<D>) return dynamics.num_chance_outcomes();
    return 0;
  }

  void reset(std::span<const std::int32_t> lanes) {
    std::vector<EpisodeKey> keys;
    for (const std::int32_t lane : lanes) keys.push_back(episode_key(lanes_[lane]));
    if (!lanes.empty()) dynamics_.reset(batch_, lanes, keys);
  }

  void observe(std::span<const std::int32_t> lanes) {
    const std::size_t rows = lanes.size();
    dynamics_.players_to_act(batch_, lanes, std::span(players_).first(rows));
    dynamics_.information_states(batch_, lanes, {information_states_.data(), rows, sizes_.information_state_size});
    dynamics_.legal_masks(batch_, lanes, {legal_masks_.data(), rows, sizes_.num_actions});
  }

  /// The rows where chance is to move, with its probabilities.
  std::span<const std::int32_t> observe_chance([[maybe_unused]] std::span<const std::int32_t> lanes) {
    if constexpr (HasChance<D>)
      if (sizes_.num_chance_outcomes > 0) {
        const auto rows = rows_of_chance(lanes);
        if (!rows.empty()) dynamics_.chance_probabilities(batch_, lanes_of_chance_, probabilities_for(rows));
        return rows;
      }
    return {};
  }

  std::vector<std::int32_t> step(std::span<const std::int32_t> lanes) {
    const std::size_t rows = lanes.size();
    const StepOutputs outputs{{rewards_.data(), rows, sizes_.num_players * sizes_.num_members},
                              std::span(disagreement_).first(rows),
                              std::span(terminal_).first(rows)};
    dynamics_.step(batch_, lanes, std::span<const std::int32_t>(actions_).first(rows), outputs);
    return book_step(lanes);
  }

  const D& dynamics_;
  typename D::Batch batch_;
};

}  // namespace coffee_fast
