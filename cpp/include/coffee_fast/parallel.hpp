#pragma once

#include <cstddef>
#include <functional>

#include "coffee_fast/cancel.hpp"

namespace coffee_fast {

/// Runs `task(index, worker)` for every index in [0, num_tasks) on `num_threads` threads (0: one a core), the calling
/// one among them; `worker` in [0, resolve_num_threads(num_threads)) names scratch space a task may use alone.
///
/// Results must not depend on which worker runs a task or in which order; reductions belong after the loop, in index
/// order. The exception of the lowest failing index is rethrown, as a loop on one thread would. `cancel` is polled
/// between tasks. Threads are started for the call and joined before it returns (some 20 microseconds each), so there
/// is no state to lose in a fork and no idle thread; use it for work of a millisecond or more.
void parallel_for(std::size_t num_tasks, int num_threads, CancelToken& cancel,
                  const std::function<void(std::size_t index, int worker)>& task);

/// The number of pieces of up to `size` that `count` falls into, for any count there is.
constexpr std::size_t num_pieces(std::size_t count, std::size_t size) { return count / size + (count % size != 0); }

/// The number of workers `num_threads` stands for: itself, or the number of cores for 0. Negative is an error.
int resolve_num_threads(int num_threads);

}  // namespace coffee_fast
