#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace coffee_fast {

/// Of K entries that follow a move, which are known from what was before it, and what the predicted ones can be.
///
/// An entry that stays as it was, or that the move tells, is copied and has no error; one that takes few values is set
/// to the nearest of them; any other lies between the least and the most that was seen. Errors of a prediction would
/// else tell players what they cannot know, and lead from states that occur to states that do not.
struct EntryKinds {
  static constexpr std::int32_t predicted = -1;

  std::vector<std::int32_t> sources;        ///< [M, K], by who moved: `predicted`, or the place among what is known
  std::vector<float> values;                ///< of all entries, ascending
  std::vector<std::int32_t> value_offsets;  ///< [K + 1]: values of entry k from value_offsets[k] on; none: any
  std::vector<float> least, most;           ///< [K], or empty

  std::size_t size() const { return value_offsets.empty() ? 0 : value_offsets.size() - 1; }

  /// Throws InvalidArgument unless there are `num_movers` rows of `size` entries with sources below `num_known`.
  void check_shape(const char* name, std::size_t num_movers, std::size_t size, std::size_t num_known) const;

  /// Whether, of the entries [first, first + count), any is predicted after any move.
  bool predicts_any(std::size_t first, std::size_t count) const;

  /// Puts entries [first, first + entries.size()) right, which hold predictions; `known` is what was before the move.
  void settle(std::size_t mover, std::size_t first, std::span<const float> known, std::span<float> entries) const;

 private:
  float nearest_value(std::size_t entry, float predicted) const;
};

}  // namespace coffee_fast
