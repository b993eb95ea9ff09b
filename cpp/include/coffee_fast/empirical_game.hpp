#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/check.hpp"
#include "coffee_fast/parallel.hpp"
#include "coffee_fast/rollout.hpp"

namespace coffee_fast {

struct EstimateOptions {
  std::size_t num_episodes = 1000;  ///< of each profile
  std::uint64_t seed = 0;
  int num_threads = 1;
};

/// Sums over the episodes of each profile; columns are player-major, player * E + member.
struct PayoffEstimates {
  MatrixView<double> sum;                 ///< [P, N * E]: of returns
  MatrixView<double> sum_of_squares;      ///< [P, N * E]
  std::span<double> sum_of_lengths;       ///< [P]
  std::span<double> sum_of_disagreement;  ///< [P]
};

/// The number under which a profile's episodes are drawn: a hash of its strategies, in order, so that a profile's
/// estimate does not depend on which others are asked for, or when.
std::uint64_t profile_key(std::span<const std::int32_t> profile);

/// Plays every profile [P, N] of pure strategies (indices into `policies`) and sums up its returns.
/// Episodes are summed in chunks of a fixed size and the chunks in order, so that threads change no bit.
template <Dynamics D>
void estimate_payoffs(const D& dynamics, std::span<const Policy> policies, MatrixView<const std::int32_t> profiles,
                      const EstimateOptions& options, const PayoffEstimates& estimates, CancelToken& cancel) {
  constexpr std::size_t chunk_size = 256, most_episodes = std::size_t{1} << 40;
  const std::size_t N = dynamics.num_players(), W = N * dynamics.num_members();
  check(options.num_episodes > 0 && options.num_episodes <= most_episodes,
        "estimate_payoffs: num_episodes must lie in [1, ", most_episodes, "], got ", options.num_episodes);
  check(profiles.columns == N, "estimate_payoffs: profiles must have shape [P, ", N, "], got [", profiles.rows, ", ",
        profiles.columns, "]");
  std::vector<std::vector<PolicyMixture>> players(profiles.rows);
  for (std::size_t p = 0; p < profiles.rows; ++p) {
    for (const std::int32_t strategy : profiles.row(p)) {
      check(strategy >= 0 && static_cast<std::size_t>(strategy) < policies.size(),
            "estimate_payoffs: strategies in profiles must lie in [0, ", policies.size(), "), got ", strategy);
      players[p].push_back({{policies[static_cast<std::size_t>(strategy)]}, {1.0}});
    }
    check_players(players[p], N, dynamics.information_state_size(), dynamics.num_actions());
  }

  const std::size_t num_chunks = num_pieces(options.num_episodes, chunk_size), width = 2 * W + 2;
  std::vector<double> partial(profiles.rows * num_chunks * width, 0.0);
  struct Worker {
    EpisodeRunner<D> runner;
    std::vector<double> returns, disagreement;
    std::vector<std::int32_t> lengths, strategies;
  };
  std::vector<std::vector<Worker>> workers(static_cast<std::size_t>(resolve_num_threads(options.num_threads)));
  parallel_for(profiles.rows * num_chunks, options.num_threads, cancel, [&](std::size_t task, int worker_index) {
    auto& slot = workers[static_cast<std::size_t>(worker_index)];
    if (slot.empty())
      slot.push_back({EpisodeRunner<D>(dynamics, chunk_size), std::vector<double>(chunk_size * W),
                      std::vector<double>(chunk_size), std::vector<std::int32_t>(chunk_size),
                      std::vector<std::int32_t>(chunk_size * N)});
    Worker& worker = slot.front();
    const std::size_t profile = task / num_chunks, first = task % num_chunks * chunk_size;
    const std::size_t count = std::min(chunk_size, options.num_episodes - first);
    const RolloutOutputs outputs{{worker.returns.data(), count, W},
                                 {worker.lengths.data(), count},
                                 {worker.disagreement.data(), count},
                                 {worker.strategies.data(), count, N}};
    worker.runner.run(players[profile], options.seed, profile_key(profiles.row(profile)), first, outputs, cancel);
    double* sums = &partial[task * width];
    for (std::size_t episode = 0; episode < count; ++episode) {
      for (std::size_t i = 0; i < W; ++i) {
        const double value = outputs.returns(episode, i);
        sums[i] += value;
        sums[W + i] += value * value;
      }
      sums[2 * W] += outputs.lengths[episode];
      sums[2 * W + 1] += outputs.disagreement[episode];
    }
  });

  for (std::size_t p = 0; p < profiles.rows; ++p) {
    std::vector<double> total(width, 0.0);
    for (std::size_t chunk = 0; chunk < num_chunks; ++chunk)
      for (std::size_t i = 0; i < width; ++i) total[i] += partial[(p * num_chunks + chunk) * width + i];
    std::copy_n(total.begin(), W, estimates.sum.row(p).begin());
    std::copy_n(total.begin() + static_cast<std::ptrdiff_t>(W), W, estimates.sum_of_squares.row(p).begin());
    estimates.sum_of_lengths[p] = total[2 * W];
    estimates.sum_of_disagreement[p] = total[2 * W + 1];
  }
}

}  // namespace coffee_fast
