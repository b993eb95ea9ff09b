#include "coffee_fast/actor.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

bool is_probability(double value) { return value >= 0.0 && value <= 1.0; }

void check_options(const ActorOptions& options, std::size_t num_players) {
  check(!options.seats.empty(), "Actor: seats must name a seat of the learner or more, got none");
  for (const std::size_t seat : options.seats)
    check(seat < num_players, "Actor: seats must lie in [0, ", num_players, "), got ", seat);
  check(options.num_parallel_episodes > 0 && options.num_parallel_episodes <= kMaxLanes,
        "Actor: num_parallel_episodes must lie in [1, ", kMaxLanes, "], got ", options.num_parallel_episodes);
  check(options.uncertainty_penalty >= 0.0 && std::isfinite(options.uncertainty_penalty),
        "Actor: uncertainty_penalty must be a finite number of at least 0, got ", options.uncertainty_penalty);
  check(is_probability(options.coverage_weight), "Actor: coverage_weight must lie in [0, 1], got ",
        options.coverage_weight);
  check(is_probability(options.epsilon_start) && is_probability(options.epsilon_end),
        "Actor: epsilon_start and epsilon_end must lie in [0, 1], got ", options.epsilon_start, " and ",
        options.epsilon_end);
  check(options.epsilon_decay_steps > 0, "Actor: epsilon_decay_steps must be at least 1, got 0");
}

void check_opponents(const PolicyMixture& opponents, std::size_t information_state_size, std::size_t num_actions) {
  const auto& [policies, probabilities] = opponents;
  check(!policies.empty() && policies.size() == probabilities.size(),
        "Actor: opponents must have a probability for each of one or more policies, got ", policies.size(),
        " policies and ", probabilities.size(), " probabilities");
  const double total = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  check(std::abs(total - 1.0) <= 1e-6 &&
            std::all_of(probabilities.begin(), probabilities.end(), [](double p) { return p >= 0.0; }),
        "Actor: probabilities of the opponents must be nonnegative and sum to 1, got a sum of ", total);
  for (const Policy& policy : policies) check_policy(policy, information_state_size, num_actions);
}

/// Moves a running average that weighs all values alike at first and the last thousand or so later on.
void average_in(double& average, double value, std::uint64_t count) {
  average += (value - average) / static_cast<double>(std::min<std::uint64_t>(count, 1000));
}

}  // namespace

ActorBase::ActorBase(const Sizes& sizes, std::vector<PolicyMixture> opponents, const ActorOptions& options)
    : sizes_(sizes),
      options_(options),
      opponents_(std::move(opponents)),
      replay_(options.replay_capacity, sizes.information_state_size, sizes.num_actions) {
  check_options(options_, sizes_.num_players);
  check(opponents_.size() == sizes_.num_players, "Actor: opponents must be one mixture a seat, ", sizes_.num_players,
        " in all, got ", opponents_.size());
  for (const PolicyMixture& seat : opponents_) check_opponents(seat, sizes_.information_state_size, sizes_.num_actions);
  number_policies();
  const std::size_t num_lanes = options_.num_parallel_episodes;
  lanes_.resize(num_lanes);
  all_lanes_.resize(num_lanes);
  std::iota(all_lanes_.begin(), all_lanes_.end(), 0);
  for (Lane& lane : lanes_) begin_episode(lane, counters_.num_started_episodes++);
  players_.resize(num_lanes);
  actions_.resize(num_lanes);
  information_states_.resize(num_lanes * sizes_.information_state_size);
  legal_masks_.resize(num_lanes * sizes_.num_actions);
  rewards_.resize(num_lanes * sizes_.num_players * sizes_.num_members);
  disagreement_.resize(num_lanes);
  terminal_.resize(num_lanes);
}

void ActorBase::number_policies() {
  for (const PolicyMixture& seat : opponents_) {
    numbers_of_.emplace_back();
    for (const Policy& policy : seat.policies) {
      const auto found = std::find(policies_.begin(), policies_.end(), policy);
      numbers_of_.back().push_back(static_cast<std::size_t>(found - policies_.begin()));
      if (found == policies_.end()) policies_.push_back(policy);
    }
  }
  policies_.emplace_back();
}

double ActorBase::epsilon(std::uint64_t call) const {
  const double decay = static_cast<double>(options_.epsilon_decay_steps);
  const double share_left = 1.0 - std::min(static_cast<double>(call), decay) / decay;
  return options_.epsilon_end + (options_.epsilon_start - options_.epsilon_end) * share_left;
}

void ActorBase::begin_episode(Lane& lane, std::uint64_t episode) const {
  lane = Lane{};
  lane.episode = episode;
  lane.player = options_.seats[episode % options_.seats.size()];
  lane.is_coverage = Stream(options_.seed, Purpose::coverage, 0, episode).next_double() < options_.coverage_weight;
  for (std::size_t player = 0; player < sizes_.num_players; ++player) {
    Stream stream(options_.seed, Purpose::strategy, 0, episode, static_cast<std::uint32_t>(player));
    const std::size_t drawn = sample_categorical(opponents_[player].probabilities, stream.next_double());
    lane.policies.push_back(lane.is_coverage ? policies_.size() - 1 : numbers_of_[player][drawn]);
  }
}

void ActorBase::choose(const Mlp& q_network) {
  choose_own(q_network);
  choose_opponents();
}

void ActorBase::choose_own(const Mlp& q_network) {
  check(q_network.input_size() == sizes_.information_state_size && q_network.output_size() == sizes_.num_actions,
        "Actor.advance: q_network must map ", sizes_.information_state_size, " features to ", sizes_.num_actions,
        " actions, got ", q_network.input_size(), " to ", q_network.output_size());
  std::uint64_t call = counters_.num_calls;
  std::vector<std::int32_t> greedy;
  for (const std::int32_t row : all_lanes_) {
    const Lane& lane = lanes_[row];
    if (static_cast<std::size_t>(players_[row]) != lane.player) continue;
    Stream stream(options_.seed, Purpose::exploration, 0, lane.episode,
                  static_cast<std::uint32_t>(lane.actions.size()));
    if (stream.next_double() < epsilon(call++)) {
      const std::span mask(legal_masks_.data() + row * sizes_.num_actions, sizes_.num_actions);
      const auto num_legal = static_cast<std::uint32_t>(std::count(mask.begin(), mask.end(), 1));
      check(num_legal > 0, "Actor.advance: the dynamics leave the learner without a legal action");
      actions_[row] = nth_legal(mask, stream.next_below(num_legal));
    } else {
      greedy.push_back(row);
    }
  }
  if (greedy.empty()) return;
  gather(greedy);
  outputs_.resize(greedy.size() * sizes_.num_actions);
  const MatrixView<float> outputs(outputs_.data(), greedy.size(), sizes_.num_actions);
  q_network.forward(gathered_information_states(), outputs, workspace_);
  for (std::size_t row = 0; row < greedy.size(); ++row)
    actions_[greedy[row]] = masked_argmax(outputs.row(row), gathered_legal_masks().row(row));
}

void ActorBase::choose_opponents() {
  std::vector<PolicyRow> movers;
  for (const std::int32_t row : all_lanes_)
    if (const auto player = static_cast<std::size_t>(players_[row]);
        players_[row] != chance_player && player != lanes_[row].player)
      movers.push_back({lanes_[row].policies[player], static_cast<std::size_t>(row)});
  opponent_rows_.choose(
      policies_, movers, {information_states_.data(), lanes_.size(), sizes_.information_state_size},
      {legal_masks_.data(), lanes_.size(), sizes_.num_actions},
      [&](std::size_t row) {
        const Lane& lane = lanes_[row];
        return Stream(options_.seed, Purpose::action, 0, lane.episode, static_cast<std::uint32_t>(lane.actions.size()));
      },
      actions_);
}

std::span<const std::int32_t> ActorBase::rows_of_chance(std::span<const std::int32_t> lanes) {
  rows_of_chance_.clear();
  lanes_of_chance_.clear();
  for (std::size_t row = 0; row < lanes.size(); ++row)
    if (players_[row] == chance_player) {
      rows_of_chance_.push_back(static_cast<std::int32_t>(row));
      lanes_of_chance_.push_back(lanes[row]);
    }
  return rows_of_chance_;
}

MatrixView<double> ActorBase::probabilities_for(std::span<const std::int32_t> rows) {
  probabilities_.resize(rows.size() * sizes_.num_chance_outcomes);
  return {probabilities_.data(), rows.size(), sizes_.num_chance_outcomes};
}

void ActorBase::choose_chance(std::span<const std::int32_t> rows) {
  const MatrixView<const double> probabilities = probabilities_for(rows);
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const Lane& lane = lanes_[rows[index]];
    Stream stream(options_.seed, Purpose::chance, 0, lane.episode, static_cast<std::uint32_t>(lane.actions.size()));
    actions_[rows[index]] =
        static_cast<std::int32_t>(sample_categorical(probabilities.row(index), stream.next_double()));
  }
}

void ActorBase::gather(std::span<const std::int32_t> rows) {
  gathered_features_.clear();
  gathered_masks_.clear();
  for (const std::int32_t row : rows) {
    const float* features = information_states_.data() + row * sizes_.information_state_size;
    const std::uint8_t* mask = legal_masks_.data() + row * sizes_.num_actions;
    gathered_features_.insert(gathered_features_.end(), features, features + sizes_.information_state_size);
    gathered_masks_.insert(gathered_masks_.end(), mask, mask + sizes_.num_actions);
  }
}

MatrixView<const float> ActorBase::gathered_information_states() const {
  return {gathered_features_.data(), gathered_features_.size() / sizes_.information_state_size,
          sizes_.information_state_size};
}

MatrixView<const std::uint8_t> ActorBase::gathered_legal_masks() const {
  return {gathered_masks_.data(), gathered_masks_.size() / sizes_.num_actions, sizes_.num_actions};
}

double ActorBase::own_reward(const Lane& lane, std::span<const double> rewards) const {
  double sum = 0.0;
  for (const double reward : rewards.subspan(lane.player * sizes_.num_members, sizes_.num_members)) sum += reward;
  return sum / static_cast<double>(sizes_.num_members);
}

double ActorBase::learner_reward(const Lane& lane, std::span<const double> rewards, double disagreement) const {
  const double reward = lane.is_coverage ? 0.0 : own_reward(lane, rewards);
  return reward - options_.uncertainty_penalty * disagreement;
}

std::vector<std::int32_t> ActorBase::book_step(std::span<const std::int32_t> lanes) {
  std::vector<std::int32_t> finished;
  const std::size_t num_rewards = sizes_.num_players * sizes_.num_members;
  const std::size_t num_bytes = packed_size(sizes_.num_actions);
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    Lane& lane = lanes_[lanes[row]];
    lane.actions.push_back(actions_[row]);
    if (static_cast<std::size_t>(players_[row]) == lane.player) {
      const float* features = information_states_.data() + row * sizes_.information_state_size;
      lane.information_states.insert(lane.information_states.end(), features, features + sizes_.information_state_size);
      lane.legal_mask_bits.resize(lane.legal_mask_bits.size() + num_bytes);
      pack_legal_mask({legal_masks_.data() + row * sizes_.num_actions, sizes_.num_actions},
                      std::span(lane.legal_mask_bits).last(num_bytes));
      lane.own_actions.push_back(actions_[row]);
      lane.own_rewards.push_back(0.0);
      ++counters_.num_decisions;
      ++counters_.num_calls;
    }
    const std::span<const double> rewards(rewards_.data() + row * num_rewards, num_rewards);
    // What is paid before the learner's first decision is no decision's doing; it counts in the return alone.
    if (!lane.own_rewards.empty()) lane.own_rewards.back() += learner_reward(lane, rewards, disagreement_[row]);
    lane.episode_return += own_reward(lane, rewards);
    lane.episode_disagreement += disagreement_[row];
    if (terminal_[row] != 0) finished.push_back(lanes[row]);
  }
  return finished;
}

void ActorBase::finish_episodes(std::span<const std::int32_t> lanes) {
  for (const std::int32_t index : lanes) {
    Lane& lane = lanes_[index];
    push_episode(lane);
    ++counters_.num_calls;
    ++counters_.num_finished_episodes;
    if (lane.is_coverage) {
      ++counters_.num_finished_coverage_episodes;
    } else {
      const std::uint64_t count = counters_.num_finished_episodes - counters_.num_finished_coverage_episodes;
      average_in(counters_.mean_return, lane.episode_return, count);
      average_in(counters_.mean_disagreement, lane.episode_disagreement, count);
    }
    begin_episode(lane, counters_.num_started_episodes++);
  }
}

void ActorBase::push_episode(const Lane& lane) {
  const std::size_t num_features = sizes_.information_state_size;
  const std::size_t num_bytes = packed_size(sizes_.num_actions);
  const std::vector<float> no_state(num_features, 0.0F);
  const std::vector<std::uint8_t> no_mask(num_bytes, 0);
  const std::span<const float> states(lane.information_states);
  const std::span<const std::uint8_t> masks(lane.legal_mask_bits);
  const std::size_t num_decisions = lane.own_actions.size();
  for (std::size_t decision = 0; decision < num_decisions; ++decision) {
    const std::size_t next = decision + 1;
    const bool is_final = next == num_decisions;
    replay_.push({.information_state = states.subspan(decision * num_features, num_features),
                  .action = lane.own_actions[decision],
                  .reward = static_cast<float>(lane.own_rewards[decision]),
                  .next_information_state = is_final ? no_state : states.subspan(next * num_features, num_features),
                  .is_final = is_final,
                  .next_legal_mask_bits = is_final ? no_mask : masks.subspan(next * num_bytes, num_bytes)});
  }
}

ActorBase::State ActorBase::state() const {
  State state{replay_.contents(), counters_, {}, {}};
  for (const Lane& lane : lanes_) {
    state.lane_episodes.push_back(lane.episode);
    state.lane_actions.push_back(lane.actions);
  }
  return state;
}

void ActorBase::check_state(const State& state) const {
  check(state.lane_episodes.size() == lanes_.size() && state.lane_actions.size() == lanes_.size(),
        "Actor.restore: the state must hold num_parallel_episodes = ", lanes_.size(), " episodes in flight, got ",
        state.lane_episodes.size());
  for (const std::vector<std::int32_t>& actions : state.lane_actions)
    check(actions.size() < sizes_.max_episode_length, "Actor.restore: an episode in flight must have fewer than ",
          sizes_.max_episode_length, " actions, got ", actions.size());
}

void ActorBase::check_replayed_step(std::span<const std::int32_t> lanes) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const std::int32_t action = actions_[row];
    if (players_[row] == chance_player) continue;
    check(action >= 0 && static_cast<std::size_t>(action) < sizes_.num_actions &&
              legal_masks_[row * sizes_.num_actions + static_cast<std::size_t>(action)] != 0,
          "Actor.restore: action ", action, " of an episode in flight is not legal; the state is of other dynamics");
  }
}

void ActorBase::check_replayed_chance(std::span<const std::int32_t> rows) const {
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const std::int32_t outcome = actions_[rows[index]];
    check(outcome >= 0 && static_cast<std::size_t>(outcome) < sizes_.num_chance_outcomes &&
              probabilities_[index * sizes_.num_chance_outcomes + static_cast<std::size_t>(outcome)] > 0.0,
          "Actor.restore: outcome ", outcome, " of chance in an episode in flight cannot be; the state is of other ",
          "dynamics");
  }
}

}  // namespace coffee_fast
