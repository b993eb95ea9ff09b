#include <cmath>
#include <vector>

#include "coffee_fast/deviation.hpp"
#include "coffee_fast/error.hpp"
#include "coffee_fast/parallel.hpp"
#include "coffee_fast/payoff_table.hpp"
#include "coffee_fast/profile_index.hpp"
#include "testing.hpp"

using namespace coffee_fast;

TEST(profile_index_is_row_major) {
  const ProfileIndex profiles({2, 3, 4});
  EXPECT(profiles.num_profiles() == 24);
  EXPECT(profiles.index(std::vector<std::size_t>{1, 2, 3}) == 23);
  for (std::size_t i = 0; i < 24; ++i) EXPECT(profiles.index(profiles.profile(i)) == i);
  EXPECT_THROW(profiles.index(std::vector<std::size_t>{1, 3, 0}), InvalidArgument);
  EXPECT_THROW(profiles.profile(24), InvalidArgument);
  EXPECT_THROW(ProfileIndex({}), InvalidArgument);
  EXPECT_THROW(ProfileIndex({2, 0}), InvalidArgument);
}

TEST(symmetric_orbits_are_numbered_without_gaps) {
  std::size_t next = 0;
  for (std::size_t b = 0; b < 6; ++b)
    for (std::size_t a = 0; a <= b; ++a) {
      EXPECT(symmetric_orbit(std::vector<std::size_t>{a, b}) == next);
      EXPECT(symmetric_orbit(std::vector<std::size_t>{b, a}) == next);
      ++next;
    }
  EXPECT(num_symmetric_orbits(2, 6) == next);
  EXPECT(num_symmetric_orbits(2, 41) == 861);

  next = 0;
  for (std::size_t c = 0; c < 4; ++c)
    for (std::size_t b = 0; b <= c; ++b)
      for (std::size_t a = 0; a <= b; ++a) EXPECT(symmetric_orbit(std::vector<std::size_t>{b, c, a}) == next++);
  EXPECT(num_symmetric_orbits(3, 4) == next);
}

TEST(payoff_table_refuses_wrong_arrays) {
  EXPECT_THROW(PayoffTable({2, 2}, 1, {{1, 2, 3, 4}}), InvalidArgument);
  EXPECT_THROW(PayoffTable({2, 2}, 1, {{1, 2, 3, 4}, {1, 2, 3}}), InvalidArgument);
  EXPECT_THROW(PayoffTable({2, 2}, 0, {{}, {}}), InvalidArgument);
  EXPECT_THROW(PayoffTable::symmetric(2, 1, {1, 2, 3, std::nan("")}), InvalidArgument);
  EXPECT_THROW(PayoffTable::symmetric(2, 1, {1, 2, 3, 1e281}), InvalidArgument);
}

TEST(members_combine_entry_by_entry) {
  const PayoffTable table = PayoffTable::symmetric(2, 2, {0, 1, 2, 3, 4, -1, 2, 1});
  EXPECT((table.combined_payoffs(0, OverMembers::mean) == std::vector<double>{2, 0, 2, 2}));
  EXPECT((table.combined_payoffs(0, OverMembers::lower) == std::vector<double>{0, -1, 2, 1}));
  EXPECT((table.combined_payoffs(0, OverMembers::upper) == std::vector<double>{4, 1, 2, 3}));
}

TEST(deviation_payoffs_of_three_players) {
  // u_1(a, b, c) = 100 a + 10 b + c, against a pure (1, ., 2) and an even mixture of a.
  std::vector<double> payoffs;
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c) payoffs.push_back(100 * a + 10 * b + c);
  const PayoffTable table({2, 3, 4}, 1, {payoffs, payoffs, payoffs});
  const std::vector<std::vector<double>> pure{{0, 1}, {1, 0, 0}, {0, 0, 1, 0}},
      mixed{{0.5, 0.5}, {1, 0, 0}, {0, 0, 1, 0}};
  EXPECT((deviation_payoffs(table, 1, pure) == std::vector<double>{102, 112, 122}));
  EXPECT((deviation_payoffs(table, 1, mixed) == std::vector<double>{52, 62, 72}));
  EXPECT((deviation_payoffs(table, 0, mixed) == std::vector<double>{2, 102}));
  EXPECT((regret(table, pure) == std::vector<double>{0, 20, 1}));
}

TEST(the_column_player_of_a_symmetric_table_sees_the_transpose) {
  const std::vector<double> row{3, 0, 5, 1};
  const PayoffTable symmetric = PayoffTable::symmetric(2, 1, row), general({2, 2}, 1, {row, {3, 5, 0, 1}});
  const std::vector<std::vector<double>> mixtures{{0.25, 0.75}, {0.5, 0.5}};
  for (std::size_t player = 0; player < 2; ++player)
    EXPECT(deviation_payoffs(symmetric, player, mixtures) == deviation_payoffs(general, player, mixtures));
  EXPECT(pessimistic_regret(symmetric, mixtures) == regret(general, mixtures));
  EXPECT_THROW(deviation_payoffs(symmetric, 2, mixtures), InvalidArgument);
  EXPECT_THROW(regret(symmetric, std::vector<std::vector<double>>{{1, 0}}), InvalidArgument);
  EXPECT_THROW(regret(symmetric, std::vector<std::vector<double>>{{1, 0}, {1, 0, 0}}), InvalidArgument);
}

TEST(threads_may_share_a_table) {
  std::vector<double> payoffs;
  for (int i = 0; i < 2 * 30 * 30; ++i) payoffs.push_back((i * 37) % 101);
  const PayoffTable shared = PayoffTable::symmetric(30, 2, payoffs), alone = PayoffTable::symmetric(30, 2, payoffs);
  const std::vector<std::vector<double>> mixtures(2, std::vector<double>(30, 1.0 / 30));
  std::vector<std::vector<double>> bounds(64);
  CancelToken cancel;
  parallel_for(bounds.size(), 4, cancel,
               [&](std::size_t index, int) { bounds[index] = pessimistic_regret(shared, mixtures); });
  for (const std::vector<double>& bound : bounds) EXPECT(bound == pessimistic_regret(alone, mixtures));
}
