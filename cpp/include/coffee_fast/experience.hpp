#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "coffee_fast/any_dynamics.hpp"
#include "coffee_fast/cancel.hpp"
#include "coffee_fast/policy.hpp"

namespace coffee_fast {

/// A seat of the game whose player learns, and the network that it plays by and that learns from it.
struct LearningSeat {
  std::size_t seat, network;
  std::optional<std::size_t> adversary_of;  ///< the seat whose payoff it learns to lower; without, it raises its own
};

/// What counts as gained where the seats are paid `paid` [players].
double earned(const LearningSeat& learner, std::span<const double> paid);

struct ExperienceOptions {
  std::uint64_t seed = 0;
  /// In episode e the seats of learning_seats[e % size] learn: all seats at once in self-play, one for a response.
  std::vector<std::vector<LearningSeat>> learning_seats;
  std::vector<PolicyMixture> opponents;  ///< [players]: of each seat in episodes in which it does not learn
  double uncertainty_penalty = 0.0;      ///< reward lost per unit of disagreement, both in raw units
  /// Probability that an episode is a deviation-coverage episode: one seat in turn learns, from the penalty alone, and
  /// all others play uniformly at random.
  double coverage_weight = 0.0;
};

/// What a network learns from: n own decisions, those of one seat in one episode after each other.
struct Decisions {
  std::vector<float> information_states;  ///< [n, I]
  std::vector<std::uint8_t> legal_masks;  ///< [n, A]
  std::vector<std::int32_t> actions;
  std::vector<double> rewards;        ///< what is paid up to the next one, by chance's moves too, less the penalty
  std::vector<std::uint8_t> is_last;  ///< 1 where the seat decides no more in the episode
  std::vector<std::uint64_t> episodes;

  std::size_t size() const { return actions.size(); }
  void append(const Decisions& more);
};

/// Some episodes: their decisions, network by network, and what they came to.
struct Experience {
  std::vector<Decisions> of_network;
  std::vector<double> returns;       ///< [episodes, N]: undiscounted, without penalty, mean over members
  std::vector<double> disagreement;  ///< [episodes]
  std::vector<std::uint8_t> is_coverage;
  /// [episodes, N]: which policy of its mixture a seat plays; -1 where it learns, and in coverage episodes.
  std::vector<std::int32_t> strategies;

  void append(const Experience& more);
};

/// Plays episodes in lockstep and keeps what the learning seats decided.
///
/// All that an episode draws comes from streams of (seed, purpose, episode, step), so it is the same whichever others
/// are played beside it. Belongs to one thread; the dynamics and the options must outlive it.
class ExperienceCollector {
 public:
  /// Throws InvalidArgument for seats, networks, mixtures or weights that do not fit.
  ExperienceCollector(const AnyDynamics& dynamics, const ExperienceOptions& options, std::size_t num_networks,
                      std::size_t capacity);

  /// Plays `count` <= capacity episodes from number `first` on; learners[k] is what network k plays.
  Experience collect(std::span<const Policy> learners, std::uint64_t first, std::size_t count, CancelToken& cancel);

 private:
  struct Lane {
    std::uint64_t episode = 0;
    std::uint32_t time = 0;
    bool is_coverage = false;
    std::vector<std::size_t> policies;                  ///< [players]: index into policies_
    std::vector<std::optional<LearningSeat>> learners;  ///< [players]
    std::vector<Decisions> decisions;                   ///< [players]
  };

  void begin(Lane& lane, std::uint64_t episode, std::span<std::int32_t> strategies) const;
  void observe();
  void choose();
  void choose_chance();
  void record();
  void step_and_book(Experience& experience, std::uint64_t first);

  const AnyDynamics& dynamics_;
  const ExperienceOptions& options_;
  std::size_t num_networks_, num_players_, num_actions_, num_features_;
  AnyDynamics::Batch batch_;
  std::vector<Policy> policies_;                      // the learners', uniform play, then the opponents'
  std::vector<std::vector<std::size_t>> numbers_of_;  // [players, K]: of each mixture's policies in policies_
  std::vector<Lane> lanes_;
  std::vector<std::int32_t> active_;

  // One round's rows, one an active lane.
  std::vector<std::int32_t> players_, actions_;
  std::vector<float> information_states_;
  std::vector<std::uint8_t> legal_masks_, terminal_;
  std::vector<double> rewards_, paid_, disagreement_, probabilities_;
  PolicyRows policy_rows_;
};

/// Plays `count` episodes from number `first` on, up to `num_parallel_episodes` in lockstep on each thread; the
/// numbers of both change nothing. learners[k] is what network k plays.
Experience collect_experience(const AnyDynamics& dynamics, const ExperienceOptions& options,
                              std::span<const Policy> learners, std::uint64_t first, std::size_t count,
                              std::size_t num_parallel_episodes, int num_threads, CancelToken& cancel);

}  // namespace coffee_fast
