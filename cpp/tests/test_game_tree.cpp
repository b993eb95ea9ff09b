#include <cmath>
#include <vector>

#include "coffee_fast/error.hpp"
#include "coffee_fast/game_tree.hpp"
#include "coffee_fast/rollout.hpp"
#include "coffee_fast/tree_mirror_descent.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

/// A coin that falls heads three times in four; player 0 sees it and bets (2) or not (0); player 1, who sees only a
/// bet, calls it (0) or folds (1). Heads win 1, or 2 if called; a fold pays player 0 1; no bet pays nothing.
GameTreeArrays coin() {
  GameTreeArrays arrays;
  arrays.num_players = 2;
  arrays.num_actions = 3;
  arrays.num_chance_outcomes = 2;
  arrays.players = {-1, 0, 0, -2, 1, -2, 1, -2, -2, -2, -2};
  arrays.num_children = {2, 2, 2, 0, 2, 0, 2, 0, 0, 0, 0};
  arrays.actions = {0, 0, 1, 0, 2, 0, 2, 0, 1, 0, 1};
  arrays.probabilities = {1.0, 0.75, 0.25, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0};
  arrays.payoffs = {0.0, 0.0, 2.0, -2.0, 1.0, -1.0, -2.0, 2.0};
  arrays.payoff_rows = {0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 2};
  arrays.information_sets = {-1, 0, 1, -1, 2, -1, 2, -1, -1, -1, -1};
  arrays.observation_rows = {0, 0, 1, 0, 2, 0, 0, 0, 1, 3, 0, 0, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0};
  arrays.observations = {0.0f, 1.0f, 2.0f, 3.0f};
  arrays.observation_size = 1;
  return arrays;
}

bool near(double a, double b) { return std::abs(a - b) < 1e-12; }

}  // namespace

TEST(a_tree_is_valued_exactly) {
  const GameTree tree(coin());
  CancelToken cancel;
  EXPECT(tree.num_information_sets() == 3);
  EXPECT(tree.num_sequences() == 6);
  EXPECT(tree.max_episode_length() == 3);
  EXPECT(tree.forgetful_set() == GameTree::none);
  const std::vector<double> uniform(6, 0.5);
  const std::vector<double> values = profile_values(tree, uniform, cancel);
  EXPECT(near(values[0], 0.75 * 0.5 * 1.5 + 0.25 * 0.5 * -0.5));
  EXPECT(near(values[1], -values[0]));
  const BestResponse bettor = best_response(tree, uniform, 0, GameTree::none, cancel);
  EXPECT(near(bettor.value, 0.75 * 1.5));
  EXPECT((bettor.actions == std::vector<std::int32_t>{2, 0, -1}));
  const BestResponse caller = best_response(tree, uniform, 1, GameTree::none, cancel);
  EXPECT(near(caller.value, -0.5));  // folding; calling gives 0.5 * (0.75 * -2 + 0.25 * 2), as much
  EXPECT(caller.actions[2] == 0);    // the lower of equals
}

TEST(a_mixture_of_one_policy_is_that_policy) {
  const GameTree tree(coin());
  const std::vector<double> policy{0.25, 0.75, 1.0, 0.0, 0.0, 0.0}, weights{1.0};
  EXPECT(mixture_behavior(tree, 0, {policy.data(), 1, 6}, weights) == policy);
}

TEST(rollouts_draw_what_chance_does) {
  const GameTree tree(coin());
  CancelToken cancel;
  constexpr std::size_t count = 20000;
  const std::vector<PolicyMixture> players(2, {{Policy{}}, {1.0}});
  std::vector<double> returns(2 * count), disagreement(count);
  std::vector<std::int32_t> lengths(count), strategies(2 * count);
  rollout(tree, players, {.seed = 3},
          {{returns.data(), count, 2}, lengths, disagreement, {strategies.data(), count, 2}}, cancel);
  double mean = 0.0;
  for (std::size_t episode = 0; episode < count; ++episode) mean += returns[2 * episode] / count;
  EXPECT(std::abs(mean - profile_values(tree, std::vector<double>(6, 0.5), cancel)[0]) < 0.04);
}

TEST(luck_is_drawn_within_the_move_before_it_and_members_disagree_about_what_is_paid) {
  GameTreeArrays arrays = coin();
  arrays.players[0] = GameTree::luck;
  arrays.num_members = 2;
  arrays.payoffs = {0.0, 0.0, 0.0, 0.0, 2.0, 3.0, -2.0, -2.0, 1.0, 1.0, -1.0, -1.0, -2.0, -2.0, 2.0, 2.0};
  const GameTree tree(arrays);
  CancelToken cancel;
  EXPECT(tree.max_episode_length() == 2);
  const std::vector<double> uniform(6, 0.5), values = profile_values(tree, uniform, cancel);
  EXPECT(near(values[0], 0.75 * 0.5 * 1.5 + 0.25 * 0.5 * -0.5));
  EXPECT(near(values[1], values[0] + 0.75 * 0.25));
  EXPECT(near(best_response(tree, uniform, 0, 0, cancel).value, 0.75 * 1.5));
  EXPECT(near(best_response(tree, uniform, 0, 1, cancel).value, 0.75 * 2.0));
  EXPECT(near(best_response(tree, uniform, 0, GameTree::none, cancel).value, 0.75 * 1.75));
  const std::vector<PolicyMixture> players(2, {{Policy{}}, {1.0}});
  constexpr std::size_t count = 20000;
  std::vector<double> returns(4 * count), disagreement(count);
  std::vector<std::int32_t> lengths(count), strategies(2 * count);
  rollout(tree, players, {.seed = 3},
          {{returns.data(), count, 4}, lengths, disagreement, {strategies.data(), count, 2}}, cancel);
  double mean = 0.0, spread = 0.0;
  for (std::size_t episode = 0; episode < count; ++episode) {
    mean += returns[4 * episode] / count;
    spread += disagreement[episode] / count;
  }
  EXPECT(std::abs(mean - values[0]) < 0.04);
  EXPECT(std::abs(spread - 0.75 * 0.25 * 0.25) < 0.01);  // half the distance, of one player in two
}

TEST(mirror_descent_ends_where_no_decision_gains) {
  const GameTree tree(coin());
  CancelToken cancel;
  const std::vector<double> reference(6, std::log(0.5)), weights(5000, 0.5);
  std::vector<double> policy = reference, sums(6, 0.0);
  const std::size_t steps = tree_mirror_descent({tree, reference}, policy, weights, weights, 1e-14, sums, cancel);
  EXPECT(steps > 10 && steps < 5000);
  const DecisionValues found = decision_values({tree, reference}, policy, 0.5, cancel);
  for (const double gap : found.gap) EXPECT(gap <= 1e-14);
  EXPECT(near(found.reach[0], 0.75) && near(found.reach[1], 0.25));
  EXPECT(near(found.reach[2], 0.75 * std::exp(policy[1]) + 0.25 * std::exp(policy[3])));
  EXPECT(std::abs(sums[0] + sums[1] - static_cast<double>(steps)) < 1e-9);  // who sees heads moves first
}

TEST(tables_are_found_and_played) {
  const std::vector<float> known{1.0f, 0.0f, 2.0f};
  const std::vector<double> written{0.0, 1.0, 1.0, 0.0, 0.0, 0.0};
  Policy policy;
  policy.kind = Policy::Kind::table;
  policy.table = std::make_shared<const PolicyTable>(MatrixView(known.data(), 3, 1), MatrixView(written.data(), 3, 2));
  EXPECT(looks_at_information_states(policy));
  const std::vector<float> asked{0.0f, 1.0f, -0.0f, 2.0f, 3.0f};
  const std::vector<std::uint8_t> masks{1, 1, 1, 1, 1, 1, 0, 1, 1, 0};
  std::vector<Stream> streams(5, Stream(1, Purpose::action, 0, 0, 0));
  std::vector<std::int32_t> actions(5);
  PolicyWorkspace workspace;
  choose_actions(policy, {asked.data(), 5, 1}, {masks.data(), 5, 2}, streams, actions, workspace);
  EXPECT((actions == std::vector<std::int32_t>{0, 1, 0, 1, 0}));  // the last two by what is legal
  EXPECT(policy.table->find(std::span(asked).last(1)).empty());
  const std::vector<float> twice{1.0f, 0.0f, 1.0f};
  EXPECT_THROW(PolicyTable({twice.data(), 3, 1}, {written.data(), 3, 2}), InvalidArgument);
}

TEST(arrays_that_are_no_tree_are_refused) {
  const auto without = [](auto spoil) {
    GameTreeArrays arrays = coin();
    spoil(arrays);
    return arrays;
  };
  EXPECT_THROW(GameTree(without([](auto& a) { a.num_children[0] = 3; })), InvalidArgument);
  EXPECT_THROW(GameTree(without([](auto& a) { a.actions[2] = 0; })), InvalidArgument);
  EXPECT_THROW(GameTree(without([](auto& a) { a.probabilities[1] = 0.5; })), InvalidArgument);
  EXPECT_THROW(GameTree(without([](auto& a) { a.payoff_rows[1] = 4; })), InvalidArgument);
  EXPECT_THROW(GameTree(without([](auto& a) { a.information_sets[2] = 0; })), InvalidArgument);
  EXPECT_THROW(GameTree(without([](auto& a) { a.observation_rows[1] = -1; })), InvalidArgument);
}
