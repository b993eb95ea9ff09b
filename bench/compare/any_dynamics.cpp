// What it costs to play a dynamics behind one type: rollouts by AnyDynamics against those compiled for the game itself,
// with its lists of legal actions and without. Processor time; both sides are first checked to play the same episodes.

#include <algorithm>
#include <coffee_fast/coffee_fast.hpp>
#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

using namespace coffee_fast;

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

double milliseconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

template <Dynamics D>
double play(const D& dynamics, std::vector<double>& returns) {
  const std::size_t count = returns.size() / 2;
  const std::vector<PolicyMixture> players(2, {{Policy{}}, {1.0}});
  std::vector<double> disagreement(count);
  std::vector<std::int32_t> lengths(count), strategies(2 * count);
  CancelToken cancel;
  const double start = milliseconds();
  rollout(dynamics, players, {.seed = 1},
          {{returns.data(), count, 2}, lengths, disagreement, {strategies.data(), count, 2}}, cancel);
  return milliseconds() - start;
}

template <Dynamics D>
bool compare(const char* name) {
  const D direct;
  const AnyDynamics any(std::make_shared<const D>());
  std::vector<double> one(60'000), other(60'000), times[2];
  for (int round = 0; round < 61; ++round) {
    times[0].push_back(play(direct, one));
    times[1].push_back(play(any, other));
  }
  for (auto& side : times) std::ranges::sort(side);
  std::printf("%s: minima %.2f and %.2f ms, ratio %.3f; ratio of medians %.3f\n", name, times[0][0], times[1][0],
              times[1][0] / times[0][0], times[1][30] / times[0][30]);
  return one == other;
}

int main() { return compare<GeneralizedBargaining>("lists") && compare<MaskedBargaining>("masks") ? 0 : 1; }
