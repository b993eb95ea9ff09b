#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "coffee_fast/actor.hpp"
#include "coffee_fast/error.hpp"
#include "dice_game.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

/// Two players take turns for 3 + rollout % 3 steps; player rollout % 2 begins. Action 2 is illegal at even times.
/// Rewards come at every step: player p of member m gets (action + 1) * (1 + p) + m; disagreement is 0.25 a step.
class TurnsGame {
 public:
  struct Batch {
    std::vector<EpisodeKey> keys;
    std::vector<std::size_t> times;
  };

  std::size_t num_players() const { return 2; }
  std::size_t num_actions() const { return 3; }
  std::size_t num_members() const { return 2; }
  std::size_t state_size() const { return 1; }
  std::size_t observation_size() const { return 1; }
  std::size_t information_state_size() const { return 2; }
  std::size_t max_episode_length() const { return 5; }
  Batch make_batch(std::size_t capacity) const {
    return {std::vector<EpisodeKey>(capacity), std::vector<std::size_t>(capacity)};
  }
  void reset(Batch& batch, std::span<const std::int32_t> lanes, std::span<const EpisodeKey> keys) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) {
      batch.keys[lanes[row]] = keys[row];
      batch.times[lanes[row]] = 0;
    }
  }
  void players_to_act(Batch& batch, std::span<const std::int32_t> lanes, std::span<std::int32_t> players) const {
    for (std::size_t row = 0; row < lanes.size(); ++row)
      players[row] = static_cast<std::int32_t>((batch.keys[lanes[row]].rollout + batch.times[lanes[row]]) % 2);
  }
  void information_states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> features) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) {
      features(row, 0) = static_cast<float>(batch.keys[lanes[row]].rollout);
      features(row, 1) = static_cast<float>(batch.times[lanes[row]]);
    }
  }
  void legal_masks(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<std::uint8_t> masks) const {
    for (std::size_t row = 0; row < lanes.size(); ++row)
      for (std::size_t action = 0; action < 3; ++action)
        masks(row, action) = action < 2 || batch.times[lanes[row]] % 2 == 1;
  }
  void states(Batch&, std::span<const std::int32_t>, MatrixView<float>) const {}
  void observations(Batch&, std::span<const std::int32_t>, MatrixView<float>) const {}
  void step(Batch& batch, std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions,
            const StepOutputs& outputs) const {
    for (std::size_t row = 0; row < lanes.size(); ++row) {
      const std::uint64_t rollout = batch.keys[lanes[row]].rollout;
      for (std::size_t player = 0; player < 2; ++player)
        for (std::size_t member = 0; member < 2; ++member)
          outputs.rewards(row, player * 2 + member) = (actions[row] + 1.0) * (1.0 + player) + member;
      outputs.disagreement[row] = 0.25;
      outputs.terminal[row] = ++batch.times[lanes[row]] == 3 + rollout % 3;
    }
  }
};
static_assert(Dynamics<TurnsGame>);

/// A linear network whose output for action a is a.
Mlp prefers_last_action() {
  const std::vector<float> weights(6, 0.0F), bias{0, 1, 2};
  const Mlp::Layer layer{{weights.data(), 3, 2}, bias};
  return Mlp(std::span(&layer, 1));
}

const PolicyMixture uniform{{Policy{}}, {1.0}};
const std::vector<PolicyMixture> all_uniform{uniform, uniform};

bool same_contents(const ReplayBuffer::Contents& a, const ReplayBuffer::Contents& b) {
  return a.information_states == b.information_states && a.actions == b.actions && a.rewards == b.rewards &&
         a.next_information_states == b.next_information_states && a.is_final == b.is_final &&
         a.next_legal_mask_bits == b.next_legal_mask_bits && a.num_pushed == b.num_pushed;
}

}  // namespace

TEST(actor_builds_transitions_between_own_decisions) {
  const TurnsGame game;
  Actor actor(game, all_uniform,
              {.seed = 4,
               .seats = {1},
               .num_parallel_episodes = 3,
               .uncertainty_penalty = 2.0,
               .epsilon_start = 0.0,
               .epsilon_end = 0.0});
  const Mlp network = prefers_last_action();
  for (int round = 0; round < 60; ++round) actor.advance(network);
  const auto& contents = actor.replay().contents();
  EXPECT(contents.actions.size() > 50);
  for (std::size_t row = 0; row < contents.actions.size(); ++row) {
    const auto rollout = static_cast<std::uint64_t>(contents.information_states[2 * row]);
    const float time = contents.information_states[2 * row + 1];
    const std::size_t length = 3 + rollout % 3;
    EXPECT(contents.actions[row] == (static_cast<int>(time) % 2 == 1 ? 2 : 1));  // the last legal action
    EXPECT((contents.is_final[row] == 1) == (time + 2 >= static_cast<float>(length)));
    if (contents.is_final[row] == 1) {
      EXPECT(contents.next_information_states[2 * row] == 0 && contents.next_legal_mask_bits[row] == 0);
    } else {
      EXPECT(contents.next_information_states[2 * row] == static_cast<float>(rollout));
      EXPECT(contents.next_information_states[2 * row + 1] == time + 2);
      EXPECT(contents.next_legal_mask_bits[row] == (static_cast<int>(time) % 2 == 1 ? 0b111 : 0b011));
    }
    // Each step pays (action + 1) * 2 + 0.5 - 2 * 0.25: the learner's own, then the opponent's if there is one.
    const float of_opponent = contents.rewards[row] / 2 - static_cast<float>(contents.actions[row] + 1);
    if (time + 1 == static_cast<float>(length)) EXPECT(of_opponent == 0);
    if (time + 1 < static_cast<float>(length)) EXPECT(of_opponent == 1 || of_opponent == 2 || of_opponent == 3);
  }
}

TEST(actor_sums_all_rewards_up_to_the_next_own_decision) {
  const TurnsGame game;
  PolicyMixture greedy = uniform;
  greedy.policies[0].kind = Policy::Kind::greedy;
  greedy.policies[0].network = std::make_shared<const Mlp>(prefers_last_action());
  Actor actor(game, {greedy, greedy}, {.num_parallel_episodes = 3, .epsilon_start = 0.0, .epsilon_end = 0.0});
  const Mlp network = prefers_last_action();
  for (int round = 0; round < 60; ++round) actor.advance(network);
  const auto& contents = actor.replay().contents();
  const auto paid_at = [](std::size_t time) { return (time % 2 == 1 ? 3.0F : 2.0F) + 0.5F; };  // to player 0
  for (std::size_t row = 0; row < contents.actions.size(); ++row) {
    const auto rollout = static_cast<std::size_t>(contents.information_states[2 * row]);
    const auto time = static_cast<std::size_t>(contents.information_states[2 * row + 1]);
    const bool is_last_step = time + 1 == 3 + rollout % 3;
    EXPECT(contents.rewards[row] == paid_at(time) + (is_last_step ? 0.0F : paid_at(time + 1)));
  }
}

TEST(actor_books_what_chance_pays_under_the_decision_before) {
  const DiceGame game;
  const std::vector<float> weights{0, 0}, bias{0, 1};
  const Mlp::Layer layer{{weights.data(), 2, 1}, bias};
  const Mlp network(std::span(&layer, 1));
  Actor actor(game, all_uniform, {.seed = 4, .num_parallel_episodes = 3, .epsilon_start = 0.0, .epsilon_end = 0.0});
  for (int round = 0; round < 200; ++round) actor.advance(network);
  const auto& contents = actor.replay().contents();
  EXPECT(contents.actions.size() == 150);
  EXPECT(actor.counters().num_decisions == 150);
  for (std::size_t row = 0; row < contents.actions.size(); ++row) {
    // Own 2 * 10, a deal of 1 or 3 times 100, the other's 1 or 2 times 1000; the first deal was nobody's doing.
    const auto paid = static_cast<int>(contents.rewards[row]);
    EXPECT(contents.information_states[row] == 1 && contents.is_final[row] == 1);
    EXPECT(paid == 1120 || paid == 1320 || paid == 2120 || paid == 2320);
  }
}

TEST(actor_gives_each_seat_its_own_opponents) {
  const TurnsGame game;
  PolicyMixture greedy = uniform;
  greedy.policies[0].kind = Policy::Kind::greedy;
  greedy.policies[0].network = std::make_shared<const Mlp>(prefers_last_action());
  const ActorOptions options{.seed = 4, .num_parallel_episodes = 3, .epsilon_start = 0.0, .epsilon_end = 0.0};
  const Mlp network = prefers_last_action();
  // Whatever sits in the learner's own seat is never asked.
  Actor one(game, {uniform, greedy}, options), two(game, {greedy, greedy}, options), other(game, all_uniform, options);
  for (int round = 0; round < 60; ++round)
    for (ActorBase* actor :
         {static_cast<ActorBase*>(&one), static_cast<ActorBase*>(&two), static_cast<ActorBase*>(&other)})
      actor->advance(network);
  EXPECT(same_contents(one.replay().contents(), two.replay().contents()));
  EXPECT(!same_contents(one.replay().contents(), other.replay().contents()));
}

TEST(actor_without_a_seat_plays_all_in_turn) {
  const TurnsGame game;  // player rollout % 2 begins, so the learner, in seat rollout % 2, always does
  Actor actor(game, all_uniform, {.seed = 4, .seats = {0, 1}, .num_parallel_episodes = 3});
  const Mlp network = prefers_last_action();
  for (int round = 0; round < 60; ++round) actor.advance(network);
  const auto& contents = actor.replay().contents();
  std::size_t num_of_seat[2] = {0, 0};
  for (std::size_t row = 0; row < contents.actions.size(); ++row) {
    EXPECT(static_cast<int>(contents.information_states[2 * row + 1]) % 2 == 0);
    ++num_of_seat[static_cast<std::size_t>(contents.information_states[2 * row]) % 2];
    // The mean over members of (action + 1) * (1 + seat) + member, of the own step at least.
    const float seat = static_cast<float>(static_cast<int>(contents.information_states[2 * row]) % 2);
    EXPECT(contents.rewards[row] >= static_cast<float>(contents.actions[row] + 1) * (1 + seat) + 0.5F);
  }
  EXPECT(num_of_seat[0] > 20 && num_of_seat[1] > 20);
}

TEST(actor_counts_own_decisions_and_ends_of_episodes) {
  const TurnsGame game;
  Actor actor(game, all_uniform, {.seed = 4, .num_parallel_episodes = 5, .coverage_weight = 0.5});
  const Mlp network = prefers_last_action();
  for (int round = 0; round < 400; ++round) actor.advance(network);
  const ActorCounters& counters = actor.counters();
  EXPECT(counters.num_calls == counters.num_decisions + counters.num_finished_episodes);
  EXPECT(counters.num_started_episodes == counters.num_finished_episodes + 5);
  const double share = static_cast<double>(counters.num_finished_coverage_episodes) / counters.num_finished_episodes;
  EXPECT(share > 0.43 && share < 0.57);
}

TEST(actor_coverage_episodes_pay_only_the_penalty) {
  const TurnsGame game;
  Actor actor(game, all_uniform, {.seed = 4, .uncertainty_penalty = 3.0, .coverage_weight = 1.0});
  const Mlp network = prefers_last_action();
  for (int round = 0; round < 20; ++round) actor.advance(network);
  for (const float reward : actor.replay().contents().rewards)
    EXPECT(reward == -0.75F || reward == -1.5F);  // of one step or two
}

TEST(actor_epsilon_falls_linearly_in_calls) {
  const TurnsGame game;
  const Actor actor(game, all_uniform, {.epsilon_start = 0.9, .epsilon_end = 0.1, .epsilon_decay_steps = 100});
  EXPECT(actor.epsilon(0) == 0.9);
  EXPECT(actor.epsilon(50) == 0.5);
  EXPECT(actor.epsilon(100) == 0.1 && actor.epsilon(1000) == 0.1);
}

TEST(actor_restored_continues_with_the_same_bits) {
  const TurnsGame game;
  const ActorOptions options{.seed = 9,
                             .seats = {0, 1},
                             .num_parallel_episodes = 7,
                             .replay_capacity = 60,
                             .coverage_weight = 0.2,
                             .epsilon_decay_steps = 150};
  Actor whole(game, all_uniform, options), first(game, all_uniform, options), second(game, all_uniform, options);
  const Mlp network = prefers_last_action();
  for (int round = 0; round < 33; ++round) {
    whole.advance(network);
    first.advance(network);
  }
  second.restore(first.state());
  for (int round = 0; round < 33; ++round) {
    whole.advance(network);
    second.advance(network);
  }
  EXPECT(same_contents(whole.replay().contents(), second.replay().contents()));
  EXPECT(whole.counters().num_calls == second.counters().num_calls);
  EXPECT(whole.counters().mean_return == second.counters().mean_return);
}

TEST(actor_refuses_what_does_not_fit) {
  const TurnsGame game;
  EXPECT_THROW((Actor<TurnsGame>(game, all_uniform, {.seats = {2}})), InvalidArgument);
  EXPECT_THROW((Actor<TurnsGame>(game, all_uniform, {.num_parallel_episodes = 0})), InvalidArgument);
  EXPECT_THROW((Actor<TurnsGame>(game, all_uniform, {.seats = {}})), InvalidArgument);
  EXPECT_THROW((Actor<TurnsGame>(game, {uniform}, {})), InvalidArgument);
  EXPECT_THROW((Actor<TurnsGame>(game, {uniform, {{Policy{}}, {0.5}}}, {})), InvalidArgument);
  Actor actor(game, all_uniform, {.num_parallel_episodes = 2});
  ActorBase::State state = actor.state();
  state.lane_actions[0] = {2};  // illegal at time 0
  EXPECT_THROW(actor.restore(state), InvalidArgument);
}
