#pragma once

#include <sstream>
#include <string>

#include "coffee_fast/error.hpp"

namespace coffee_fast {

/// Throws InvalidArgument with the streamed `parts` as its message unless `condition` holds.
/// Used for the O(1) checks at each public entry; never for conditions inside loops over elements.
template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (condition) [[likely]]
    return;
  std::ostringstream message;
  (message << ... << parts);
  throw InvalidArgument(message.str());
}

}  // namespace coffee_fast
