#include "coffee_fast/replay_buffer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

/// Writes `source` as row `row` of a matrix of rows as long, which it lengthens by one if `row` is its end.
template <class T>
void put_row(std::vector<T>& matrix, std::size_t row, std::span<const T> source) {
  const std::size_t begin = row * source.size();
  if (begin == matrix.size()) matrix.resize(begin + source.size());
  std::copy(source.begin(), source.end(), matrix.begin() + static_cast<std::ptrdiff_t>(begin));
}

template <class T>
std::span<const T> get_row(const std::vector<T>& matrix, std::size_t row, std::size_t columns) {
  return std::span(matrix).subspan(row * columns, columns);
}

/// Asks for the row's cache lines ahead of their use.
template <class T>
void prefetch_row(const std::vector<T>& matrix, std::size_t row, std::size_t columns) {
  const T* const begin = matrix.data() + row * columns;
  constexpr std::size_t line = 64 / sizeof(T);
  for (std::size_t column = 0; column < columns; column += line) __builtin_prefetch(begin + column);
  __builtin_prefetch(begin + columns - 1);
}

/// The eight bits of every byte, the lowest first, a byte each.
constexpr auto bytes_of_bits = [] {
  std::array<std::array<std::uint8_t, 8>, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte)
    for (std::size_t bit = 0; bit < 8; ++bit) table[byte][bit] = (byte >> bit) & 1U;
  return table;
}();

}  // namespace

void pack_legal_mask(std::span<const std::uint8_t> mask, std::span<std::uint8_t> bits) {
  std::fill(bits.begin(), bits.end(), std::uint8_t{0});
  for (std::size_t action = 0; action < mask.size(); ++action)
    bits[action / 8] |= static_cast<std::uint8_t>((mask[action] != 0) << (action % 8));
}

void unpack_legal_mask(std::span<const std::uint8_t> bits, std::span<std::uint8_t> mask) {
  const std::size_t num_whole = mask.size() / 8;
  for (std::size_t byte = 0; byte < num_whole; ++byte)
    std::copy_n(bytes_of_bits[bits[byte]].begin(), 8, mask.begin() + static_cast<std::ptrdiff_t>(8 * byte));
  for (std::size_t action = 8 * num_whole; action < mask.size(); ++action)
    mask[action] = (bits[action / 8] >> (action % 8)) & 1U;
}

ReplayBuffer::ReplayBuffer(std::size_t capacity, std::size_t information_state_size, std::size_t num_actions)
    : capacity_(capacity), information_state_size_(information_state_size), num_actions_(num_actions) {
  check(capacity > 0, "ReplayBuffer: capacity must be at least 1, got 0");
  check(information_state_size > 0 && num_actions > 0,
        "ReplayBuffer: information_state_size and num_actions must be at least 1, got ", information_state_size,
        " and ", num_actions);
}

void ReplayBuffer::push(const Transition& transition) {
  check(transition.information_state.size() == information_state_size_ &&
            transition.next_information_state.size() == information_state_size_,
        "ReplayBuffer.push: information states must have ", information_state_size_, " features, got ",
        transition.information_state.size(), " and ", transition.next_information_state.size());
  check(transition.next_legal_mask_bits.size() == packed_size(num_actions_),
        "ReplayBuffer.push: the packed legal mask must have ", packed_size(num_actions_), " bytes, got ",
        transition.next_legal_mask_bits.size());
  check(transition.action >= 0 && static_cast<std::size_t>(transition.action) < num_actions_,
        "ReplayBuffer.push: action must lie in [0, ", num_actions_, "), got ", transition.action);
  const std::size_t row = contents_.num_pushed++ % capacity_;
  const std::uint8_t is_final = transition.is_final ? 1 : 0;
  put_row(contents_.information_states, row, transition.information_state);
  put_row(contents_.actions, row, std::span(&transition.action, 1));
  put_row(contents_.rewards, row, std::span(&transition.reward, 1));
  put_row(contents_.next_information_states, row, transition.next_information_state);
  put_row(contents_.is_final, row, std::span(&is_final, 1));
  put_row(contents_.next_legal_mask_bits, row, transition.next_legal_mask_bits);
}

void ReplayBuffer::sample(Stream stream, const SampledTransitions& batch) const {
  const std::size_t count = batch.actions.size();
  check(count <= size(), "ReplayBuffer.sample: batch_size must be at most the number of transitions held (", size(),
        "), got ", count);
  std::vector<bool> is_taken(size(), false);
  std::vector<std::size_t> rows(count);
  for (std::size_t row = 0; row < count; ++row) {
    // Floyd: among the first `last + 1` transitions any one; if it was taken already, the newest of them.
    const std::size_t last = size() - count + row;
    std::size_t drawn = stream.next_below(static_cast<std::uint32_t>(last + 1));
    if (is_taken[drawn]) drawn = last;
    is_taken[drawn] = true;
    rows[row] = drawn;
    prefetch_row(contents_.information_states, drawn, information_state_size_);
    prefetch_row(contents_.next_information_states, drawn, information_state_size_);
    prefetch_row(contents_.next_legal_mask_bits, drawn, packed_size(num_actions_));
  }
  for (std::size_t row = 0; row < count; ++row) copy_row(rows[row], row, batch);
}

void ReplayBuffer::copy_row(std::size_t source, std::size_t row, const SampledTransitions& batch) const {
  const auto state = get_row(contents_.information_states, source, information_state_size_);
  const auto next_state = get_row(contents_.next_information_states, source, information_state_size_);
  const auto mask_bits = get_row(contents_.next_legal_mask_bits, source, packed_size(num_actions_));
  std::copy(state.begin(), state.end(), batch.information_states.row(row).begin());
  std::copy(next_state.begin(), next_state.end(), batch.next_information_states.row(row).begin());
  unpack_legal_mask(mask_bits, batch.next_legal_masks.row(row));
  batch.actions[row] = contents_.actions[source];
  batch.rewards[row] = contents_.rewards[source];
  batch.is_final[row] = contents_.is_final[source];
}

void ReplayBuffer::restore(Contents contents) {
  const std::size_t rows = contents.actions.size();
  check(rows == std::min<std::uint64_t>(contents.num_pushed, capacity_), "ReplayBuffer.restore: after ",
        contents.num_pushed, " pushes a buffer of capacity ", capacity_, " cannot hold ", rows, " transitions");
  check(contents.information_states.size() == rows * information_state_size_ &&
            contents.next_information_states.size() == rows * information_state_size_ &&
            contents.rewards.size() == rows && contents.is_final.size() == rows &&
            contents.next_legal_mask_bits.size() == rows * packed_size(num_actions_),
        "ReplayBuffer.restore: every array must have a row for each of the ", rows, " transitions, of ",
        information_state_size_, " features or ", num_actions_, " packed actions");
  bool are_actions_valid = true;
  for (const std::int32_t action : contents.actions)
    are_actions_valid &= action >= 0 && static_cast<std::size_t>(action) < num_actions_;
  check(are_actions_valid, "ReplayBuffer.restore: actions must lie in [0, ", num_actions_, ")");
  contents_ = std::move(contents);
}

}  // namespace coffee_fast
