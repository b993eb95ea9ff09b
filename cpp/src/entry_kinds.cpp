#include "coffee_fast/entry_kinds.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/check.hpp"

namespace coffee_fast {

void EntryKinds::check_shape(const char* name, std::size_t num_movers, std::size_t size, std::size_t num_known) const {
  check(sources.size() == num_movers * size, name, ": sources must have shape [", num_movers, ", ", size, "]");
  check(value_offsets.size() == size + 1 && value_offsets.front() == 0 && std::ranges::is_sorted(value_offsets) &&
            static_cast<std::size_t>(value_offsets.back()) == values.size(),
        name, ": value offsets must be ", size + 1, ", from 0 to the number of values, ", values.size());
  for (const std::int32_t source : sources)
    check(source >= predicted && source < static_cast<std::int32_t>(num_known), name, ": sources must lie in [-1, ",
          num_known, "), got ", source);
  for (std::size_t entry = 0; entry < size; ++entry)
    check(std::is_sorted(values.begin() + value_offsets[entry], values.begin() + value_offsets[entry + 1]), name,
          ": values of entry ", entry, " must be ascending");
  check(std::ranges::all_of(values, [](float value) { return std::isfinite(value); }), name, ": values must be finite");
  check(least.size() == most.size() && (least.empty() || least.size() == size), name, ": bounds must be ", size,
        " or none, got ", least.size(), " and ", most.size());
  for (std::size_t entry = 0; entry < least.size(); ++entry)
    check(least[entry] <= most[entry], name, ": bounds of entry ", entry, " must be in order, got ", least[entry],
          " and ", most[entry]);
}

bool EntryKinds::predicts_any(std::size_t first, std::size_t count) const {
  for (std::size_t mover = 0; mover * size() < sources.size(); ++mover) {
    const std::span<const std::int32_t> row{&sources[mover * size() + first], count};
    if (std::ranges::find(row, predicted) != row.end()) return true;
  }
  return false;
}

void EntryKinds::settle(std::size_t mover, std::size_t first, std::span<const float> known,
                        std::span<float> entries) const {
  const std::int32_t* source = &sources[mover * size() + first];
  for (std::size_t k = 0; k < entries.size(); ++k)
    entries[k] =
        source[k] == predicted ? nearest_value(first + k, entries[k]) : known[static_cast<std::size_t>(source[k])];
}

float EntryKinds::nearest_value(std::size_t entry, float predicted_value) const {
  const auto begin = values.begin() + value_offsets[entry], end = values.begin() + value_offsets[entry + 1];
  if (begin == end) return least.empty() ? predicted_value : std::clamp(predicted_value, least[entry], most[entry]);
  const auto above = std::lower_bound(begin, end, predicted_value);
  if (above == begin) return *begin;
  if (above == end) return *(end - 1);
  return predicted_value - *(above - 1) <= *above - predicted_value ? *(above - 1) : *above;
}

}  // namespace coffee_fast
