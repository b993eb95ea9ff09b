#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/check.hpp"
#include "coffee_fast/dynamics.hpp"
#include "coffee_fast/parallel.hpp"
#include "coffee_fast/policy.hpp"
#include "coffee_fast/rng.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

struct RolloutOptions {
  std::uint64_t seed = 0;
  std::uint64_t profile = 0;        ///< names the profile that is played; part of every episode's key
  std::uint64_t first_rollout = 0;  ///< the episodes are numbers first_rollout, first_rollout + 1, ...
  int num_threads = 1;
  std::size_t chunk_size = 256;  ///< episodes advanced in lockstep; changes no result
};

/// One row an episode.
struct RolloutOutputs {
  MatrixView<double> returns;           ///< [B, N * E]: undiscounted sums of rewards, player-major
  std::span<std::int32_t> lengths;      ///< [B]: actions taken, chance's among them
  std::span<double> disagreement;       ///< [B]: summed over the episode
  MatrixView<std::int32_t> strategies;  ///< [B, N]: the policy that each player drew

  RolloutOutputs middle_rows(std::size_t first, std::size_t count) const {
    return {returns.middle_rows(first, count), lengths.subspan(first, count), disagreement.subspan(first, count),
            strategies.middle_rows(first, count)};
  }
};

/// The steps of some episodes, one episode after another; shapes as a log of play has them.
struct Trajectories {
  std::vector<std::int64_t> offsets{0};   ///< [B + 1]: episode b has steps offsets[b] to offsets[b + 1]
  std::vector<float> states;              ///< [T, D]
  std::vector<float> observations;        ///< [T, N * O]
  std::vector<std::int32_t> actions;      ///< [T]
  std::vector<std::int8_t> players;       ///< [T]: on move; chance_player where the action is an outcome
  std::vector<std::uint8_t> legal_masks;  ///< [T, A]; zeros where chance moves
  std::vector<float> rewards;             ///< [T, N]: mean over members
  std::vector<float> next_states;         ///< [T, D]; of a terminal step whatever the dynamics say of an ended episode
  std::vector<std::uint8_t> terminal;     ///< [T]

  void append(const Trajectories& more);
};

/// Plays episodes of one dynamics in lockstep: what one thread needs, reused from chunk to chunk.
template <Dynamics D>
class EpisodeRunner {
 public:
  EpisodeRunner(const D& dynamics, std::size_t capacity)
      : dynamics_(dynamics),
        batch_(dynamics.make_batch(capacity)),
        num_players_(dynamics.num_players()),
        num_returns_(dynamics.num_players() * dynamics.num_members()),
        num_actions_(dynamics.num_actions()),
        num_features_(dynamics.information_state_size()),
        masks_(capacity * num_actions_),
        features_(capacity * num_features_),
        rewards_(capacity * num_returns_),
        disagreement_(capacity),
        terminal_(capacity) {}

  /// Plays episodes first_rollout .. first_rollout + outputs.lengths.size() (at most the capacity) of a profile.
  void run(std::span<const PolicyMixture> players, std::uint64_t seed, std::uint64_t profile,
           std::uint64_t first_rollout, const RolloutOutputs& outputs, CancelToken& cancel,
           Trajectories* trajectories = nullptr) {
    begin(seed, profile, first_rollout, outputs);
    draw_policies(players, Stream(seed, Purpose::strategy, profile), outputs.strategies);
    dynamics_.reset(batch_, active_, keys_);
    const Stream stream(seed, Purpose::action, profile), chance(seed, Purpose::chance, profile);
    if (trajectories != nullptr) steps_.assign(outputs.lengths.size(), {});
    for (std::uint32_t time = 0; !active_.empty(); ++time) {
      cancel.poll();
      act(stream, chance, time);
      if (trajectories != nullptr) record_decisions();
      const StepOutputs step{{rewards_.data(), active_.size(), num_returns_},
                             {disagreement_.data(), active_.size()},
                             {terminal_.data(), active_.size()}};
      dynamics_.step(batch_, active_, std::span<const std::int32_t>(actions_).first(active_.size()), step);
      if (trajectories != nullptr) record_results(step);
      book(step, outputs);
    }
    if (trajectories != nullptr)
      for (const Trajectories& episode : steps_) trajectories->append(episode);
  }

 private:
  void begin(std::uint64_t seed, std::uint64_t profile, std::uint64_t first_rollout, const RolloutOutputs& outputs) {
    const std::size_t count = outputs.lengths.size();
    active_.resize(count);
    actions_.resize(count);
    keys_.resize(count);
    for (std::size_t lane = 0; lane < count; ++lane) {
      active_[lane] = static_cast<std::int32_t>(lane);
      keys_[lane] = {seed, profile, first_rollout + lane};
      outputs.lengths[lane] = 0;
      outputs.disagreement[lane] = 0.0;
      std::ranges::fill(outputs.returns.row(lane), 0.0);
    }
  }

  /// Draws each player's policy for each episode. Equal policies, of one player or several, form one group.
  void draw_policies(std::span<const PolicyMixture> players, const Stream& stream,
                     MatrixView<std::int32_t> strategies) {
    groups_.clear();
    group_of_.resize(keys_.size() * num_players_);
    for (std::size_t player = 0; player < num_players_; ++player) {
      const auto& [policies, probabilities] = players[player];
      groups_of_policies_.clear();
      for (const Policy& policy : policies) groups_of_policies_.push_back(find_or_add_group(policy));
      for (std::size_t lane = 0; lane < keys_.size(); ++lane) {
        std::size_t drawn = 0;
        if (policies.size() > 1)
          drawn = sample_categorical(probabilities,
                                     stream.at(keys_[lane].rollout, static_cast<std::uint32_t>(player)).next_double());
        strategies(lane, player) = static_cast<std::int32_t>(drawn);
        group_of_[lane * num_players_ + player] = groups_of_policies_[drawn];
      }
    }
  }

  std::size_t find_or_add_group(const Policy& policy) {
    const auto found = std::ranges::find_if(groups_, [&](const Policy* other) { return *other == policy; });
    const auto group = static_cast<std::size_t>(found - groups_.begin());
    if (found == groups_.end()) groups_.push_back(&policy);
    return group;
  }

  /// Fills actions_, a row for each active lane; each group acts at once.
  void act(const Stream& stream, const Stream& chance, std::uint32_t time) {
    std::size_t count = active_.size();
    if constexpr (HasChance<D>)
      if (dynamics_.num_chance_outcomes() > 0) count = let_chance_move(chance, time);
    if (groups_.size() == 1) return act_by(*groups_.front(), 0, count, stream, time);
    sort_by_group(count);
    for (std::size_t group = 0; group < groups_.size(); ++group)
      if (const std::size_t first = starts_[group], rows = starts_[group + 1] - first; rows > 0)
        act_by(*groups_[group], first, rows, stream, time);
  }

  /// Puts the lanes where chance is to move last and draws their outcomes; returns how many are before them.
  std::size_t let_chance_move(const Stream& stream, std::uint32_t time)
    requires HasChance<D>
  {
    movers_.resize(active_.size());
    dynamics_.players_to_act(batch_, active_, movers_);
    sorted_.clear();
    std::size_t count = 0;
    for (std::size_t row = 0; row < active_.size(); ++row)
      if (movers_[row] == chance_player)
        sorted_.push_back(active_[row]);
      else
        active_[count++] = active_[row];
    if (sorted_.empty()) return count;
    std::ranges::copy(sorted_, active_.begin() + static_cast<std::ptrdiff_t>(count));
    probabilities_.resize(sorted_.size() * dynamics_.num_chance_outcomes());
    const MatrixView<double> probabilities{probabilities_.data(), sorted_.size(), dynamics_.num_chance_outcomes()};
    dynamics_.chance_probabilities(batch_, sorted_, probabilities);
    for (std::size_t row = 0; row < sorted_.size(); ++row) {
      const std::uint64_t rollout = keys_[static_cast<std::size_t>(sorted_[row])].rollout;
      actions_[count + row] =
          static_cast<std::int32_t>(sample_categorical(probabilities.row(row), stream.at(rollout, time).next_double()));
    }
    return count;
  }

  /// Sorts the first lanes by the group of the player on move: group g has rows starts_[g] to starts_[g + 1].
  void sort_by_group(std::size_t count) {
    const std::span<std::int32_t> lanes = std::span(active_).first(count);
    movers_.resize(count);
    dynamics_.players_to_act(batch_, lanes, movers_);
    const auto group = [this](std::size_t row) {
      return group_of_[static_cast<std::size_t>(active_[row]) * num_players_ + static_cast<std::size_t>(movers_[row])];
    };
    starts_.assign(groups_.size() + 1, 0);
    for (std::size_t row = 0; row < count; ++row) ++starts_[group(row) + 1];
    for (std::size_t g = 0; g < groups_.size(); ++g) starts_[g + 1] += starts_[g];
    next_ = starts_;
    sorted_.resize(count);
    for (std::size_t row = 0; row < count; ++row) sorted_[next_[group(row)]++] = lanes[row];
    std::ranges::copy(sorted_, lanes.begin());
  }

  void act_by(const Policy& policy, std::size_t first, std::size_t rows, const Stream& stream, std::uint32_t time) {
    if (rows == 0) return;
    const std::span<const std::int32_t> lanes = std::span<const std::int32_t>(active_).subspan(first, rows);
    const std::span<std::int32_t> actions = std::span(actions_).subspan(first, rows);
    const ActionDraws draws{stream, keys_, time};
    if (policy.kind == Policy::Kind::uniform_random) {
      if constexpr (ListsLegalActions<D>) return play_uniformly(dynamics_, batch_, lanes, draws, actions);
      if constexpr (PlaysUniformly<D>)
        if (dynamics_.lists_legal_actions()) return dynamics_.play_uniformly(batch_, lanes, draws, actions);
    }
    const MatrixView<std::uint8_t> masks{masks_.data(), rows, num_actions_};
    dynamics_.legal_masks(batch_, lanes, masks);
    MatrixView<float> features{features_.data(), rows, 0};
    if (looks_at_information_states(policy)) {
      features = {features_.data(), rows, num_features_};
      dynamics_.information_states(batch_, lanes, features);
    }
    streams_.resize(rows);
    for (std::size_t row = 0; row < rows; ++row) streams_[row] = draws.of(lanes[row]);
    choose_actions(policy, features, masks, streams_, actions, workspace_);
  }

  /// Adds the step to the episodes' outputs and drops the lanes that ended.
  void book(const StepOutputs& step, const RolloutOutputs& outputs) {
    std::size_t kept = 0;
    for (std::size_t row = 0; row < active_.size(); ++row) {
      const auto lane = static_cast<std::size_t>(active_[row]);
      ++outputs.lengths[lane];
      outputs.disagreement[lane] += step.disagreement[row];
      for (std::size_t i = 0; i < num_returns_; ++i) outputs.returns(lane, i) += step.rewards(row, i);
      if (!step.terminal[row]) active_[kept++] = active_[row];
    }
    active_.resize(kept);
  }

  void record_decisions() {
    const std::size_t count = active_.size(), D_ = dynamics_.state_size();
    const std::size_t O = num_players_ * dynamics_.observation_size();
    movers_.resize(count);
    states_.resize(count * D_);
    observations_.resize(count * O);
    dynamics_.players_to_act(batch_, active_, movers_);
    dynamics_.legal_masks(batch_, active_, {masks_.data(), count, num_actions_});
    dynamics_.states(batch_, active_, {states_.data(), count, D_});
    dynamics_.observations(batch_, active_, {observations_.data(), count, O});
    for (std::size_t row = 0; row < count; ++row) {
      Trajectories& steps = steps_[static_cast<std::size_t>(active_[row])];
      steps.states.insert(steps.states.end(), &states_[row * D_], &states_[row * D_] + D_);
      steps.observations.insert(steps.observations.end(), &observations_[row * O], &observations_[row * O] + O);
      steps.actions.push_back(actions_[row]);
      steps.players.push_back(static_cast<std::int8_t>(movers_[row]));
      const std::uint8_t* mask = masks_.data() + row * num_actions_;
      steps.legal_masks.insert(steps.legal_masks.end(), mask, mask + num_actions_);
    }
  }

  void record_results(const StepOutputs& step) {
    const std::size_t count = active_.size(), D_ = dynamics_.state_size(), E = dynamics_.num_members();
    dynamics_.states(batch_, active_, {states_.data(), count, D_});
    for (std::size_t row = 0; row < count; ++row) {
      Trajectories& steps = steps_[static_cast<std::size_t>(active_[row])];
      steps.next_states.insert(steps.next_states.end(), &states_[row * D_], &states_[row * D_] + D_);
      for (std::size_t player = 0; player < num_players_; ++player) {
        double sum = 0.0;
        for (std::size_t member = 0; member < E; ++member) sum += step.rewards(row, player * E + member);
        steps.rewards.push_back(static_cast<float>(sum / static_cast<double>(E)));
      }
      steps.terminal.push_back(step.terminal[row]);
      if (step.terminal[row]) steps.offsets.push_back(static_cast<std::int64_t>(steps.actions.size()));
    }
  }

  const D& dynamics_;
  typename D::Batch batch_;
  std::size_t num_players_, num_returns_, num_actions_, num_features_;
  std::vector<const Policy*> groups_;                       // the different policies of the episodes being played
  std::vector<std::size_t> groups_of_policies_, group_of_;  // [K] of a mixture; [lanes, N]
  std::vector<EpisodeKey> keys_;
  std::vector<std::int32_t> active_, sorted_, movers_, actions_;
  std::vector<std::size_t> starts_, next_;
  std::vector<Stream> streams_;
  std::vector<std::uint8_t> masks_;
  std::vector<float> features_;
  std::vector<double> rewards_, disagreement_, probabilities_;
  std::vector<std::uint8_t> terminal_;
  PolicyWorkspace workspace_;
  std::vector<Trajectories> steps_;  // of each lane, while recording
  std::vector<float> states_, observations_;
};

/// Throws InvalidArgument unless there is one mixture a player whose policies fit the game.
void check_players(std::span<const PolicyMixture> players, std::size_t num_players, std::size_t information_state_size,
                   std::size_t num_actions);

/// Plays outputs.lengths.size() episodes: player i draws a policy from players[i] for each. The result of an episode
/// depends on its key alone, so it is the same for every number of threads, chunk size and split into calls.
template <Dynamics D>
void rollout(const D& dynamics, std::span<const PolicyMixture> players, const RolloutOptions& options,
             const RolloutOutputs& outputs, CancelToken& cancel, Trajectories* trajectories = nullptr) {
  check_players(players, dynamics.num_players(), dynamics.information_state_size(), dynamics.num_actions());
  check(options.chunk_size > 0, "rollout: chunk_size must be at least 1, got 0");
  const std::size_t count = outputs.lengths.size(), chunk_size = options.chunk_size;
  const std::size_t num_chunks = num_pieces(count, chunk_size);
  std::vector<std::vector<EpisodeRunner<D>>> runners(
      static_cast<std::size_t>(resolve_num_threads(options.num_threads)));
  std::vector<Trajectories> recorded(trajectories == nullptr ? 0 : num_chunks);
  parallel_for(num_chunks, options.num_threads, cancel, [&](std::size_t chunk, int worker) {
    auto& runner = runners[static_cast<std::size_t>(worker)];
    if (runner.empty()) runner.emplace_back(dynamics, std::min(chunk_size, count));
    const std::size_t first = chunk * chunk_size;
    runner.front().run(players, options.seed, options.profile, options.first_rollout + first,
                       outputs.middle_rows(first, std::min(chunk_size, count - first)), cancel,
                       trajectories == nullptr ? nullptr : &recorded[chunk]);
  });
  for (const Trajectories& chunk : recorded) trajectories->append(chunk);
}

}  // namespace coffee_fast
