#include "coffee_fast/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

/// Threads that are joined whatever happens; std::jthread is not in every standard library yet.
struct JoinedThreads {
  std::vector<std::thread> threads;

  ~JoinedThreads() { join(); }
  void join() {
    for (std::thread& thread : threads) thread.join();
    threads.clear();
  }
};

}  // namespace

int resolve_num_threads(int num_threads) {
  check(num_threads >= 0 && num_threads <= 1024, "num_threads must lie in [0, 1024], got ", num_threads);
  return num_threads > 0 ? num_threads : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void parallel_for(std::size_t num_tasks, int num_threads, CancelToken& cancel,
                  const std::function<void(std::size_t, int)>& task) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> lowest_failure{num_tasks};
  std::exception_ptr failure;
  std::mutex failure_mutex;

  const auto work = [&](int worker) {
    for (;;) {
      // Indices are handed out in order, so every index below a failing one has been started and will be finished.
      const std::size_t index = next.fetch_add(1, std::memory_order_relaxed);
      if (index >= lowest_failure.load(std::memory_order_relaxed)) return;
      try {
        cancel.poll();
        task(index, worker);
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (index < lowest_failure.load(std::memory_order_relaxed)) {
          lowest_failure.store(index, std::memory_order_relaxed);
          failure = std::current_exception();
        }
      }
    }
  };

  const std::size_t num_workers =
      std::min<std::size_t>(resolve_num_threads(num_threads), std::max<std::size_t>(num_tasks, 1));
  JoinedThreads helpers;
  helpers.threads.reserve(num_workers - 1);
  for (std::size_t worker = 1; worker < num_workers; ++worker)
    helpers.threads.emplace_back(work, static_cast<int>(worker));
  work(0);
  helpers.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace coffee_fast
