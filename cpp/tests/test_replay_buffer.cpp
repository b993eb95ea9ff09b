#include <algorithm>
#include <set>
#include <vector>

#include "coffee_fast/error.hpp"
#include "coffee_fast/replay_buffer.hpp"
#include "testing.hpp"

using namespace coffee_fast;

namespace {

struct BatchMemory {
  explicit BatchMemory(std::size_t rows)
      : states(rows * 2), next_states(rows * 2), rewards(rows), actions(rows), is_final(rows), masks(rows * 9) {}
  SampledTransitions view() {
    const std::size_t rows = actions.size();
    return {{states.data(), rows, 2},      actions,  rewards,
            {next_states.data(), rows, 2}, is_final, {masks.data(), rows, 9}};
  }
  std::vector<float> states, next_states, rewards;
  std::vector<std::int32_t> actions;
  std::vector<std::uint8_t> is_final, masks;
};

ReplayBuffer filled(std::size_t capacity, int num_pushes) {
  ReplayBuffer replay(capacity, 2, 9);
  for (int number = 0; number < num_pushes; ++number) {
    const float value = static_cast<float>(number);
    const std::vector<float> state{value, -value}, next{value + 1, 0};
    const std::vector<std::uint8_t> mask_bits{static_cast<std::uint8_t>(number), 1};
    replay.push({state, number % 9, value / 2, next, number % 3 == 0, mask_bits});
  }
  return replay;
}

}  // namespace

TEST(legal_masks_survive_packing) {
  const std::vector<std::uint8_t> mask{1, 0, 0, 1, 0, 0, 0, 1, 0, 1};
  std::vector<std::uint8_t> bits(packed_size(10)), back(10, 7);
  pack_legal_mask(mask, bits);
  EXPECT((bits == std::vector<std::uint8_t>{0b10001001, 0b10}));
  unpack_legal_mask(bits, back);
  EXPECT(back == mask);
}

TEST(replay_buffer_forgets_the_oldest) {
  const ReplayBuffer replay = filled(5, 12);
  EXPECT(replay.size() == 5);
  std::vector<float> rewards = replay.contents().rewards;
  std::sort(rewards.begin(), rewards.end());
  EXPECT((rewards == std::vector<float>{3.5, 4, 4.5, 5, 5.5}));
}

TEST(replay_batches_are_distinct_whole_transitions) {
  const ReplayBuffer replay = filled(50, 70);
  for (std::uint64_t draw = 0; draw < 200; ++draw) {
    BatchMemory batch(20);
    replay.sample(Stream(1, Purpose::replay, 0, draw), batch.view());
    EXPECT((std::set<float>(batch.rewards.begin(), batch.rewards.end()).size() == 20));
    for (std::size_t row = 0; row < 20; ++row) {
      const int number = static_cast<int>(2 * batch.rewards[row]);
      EXPECT(number >= 20 && number < 70);
      EXPECT(batch.states[2 * row] == static_cast<float>(number) && batch.next_states[2 * row] == number + 1);
      EXPECT(batch.actions[row] == number % 9 && batch.is_final[row] == (number % 3 == 0));
      EXPECT(batch.masks[9 * row] == number % 2 && batch.masks[9 * row + 8] == 1);
    }
  }
}

TEST(replay_sampling_is_uniform) {
  const ReplayBuffer replay = filled(10, 10);
  std::vector<int> counts(10);
  for (std::uint64_t draw = 0; draw < 5000; ++draw) {
    BatchMemory batch(4);
    replay.sample(Stream(3, Purpose::replay, 0, draw), batch.view());
    for (const float reward : batch.rewards) ++counts[static_cast<std::size_t>(2 * reward)];
  }
  for (const int count : counts) EXPECT(count > 1860 && count < 2140);  // 2000 with a deviation of 35
}

TEST(replay_buffer_refuses_what_does_not_fit) {
  ReplayBuffer replay = filled(10, 3);
  BatchMemory batch(4);
  EXPECT_THROW(replay.sample(Stream(), batch.view()), InvalidArgument);
  EXPECT_THROW(ReplayBuffer(0, 2, 9), InvalidArgument);
  ReplayBuffer::Contents contents = replay.contents();
  contents.rewards.pop_back();
  EXPECT_THROW(replay.restore(contents), InvalidArgument);
  contents = replay.contents();
  contents.actions[1] = 9;
  EXPECT_THROW(replay.restore(contents), InvalidArgument);
  contents = replay.contents();
  contents.num_pushed = 4;
  EXPECT_THROW(replay.restore(contents), InvalidArgument);
}
