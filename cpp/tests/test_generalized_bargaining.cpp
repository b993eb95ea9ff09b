#include <algorithm>
#include <cmath>
#include <vector>

#include "coffee_fast/error.hpp"
#include "coffee_fast/generalized_bargaining.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

constexpr std::array<GeneralizedBargaining::Valuations, 2> valuations{{{1.0, 2.0, 3.0}, {4.0, 1.0, 1.5}}};

std::int32_t find_offer(const GeneralizedBargaining& game, const GeneralizedBargaining::Items& items) {
  return static_cast<std::int32_t>(std::ranges::find(game.offers(), items) - game.offers().begin());
}

}  // namespace

TEST(bargaining_has_31_pools_and_108_or_96_offers) {
  EXPECT(GeneralizedBargaining::pools().size() == 31);
  EXPECT(GeneralizedBargaining().offers().size() == 108);
  EXPECT(GeneralizedBargaining({.offers = GeneralizedBargaining::Offers::feasible}).offers().size() == 96);
}

TEST(bargaining_lists_and_masks_the_same_legal_actions) {
  const GeneralizedBargaining game;
  for (const GeneralizedBargaining::Items& pool : GeneralizedBargaining::pools()) {
    GeneralizedBargaining::Episode episode = game.make(pool, valuations, 0);
    for (const int num_offers : {0, 1}) {
      const std::span<const std::uint8_t> mask = game.legal_mask(episode);
      std::vector<std::int32_t> legal;
      for (std::int32_t action = 0; action <= game.accept_action(); ++action)
        if (mask[static_cast<std::size_t>(action)] == 1) legal.push_back(action);
      EXPECT(std::ranges::equal(legal, game.legal_actions(episode)));
      EXPECT(static_cast<int>(legal.size()) == (pool[0] + 1) * (pool[1] + 1) * (pool[2] + 1) + num_offers);
      game.apply(episode, 0);
    }
  }
}

TEST(bargaining_pays_a_deal_by_offers_made) {
  const GeneralizedBargaining game({.discount = 0.5});
  GeneralizedBargaining::Episode episode = game.make({2, 2, 1}, valuations, 1);
  EXPECT(episode.player_to_act() == 1);
  game.apply(episode, find_offer(game, {1, 0, 0}));
  game.apply(episode, find_offer(game, {0, 2, 1}));
  EXPECT(episode.player_to_act() == 1 && !episode.is_over);
  game.apply(episode, game.accept_action());
  EXPECT(episode.is_over);
  const std::array<double, 2> returns = game.returns(episode);
  EXPECT(returns[0] == 0.25 * (2 * 2.0 + 3.0));
  EXPECT(returns[1] == 0.25 * (2 * 4.0));
}

TEST(bargaining_ends_with_the_eleventh_offer) {
  const GeneralizedBargaining game;
  GeneralizedBargaining::Episode episode = game.make({1, 1, 3}, valuations, 0);
  for (int n = 0; n < 10; ++n) game.apply(episode, 0);
  EXPECT(!episode.is_over);
  game.apply(episode, 0);
  EXPECT(episode.is_over && !episode.has_deal);
  EXPECT((game.returns(episode) == std::array<double, 2>{0.0, 0.0}));
}

TEST(bargaining_draws_what_its_rules_allow_evenly) {
  const GeneralizedBargaining game;
  constexpr int num_episodes = 31'000;
  std::array<int, 31> pools{};
  std::array<double, 3> sums{};
  int first = 0, low = 0;
  for (std::uint64_t rollout = 0; rollout < num_episodes; ++rollout) {
    const auto episode = game.draw({.seed = 5, .rollout = rollout});
    ++pools[episode.pool_index];
    first += episode.first_player;
    for (const GeneralizedBargaining::Valuations& v : episode.valuations) {
      const double sum = v[0] + v[1] + v[2];
      EXPECT(sum >= 5.0 && sum <= 10.0 && std::ranges::min(v) >= 1.0);
      low += sum <= 7.5;
      for (std::size_t i = 0; i < 3; ++i) sums[i] += v[i];
    }
  }
  for (const int count : pools) EXPECT(std::abs(count - 1000) < 140);
  EXPECT(std::abs(first - num_episodes / 2) < 400);
  // Of the simplexes above (1, 1, 1): volume grows with the cube of the total, so P(sum <= 7.5) = (4.5^3 - 2^3) / (7^3
  // - 2^3) and the mean total is 3 + 3/4 (7^4 - 2^4) / (7^3 - 2^3).
  const double share = (4.5 * 4.5 * 4.5 - 8.0) / 335.0, mean = (3.0 + 0.75 * (2401.0 - 16.0) / 335.0) / 3.0;
  EXPECT(std::abs(low / (2.0 * num_episodes) - share) < 0.008);
  for (const double sum : sums) EXPECT(std::abs(sum / (2.0 * num_episodes) - mean) < 0.025);
}

TEST(bargaining_refuses_what_its_rules_do_not_allow) {
  const GeneralizedBargaining game;
  const double nan = std::nan("");
  EXPECT_THROW(game.make({1, 1, 1}, valuations, 0), InvalidArgument);
  EXPECT_THROW(game.make({0, 3, 3}, valuations, 0), InvalidArgument);
  EXPECT_THROW(game.make({2, 2, 1}, {{{1.0, 2.0, 3.0}, {4.0, 1.0, 5.5}}}, 0), InvalidArgument);
  EXPECT_THROW(game.make({2, 2, 1}, {{{1.0, nan, 3.0}, {4.0, 1.0, 1.5}}}, 0), InvalidArgument);
  EXPECT_THROW(game.make({2, 2, 1}, valuations, 2), InvalidArgument);
  EXPECT_THROW(GeneralizedBargaining({.discount = 0.0}), InvalidArgument);
  EXPECT_THROW(GeneralizedBargaining({.discount = nan}), InvalidArgument);
}
