#pragma once

#include <string_view>

namespace coffee_fast {

/// The version of this library, as CMakeLists.txt states it.
std::string_view version();

/// Name and version of the compiler that built it.
std::string_view compiler();

}  // namespace coffee_fast
