#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "coffee_fast/error.hpp"

namespace coffee_fast {

/// Asks a running computation to stop. Kernels call `poll()` at their iteration points, at least every few
/// milliseconds; it throws Cancelled once a stop was asked for.
///
/// `should_stop`, when given, is asked at most every 50 ms and only on the thread that made the token (a Python
/// interpreter can look for signals on its main thread alone); the other workers see its answer through a flag.
class CancelToken {
 public:
  CancelToken() = default;
  explicit CancelToken(std::function<bool()> should_stop)
      : should_stop_(std::move(should_stop)), last_asked_(std::chrono::steady_clock::now()) {}
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;

  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool is_cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

  void poll() {
    if (should_stop_ && std::this_thread::get_id() == owner_) {
      const auto now = std::chrono::steady_clock::now();
      if (now - last_asked_ >= std::chrono::milliseconds(50)) {
        last_asked_ = now;
        if (should_stop_()) cancel();
      }
    }
    if (is_cancelled()) throw Cancelled();
  }

 private:
  std::atomic<bool> cancelled_{false};
  std::function<bool()> should_stop_;
  std::thread::id owner_ = std::this_thread::get_id();
  std::chrono::steady_clock::time_point last_asked_{};
};

}  // namespace coffee_fast
