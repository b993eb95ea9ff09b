#include <atomic>
#include <limits>
#include <stdexcept>
#include <vector>

#include "coffee_fast/parallel.hpp"
#include "testing.hpp"

using namespace coffee_fast;

TEST(parallel_for_runs_every_index_once) {
  for (const int num_threads : {1, 2, 3, 7}) {
    CancelToken cancel;
    std::vector<std::atomic<int>> counts(1000);
    parallel_for(counts.size(), num_threads, cancel, [&](std::size_t index, int worker) {
      EXPECT(worker >= 0 && worker < num_threads);
      ++counts[index];
    });
    for (const auto& count : counts) EXPECT(count == 1);
  }
}

TEST(parallel_for_rethrows_the_lowest_failure) {
  for (int repeat = 0; repeat < 50; ++repeat) {
    CancelToken cancel;
    std::string message;
    try {
      parallel_for(100, 3, cancel, [](std::size_t index, int) {
        if (index % 10 == 7) throw std::runtime_error(std::to_string(index));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    EXPECT(message == "7");
  }
}

TEST(parallel_for_stops_when_cancelled) {
  CancelToken cancel;
  std::atomic<int> count{0};
  EXPECT_THROW(parallel_for(1000, 2, cancel,
                            [&](std::size_t, int) {
                              if (++count == 10) cancel.cancel();
                            }),
               Cancelled);
  EXPECT(count < 20);
}

TEST(pieces_cover_any_count_once) {
  constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
  EXPECT(num_pieces(0, 3) == 0 && num_pieces(1, 3) == 1 && num_pieces(6, 3) == 2 && num_pieces(7, 3) == 3);
  EXPECT(num_pieces(most, 256) == (most >> 8) + 1 && num_pieces(most, most) == 1 && num_pieces(3, most) == 1);
}

TEST(negative_num_threads_is_refused) { EXPECT_THROW(resolve_num_threads(-1), InvalidArgument); }
