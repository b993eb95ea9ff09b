#include "coffee_fast/fma_peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "coffee_fast/check.hpp"
#include "mlp_kernels.hpp"

namespace coffee_fast {

double measure_fma_peak(double duration_s) {
  using Clock = std::chrono::steady_clock;
  check(duration_s > 0.0, "measure_fma_peak: duration_s must be positive, got ", duration_s);
  constexpr std::size_t num_rounds = 20'000;  // some 50 microseconds: short beside a slice of the scheduler
  const MlpKernels& kernels = active_mlp_kernels();
  const auto seconds = [](Clock::duration duration) { return std::chrono::duration<double>(duration).count(); };
  double best_s = duration_s;
  for (const auto start = Clock::now(); seconds(Clock::now() - start) < duration_s;) {
    const auto round_start = Clock::now();
    volatile float sink = kernels.fma_chains(num_rounds);
    static_cast<void>(sink);
    best_s = std::min(best_s, seconds(Clock::now() - round_start));
  }
  return 1e-9 * static_cast<double>(num_rounds * kernels.flops_per_round) / best_s;
}

}  // namespace coffee_fast
