#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace coffee_fast {

/// What a random stream is for. Streams of different purposes never overlap, so adding a draw in one place leaves
/// every other one unchanged. The numbers are part of the contract "same seed, same bits": append, never renumber.
enum class Purpose : std::uint32_t {
  initial_state = 1,  ///< where an episode starts
  strategy = 2,       ///< which pure strategy a player's mixture plays this episode
  action = 3,         ///< a policy's action at a decision
  exploration = 4,    ///< epsilon-greedy choices of a learner
  coverage = 5,       ///< whether a training episode is a deviation-coverage episode
  replay = 6,         ///< mini-batches from a replay buffer
  weights = 7,        ///< initial network weights
  chance = 8,         ///< the outcome of a chance event
  transition = 9,     ///< what a dynamics draws by itself within a step
  member = 10,        ///< which member of an ensemble an episode follows
};

/// One block of Philox4x32-10 (Salmon, Moraes, Dror and Shaw, SC 2011): a bijection of `counter` chosen by `key`.
constexpr std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                                  std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
    const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a bijection that scatters nearby numbers.
constexpr std::uint64_t mix64(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

/// A counter-based random stream: its numbers depend on nothing but its coordinates, so any thread may draw any
/// stream in any order. Key = mix64 chain of (seed, purpose, profile); counter = (block, step, rollout).
class Stream {
 public:
  constexpr Stream() : Stream(0, Purpose::initial_state) {}
  constexpr Stream(std::uint64_t seed, Purpose purpose, std::uint64_t profile = 0, std::uint64_t rollout = 0,
                   std::uint32_t step = 0)
      : step_(step), rollout_(rollout) {
    const std::uint64_t key = mix64(mix64(mix64(seed) ^ static_cast<std::uint64_t>(purpose)) ^ profile);
    key_ = {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)};
  }

  /// The stream of another rollout and step, without hashing seed, purpose and profile again.
  constexpr Stream at(std::uint64_t rollout, std::uint32_t step) const {
    Stream stream = *this;
    stream.rollout_ = rollout;
    stream.step_ = step;
    stream.num_blocks_ = 0;
    stream.position_ = 4;
    return stream;
  }

  constexpr std::uint32_t next_u32() {
    if (position_ == 4) {
      block_ = philox4x32(
          {num_blocks_++, step_, static_cast<std::uint32_t>(rollout_), static_cast<std::uint32_t>(rollout_ >> 32)},
          key_);
      position_ = 0;
    }
    return block_[position_++];
  }
  constexpr std::uint64_t next_u64() {
    const std::uint64_t low = next_u32();
    return low | (static_cast<std::uint64_t>(next_u32()) << 32);
  }
  /// Uniform on [0, 1) in steps of 2^-53.
  constexpr double next_double() { return static_cast<double>(next_u64() >> 11) * 0x1.0p-53; }
  /// Uniform on {0, ..., bound - 1}; the bias of the multiply-shift is below bound * 2^-64. Requires bound > 0.
  constexpr std::uint32_t next_below(std::uint32_t bound) {
    const std::uint64_t high = next_u32();
    const std::uint64_t low = next_u32();
    return static_cast<std::uint32_t>((high * bound + ((low * bound) >> 32)) >> 32);
  }

 private:
  std::array<std::uint32_t, 2> key_{};
  std::uint32_t step_;
  std::uint64_t rollout_;
  std::uint32_t num_blocks_ = 0;
  int position_ = 4;
  std::array<std::uint32_t, 4> block_{};
};

/// The index drawn by `uniform` in [0, 1) from `probabilities` (nonnegative, summing to one up to rounding):
/// the first whose running sum exceeds it. Entries of probability zero are never drawn.
inline std::size_t sample_categorical(std::span<const double> probabilities, double uniform) {
  std::size_t last_positive = 0;
  double cumulative = 0.0;
  for (std::size_t index = 0; index < probabilities.size(); ++index) {
    if (probabilities[index] <= 0.0) continue;
    last_positive = index;
    cumulative += probabilities[index];
    if (uniform < cumulative) return index;
  }
  return last_positive;  // the sum fell short of `uniform` by rounding
}

}  // namespace coffee_fast
