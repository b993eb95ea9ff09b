#include "coffee_fast/experience.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "coffee_fast/check.hpp"
#include "coffee_fast/parallel.hpp"
#include "coffee_fast/rollout.hpp"

namespace coffee_fast {
namespace {

template <class T>
void extend(std::vector<T>& values, const std::vector<T>& more) {
  values.insert(values.end(), more.begin(), more.end());
}

template <class T>
void extend(std::vector<T>& values, const T* first, std::size_t count) {
  values.insert(values.end(), first, first + count);
}

void check_options(const ExperienceOptions& options, std::size_t num_networks, std::size_t num_players) {
  check(!options.learning_seats.empty(), "PolicyLearner: learning_seats must name a group of seats or more, got none");
  for (const auto& group : options.learning_seats) {
    check(!group.empty(), "PolicyLearner: each group of learning_seats must name a seat or more, got none");
    for (const auto& [seat, network, adversary_of] : group) {
      check(seat < num_players, "PolicyLearner: learning_seats must be seats in [0, ", num_players, "), got ", seat);
      check(network < num_networks, "PolicyLearner: learning_seats must name networks in [0, ", num_networks, "), got ",
            network);
      check(!adversary_of || *adversary_of < num_players,
            "PolicyLearner: learning_seats must name adversaries of seats "
            "in [0, ",
            num_players, "), got ", adversary_of.value_or(0));
      check(std::ranges::count(group, seat, &LearningSeat::seat) == 1, "PolicyLearner: seat ", seat,
            " must be named once in its group of learning_seats");
    }
  }
  check(options.uncertainty_penalty >= 0.0 && std::isfinite(options.uncertainty_penalty),
        "PolicyLearner: uncertainty_penalty must be a finite number of at least 0, got ", options.uncertainty_penalty);
  check(options.coverage_weight >= 0.0 && options.coverage_weight <= 1.0,
        "PolicyLearner: coverage_weight must lie in [0, 1], got ", options.coverage_weight);
}

}  // namespace

double earned(const LearningSeat& learner, std::span<const double> paid) {
  return learner.adversary_of ? -paid[*learner.adversary_of] : paid[learner.seat];
}

void Decisions::append(const Decisions& more) {
  extend(information_states, more.information_states);
  extend(legal_masks, more.legal_masks);
  extend(actions, more.actions);
  extend(rewards, more.rewards);
  extend(is_last, more.is_last);
  extend(episodes, more.episodes);
}

void Experience::append(const Experience& more) {
  of_network.resize(more.of_network.size());
  for (std::size_t k = 0; k < of_network.size(); ++k) of_network[k].append(more.of_network[k]);
  extend(returns, more.returns);
  extend(disagreement, more.disagreement);
  extend(is_coverage, more.is_coverage);
  extend(strategies, more.strategies);
}

ExperienceCollector::ExperienceCollector(const AnyDynamics& dynamics, const ExperienceOptions& options,
                                         std::size_t num_networks, std::size_t capacity)
    : dynamics_(dynamics),
      options_(options),
      num_networks_(num_networks),
      num_players_(dynamics.num_players()),
      num_actions_(dynamics.num_actions()),
      num_features_(dynamics.information_state_size()),
      batch_(dynamics.make_batch(capacity)),
      policies_(num_networks + 1),
      lanes_(capacity) {
  check_options(options, num_networks, num_players_);
  check_players(options.opponents, num_players_, num_features_, num_actions_);
  for (const PolicyMixture& mixture : options.opponents) {
    numbers_of_.emplace_back();
    for (const Policy& policy : mixture.policies) {
      const auto fixed = policies_.begin() + static_cast<std::ptrdiff_t>(num_networks);
      const auto found = std::find(fixed, policies_.end(), policy);
      numbers_of_.back().push_back(static_cast<std::size_t>(found - policies_.begin()));
      if (found == policies_.end()) policies_.push_back(policy);
    }
  }
}

void ExperienceCollector::begin(Lane& lane, std::uint64_t episode, std::span<std::int32_t> strategies) const {
  const std::size_t num_groups = options_.learning_seats.size();
  const std::vector<LearningSeat>& group = options_.learning_seats[episode % num_groups];
  lane.episode = episode;
  lane.time = 0;
  lane.is_coverage = Stream(options_.seed, Purpose::coverage, 0, episode).next_double() < options_.coverage_weight;
  lane.learners.assign(num_players_, std::nullopt);
  lane.policies.assign(num_players_, num_networks_);  // uniform play
  lane.decisions.assign(num_players_, {});
  const auto learns = [&](const LearningSeat& learner) {
    lane.learners[learner.seat] = learner;
    lane.policies[learner.seat] = learner.network;
    strategies[learner.seat] = -1;
  };
  if (lane.is_coverage) return learns(group[episode / num_groups % group.size()]);
  for (std::size_t seat = 0; seat < num_players_; ++seat) {
    Stream stream(options_.seed, Purpose::strategy, 0, episode, static_cast<std::uint32_t>(seat));
    const std::size_t drawn = sample_categorical(options_.opponents[seat].probabilities, stream.next_double());
    lane.policies[seat] = numbers_of_[seat][drawn];
    strategies[seat] = static_cast<std::int32_t>(drawn);
  }
  std::ranges::for_each(group, learns);
}

Experience ExperienceCollector::collect(std::span<const Policy> learners, std::uint64_t first, std::size_t count,
                                        CancelToken& cancel) {
  std::ranges::copy(learners, policies_.begin());
  Experience experience;
  experience.of_network.resize(num_networks_);
  experience.returns.assign(count * num_players_, 0.0);
  experience.disagreement.assign(count, 0.0);
  experience.strategies.assign(count * num_players_, -1);
  std::vector<EpisodeKey> keys;
  active_.resize(count);
  std::iota(active_.begin(), active_.end(), 0);
  for (std::size_t lane = 0; lane < count; ++lane) {
    begin(lanes_[lane], first + lane, std::span(experience.strategies).subspan(lane * num_players_, num_players_));
    keys.push_back({options_.seed, 0, first + lane});
    experience.is_coverage.push_back(lanes_[lane].is_coverage);
  }
  dynamics_.reset(batch_, active_, keys);
  while (!active_.empty()) {
    cancel.poll();
    observe();
    choose();
    if (dynamics_.num_chance_outcomes() > 0) choose_chance();
    record();
    step_and_book(experience, first);
  }
  for (std::size_t lane = 0; lane < count; ++lane)
    for (std::size_t seat = 0; seat < num_players_; ++seat) {
      Decisions& decisions = lanes_[lane].decisions[seat];
      if (decisions.size() == 0) continue;
      decisions.is_last.back() = 1;
      experience.of_network[lanes_[lane].learners[seat]->network].append(decisions);
    }
  return experience;
}

void ExperienceCollector::observe() {
  const std::size_t rows = active_.size();
  players_.resize(rows);
  actions_.resize(rows);
  information_states_.resize(rows * num_features_);
  legal_masks_.resize(rows * num_actions_);
  dynamics_.players_to_act(batch_, active_, players_);
  dynamics_.information_states(batch_, active_, {information_states_.data(), rows, num_features_});
  dynamics_.legal_masks(batch_, active_, {legal_masks_.data(), rows, num_actions_});
}

void ExperienceCollector::choose() {
  const std::size_t rows = active_.size();
  std::vector<PolicyRow> movers;
  for (std::size_t row = 0; row < rows; ++row)
    if (players_[row] != chance_player)
      movers.push_back({lanes_[active_[row]].policies[static_cast<std::size_t>(players_[row])], row});
  policy_rows_.choose(
      policies_, movers, {information_states_.data(), rows, num_features_}, {legal_masks_.data(), rows, num_actions_},
      [&](std::size_t row) {
        const Lane& lane = lanes_[active_[row]];
        return Stream(options_.seed, Purpose::action, 0, lane.episode, lane.time);
      },
      actions_);
}

void ExperienceCollector::choose_chance() {
  std::vector<std::size_t> rows;
  std::vector<std::int32_t> lanes;
  for (std::size_t row = 0; row < active_.size(); ++row)
    if (players_[row] == chance_player) {
      rows.push_back(row);
      lanes.push_back(active_[row]);
    }
  if (rows.empty()) return;
  probabilities_.resize(rows.size() * dynamics_.num_chance_outcomes());
  const MatrixView<double> probabilities{probabilities_.data(), rows.size(), dynamics_.num_chance_outcomes()};
  dynamics_.chance_probabilities(batch_, lanes, probabilities);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Lane& lane = lanes_[lanes[i]];
    Stream stream(options_.seed, Purpose::chance, 0, lane.episode, lane.time);
    actions_[rows[i]] = static_cast<std::int32_t>(sample_categorical(probabilities.row(i), stream.next_double()));
  }
}

void ExperienceCollector::record() {
  for (std::size_t row = 0; row < active_.size(); ++row) {
    Lane& lane = lanes_[active_[row]];
    if (players_[row] == chance_player || !lane.learners[static_cast<std::size_t>(players_[row])]) continue;
    Decisions& own = lane.decisions[static_cast<std::size_t>(players_[row])];
    extend(own.information_states, information_states_.data() + row * num_features_, num_features_);
    extend(own.legal_masks, legal_masks_.data() + row * num_actions_, num_actions_);
    own.actions.push_back(actions_[row]);
    own.rewards.push_back(0.0);
    own.is_last.push_back(0);
    own.episodes.push_back(lane.episode);
  }
}

void ExperienceCollector::step_and_book(Experience& experience, std::uint64_t first) {
  const std::size_t rows = active_.size(), num_members = dynamics_.num_members();
  rewards_.resize(rows * num_players_ * num_members);
  paid_.resize(num_players_);
  disagreement_.resize(rows);
  terminal_.resize(rows);
  const StepOutputs outputs{{rewards_.data(), rows, num_players_ * num_members}, disagreement_, terminal_};
  dynamics_.step(batch_, active_, actions_, outputs);
  std::size_t kept = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    Lane& lane = lanes_[active_[row]];
    const std::size_t episode = lane.episode - first;
    ++lane.time;
    experience.disagreement[episode] += disagreement_[row];
    for (std::size_t seat = 0; seat < num_players_; ++seat) {
      double sum = 0.0;
      for (std::size_t member = 0; member < num_members; ++member)
        sum += outputs.rewards(row, seat * num_members + member);
      paid_[seat] = sum / static_cast<double>(num_members);
      experience.returns[episode * num_players_ + seat] += paid_[seat];
    }
    for (std::size_t seat = 0; seat < num_players_; ++seat) {
      // What is paid before a seat's first decision is no decision's doing; it counts in the return alone.
      std::vector<double>& own = lane.decisions[seat].rewards;
      if (!own.empty())
        own.back() += (lane.is_coverage ? 0.0 : earned(*lane.learners[seat], paid_)) -
                      options_.uncertainty_penalty * disagreement_[row];
    }
    if (!terminal_[row]) active_[kept++] = active_[row];
  }
  active_.resize(kept);
}

Experience collect_experience(const AnyDynamics& dynamics, const ExperienceOptions& options,
                              std::span<const Policy> learners, std::uint64_t first, std::size_t count,
                              std::size_t num_parallel_episodes, int num_threads, CancelToken& cancel) {
  check(count > 0 && num_parallel_episodes > 0,
        "collect_experience: count and num_parallel_episodes must be at least 1, got ", count, " and ",
        num_parallel_episodes);
  const std::size_t lanes = std::min(num_parallel_episodes, count), num_chunks = num_pieces(count, lanes);
  std::vector<std::vector<ExperienceCollector>> collectors(static_cast<std::size_t>(resolve_num_threads(num_threads)));
  std::vector<Experience> chunks(num_chunks);
  parallel_for(num_chunks, num_threads, cancel, [&](std::size_t chunk, int worker) {
    auto& collector = collectors[static_cast<std::size_t>(worker)];
    if (collector.empty()) collector.emplace_back(dynamics, options, learners.size(), lanes);
    const std::size_t begin = chunk * lanes;
    chunks[chunk] = collector.front().collect(learners, first + begin, std::min(lanes, count - begin), cancel);
  });
  Experience all;
  for (const Experience& chunk : chunks) all.append(chunk);
  return all;
}

}  // namespace coffee_fast
