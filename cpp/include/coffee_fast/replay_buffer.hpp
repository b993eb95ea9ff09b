#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coffee_fast/rng.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace coffee_fast {

/// From one decision of a learner to its next one. After a final transition there is no next decision: its
/// information state and legal mask are zeros. Legal masks are packed, the lowest bit of a byte first.
struct Transition {
  std::span<const float> information_state;  ///< [I]
  std::int32_t action = 0;
  float reward = 0.0F;                            ///< raw units of the game
  std::span<const float> next_information_state;  ///< [I]
  bool is_final = false;
  std::span<const std::uint8_t> next_legal_mask_bits;  ///< [packed_size(A)]
};

/// Memory the caller lends for a mini-batch, a row each transition.
struct SampledTransitions {
  MatrixView<float> information_states;       ///< [B, I]
  std::span<std::int32_t> actions;            ///< [B]
  std::span<float> rewards;                   ///< [B]
  MatrixView<float> next_information_states;  ///< [B, I]
  std::span<std::uint8_t> is_final;           ///< [B]
  MatrixView<std::uint8_t> next_legal_masks;  ///< [B, A], unpacked
};

/// The last `capacity` transitions pushed, sampled uniformly.
class ReplayBuffer {
 public:
  /// Everything the buffer holds, one row a transition: row r was pushed as number r of its round through the ring.
  struct Contents {
    std::vector<float> information_states;           ///< [size, I]
    std::vector<std::int32_t> actions;               ///< [size]
    std::vector<float> rewards;                      ///< [size]
    std::vector<float> next_information_states;      ///< [size, I]
    std::vector<std::uint8_t> is_final;              ///< [size]
    std::vector<std::uint8_t> next_legal_mask_bits;  ///< [size, packed_size(A)]
    std::uint64_t num_pushed = 0;                    ///< since the beginning; size = min(num_pushed, capacity)
  };

  ReplayBuffer(std::size_t capacity, std::size_t information_state_size, std::size_t num_actions);

  std::size_t capacity() const { return capacity_; }
  std::size_t size() const { return contents_.actions.size(); }
  std::size_t information_state_size() const { return information_state_size_; }
  std::size_t num_actions() const { return num_actions_; }

  /// Adds one transition; a full buffer forgets its oldest one.
  void push(const Transition& transition);

  /// Fills the batch with distinct transitions (Floyd's algorithm), each set of B equally likely, drawn from `stream`.
  /// Rows are in the order of drawing. Requires B <= size(). Expected cost O(B * (I + A)).
  void sample(Stream stream, const SampledTransitions& batch) const;

  const Contents& contents() const { return contents_; }
  /// Continues from what another buffer of the same sizes held; InvalidArgument if it does not fit this one.
  void restore(Contents contents);

 private:
  void copy_row(std::size_t source, std::size_t row, const SampledTransitions& batch) const;

  std::size_t capacity_;
  std::size_t information_state_size_;
  std::size_t num_actions_;
  Contents contents_;
};

/// Bytes that the legal mask of `num_actions` actions takes when packed.
constexpr std::size_t packed_size(std::size_t num_actions) { return (num_actions + 7) / 8; }

/// Bit a of the packed mask, the lowest of each byte first, is mask[a]; numpy.packbits(..., bitorder="little").
void pack_legal_mask(std::span<const std::uint8_t> mask, std::span<std::uint8_t> bits);
void unpack_legal_mask(std::span<const std::uint8_t> bits, std::span<std::uint8_t> mask);

}  // namespace coffee_fast
