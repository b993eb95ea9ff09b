#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "coffee_fast/any_dynamics.hpp"
#include "coffee_fast/error.hpp"
#include "coffee_fast/generalized_bargaining.hpp"
#include "coffee_fast/rollout.hpp"
#include "dice_game.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

struct Results {
  explicit Results(std::size_t count)
      : returns(2 * count), disagreement(count), lengths(count), strategies(2 * count) {}

  RolloutOutputs outputs() {
    return {{returns.data(), lengths.size(), 2}, lengths, disagreement, {strategies.data(), lengths.size(), 2}};
  }
  bool operator==(const Results&) const = default;

  std::vector<double> returns, disagreement;
  std::vector<std::int32_t> lengths, strategies;
};

/// A network of one layer whose output for action a is a fixed number plus a share of each feature.
Policy network_policy(Policy::Kind kind, std::uint64_t seed) {
  const GeneralizedBargaining game;
  const std::size_t inputs = game.information_state_size(), outputs = game.num_actions();
  Stream stream(seed, Purpose::weights);
  std::vector<float> weights(inputs * outputs), bias(outputs);
  for (float& weight : weights) weight = static_cast<float>(stream.next_double() - 0.5);
  for (float& value : bias) value = static_cast<float>(stream.next_double() - 0.5);
  const std::array<Mlp::Layer, 1> layers{{{{weights.data(), outputs, inputs}, bias}}};
  Policy policy;
  policy.kind = kind;
  policy.network = std::make_shared<const Mlp>(layers);
  return policy;
}

std::vector<PolicyMixture> mixed_players() {
  Policy per_step;
  per_step.kind = Policy::Kind::mixture;
  per_step.components = {network_policy(Policy::Kind::softmax, 3), Policy{}};
  per_step.weights = {0.5, 0.5};
  const Policy greedy = network_policy(Policy::Kind::greedy, 1);
  return {{{Policy{}, greedy, per_step}, {0.3, 0.4, 0.3}}, {{greedy, Policy{}}, {0.5, 0.5}}};
}

Results play(std::size_t count, const RolloutOptions& options, Trajectories* trajectories = nullptr) {
  Results results(count);
  CancelToken cancel;
  rollout(GeneralizedBargaining(), mixed_players(), options, results.outputs(), cancel, trajectories);
  return results;
}

/// The same game without its list of legal actions: uniform play has to count masks.
struct MaskedBargaining : private GeneralizedBargaining {
  using GeneralizedBargaining::Batch;
  using GeneralizedBargaining::information_state_size;
  using GeneralizedBargaining::information_states;
  using GeneralizedBargaining::legal_masks;
  using GeneralizedBargaining::make_batch;
  using GeneralizedBargaining::max_episode_length;
  using GeneralizedBargaining::num_actions;
  using GeneralizedBargaining::num_members;
  using GeneralizedBargaining::num_players;
  using GeneralizedBargaining::observation_size;
  using GeneralizedBargaining::observations;
  using GeneralizedBargaining::players_to_act;
  using GeneralizedBargaining::reset;
  using GeneralizedBargaining::state_size;
  using GeneralizedBargaining::states;
  using GeneralizedBargaining::step;
};
static_assert(Dynamics<MaskedBargaining> && !ListsLegalActions<MaskedBargaining>);

}  // namespace

TEST(rollouts_do_not_depend_on_threads_chunks_or_splits) {
  const Results whole = play(150, {.seed = 4, .profile = 9});
  for (const int num_threads : {1, 2, 3, 7})
    for (const std::size_t chunk_size : {std::size_t{1}, std::size_t{5}, std::size_t{64}, std::size_t{256}})
      EXPECT(play(150, {.seed = 4, .profile = 9, .num_threads = num_threads, .chunk_size = chunk_size}) == whole);
  const Results tail = play(50, {.seed = 4, .profile = 9, .first_rollout = 100});
  EXPECT(std::ranges::equal(tail.lengths, std::span(whole.lengths).last(50)));
  EXPECT(std::ranges::equal(tail.returns, std::span(whole.returns).last(100)));
  EXPECT(!(play(150, {.seed = 5, .profile = 9}) == whole));
  EXPECT(!(play(150, {.seed = 4, .profile = 8}) == whole));
}

TEST(recording_changes_nothing_and_follows_the_episodes) {
  Trajectories steps;
  const Results recorded = play(60, {.seed = 1, .chunk_size = 7}, &steps);
  EXPECT(recorded == play(60, {.seed = 1}));
  EXPECT(steps.offsets.size() == 61);
  for (std::size_t episode = 0; episode < 60; ++episode) {
    EXPECT(steps.offsets[episode + 1] - steps.offsets[episode] == recorded.lengths[episode]);
    EXPECT(steps.terminal[static_cast<std::size_t>(steps.offsets[episode + 1]) - 1] == 1);
  }
  for (std::size_t t = 0; t < steps.actions.size(); ++t)
    EXPECT(steps.legal_masks[t * 109 + static_cast<std::size_t>(steps.actions[t])] == 1);
}

TEST(uniform_play_by_lists_is_uniform_play_by_masks) {
  Results by_masks(150);
  CancelToken cancel;
  rollout(MaskedBargaining(), mixed_players(), {.seed = 4}, by_masks.outputs(), cancel);
  EXPECT(by_masks == play(150, {.seed = 4}));
}

TEST(any_dynamics_play_as_the_dynamics_they_hold) {
  const AnyDynamics listed(std::make_shared<const GeneralizedBargaining>());
  const AnyDynamics masked(std::make_shared<const MaskedBargaining>());
  EXPECT(listed.lists_legal_actions() && !masked.lists_legal_actions());
  EXPECT(listed.num_actions() == 109 && listed.num_chance_outcomes() == 0);
  for (const AnyDynamics& any : {listed, masked}) {
    Results results(150);
    CancelToken cancel;
    rollout(any, mixed_players(), {.seed = 4, .num_threads = 2, .chunk_size = 40}, results.outputs(), cancel);
    EXPECT(results == play(150, {.seed = 4}));
  }
}

TEST(chance_moves_by_a_stream_of_its_own_and_is_recorded) {
  const std::vector<PolicyMixture> uniform(2, {{Policy{}}, {1.0}});
  const AnyDynamics any(std::make_shared<const DiceGame>());
  Results results(400), same(400);
  Trajectories steps;
  CancelToken cancel;
  rollout(DiceGame(), uniform, {.seed = 6, .profile = 2}, results.outputs(), cancel, &steps);
  rollout(any, uniform, {.seed = 6, .profile = 2, .num_threads = 3, .chunk_size = 7}, same.outputs(), cancel);
  EXPECT(results == same);
  std::size_t num_high = 0;
  for (std::size_t episode = 0; episode < 400; ++episode) {
    EXPECT(results.lengths[episode] == 4);
    double sum = 0.0, scale = 1.0;
    for (std::size_t row = 0; row < 4; ++row, scale *= 10.0) {
      const std::size_t t = 4 * episode + row;
      const bool is_chance = row % 2 == 0;
      EXPECT(steps.players[t] == (is_chance ? chance_player : static_cast<int>(row / 2)));
      EXPECT(steps.legal_masks[2 * t] == !is_chance && steps.legal_masks[2 * t + 1] == !is_chance);
      if (is_chance) {
        Stream stream(6, Purpose::chance, 2, episode, static_cast<std::uint32_t>(row));
        EXPECT(steps.actions[t] == (stream.next_double() < 0.25 ? 0 : 2));
        num_high += steps.actions[t] == 2;
      }
      sum += (steps.actions[t] + 1) * scale;
    }
    EXPECT(results.returns[2 * episode] == sum && results.returns[2 * episode + 1] == sum / 2);
  }
  EXPECT(num_high > 560 && num_high < 640);
}

TEST(rollouts_stop_when_cancelled) {
  Results results(10);
  CancelToken cancel;
  cancel.cancel();
  EXPECT_THROW(rollout(GeneralizedBargaining(), mixed_players(), {}, results.outputs(), cancel), Cancelled);
}

TEST(rollouts_refuse_players_that_do_not_fit) {
  Results results(10);
  CancelToken cancel;
  const auto play_by = [&](std::vector<PolicyMixture> players, std::size_t chunk_size = 256) {
    rollout(GeneralizedBargaining(), players, {.chunk_size = chunk_size}, results.outputs(), cancel);
  };
  const PolicyMixture uniform{{Policy{}}, {1.0}};
  EXPECT_THROW(play_by({uniform}), InvalidArgument);
  EXPECT_THROW(play_by({uniform, {{}, {}}}), InvalidArgument);
  EXPECT_THROW(play_by({uniform, {{Policy{}}, {0.5}}}), InvalidArgument);
  EXPECT_THROW(play_by({uniform, {{Policy{}, Policy{}}, {1.5, -0.5}}}), InvalidArgument);
  EXPECT_THROW(play_by({uniform, {{Policy{}}, {std::nan("")}}}), InvalidArgument);
  EXPECT_THROW(play_by({uniform, uniform}, 0), InvalidArgument);
}

TEST(masked_argmax_looks_at_legal_values_only) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), huge = 1e30f;
  const std::vector<std::uint8_t> mask{0, 1, 1, 0, 1};
  EXPECT(masked_argmax(std::vector<float>{huge, 1.0f, 2.0f, nan, 2.0f}, mask) == 2);
  EXPECT(masked_argmax(std::vector<float>{nan, nan, -huge, huge, nan}, mask) == 2);
  EXPECT(masked_argmax(std::vector<float>{huge, nan, nan, huge, nan}, mask) == 1);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT(masked_argmax(std::vector<float>{huge, -infinity, -infinity, huge, -infinity}, mask) == 1);
}

TEST(nth_legal_counts_the_ones) {
  std::vector<std::uint8_t> mask(109, 0);
  const std::vector<std::int32_t> legal{0, 7, 8, 63, 64, 100, 108};
  for (const std::int32_t action : legal) mask[static_cast<std::size_t>(action)] = 1;
  for (std::uint32_t rank = 0; rank < legal.size(); ++rank) EXPECT(nth_legal(mask, rank) == legal[rank]);
  EXPECT(nth_legal(mask, 7) == -1);
}

TEST(equal_policies_are_those_that_play_the_same) {
  const Policy greedy = network_policy(Policy::Kind::greedy, 1), same = greedy;
  EXPECT(greedy == same && Policy{} == Policy{});
  EXPECT(!(greedy == network_policy(Policy::Kind::greedy, 1)));  // another network, though of equal weights
  Policy softmax = greedy;
  softmax.kind = Policy::Kind::softmax;
  EXPECT(!(softmax == greedy));
}
