#include "coffee_fast/version.hpp"

namespace coffee_fast {

std::string_view version() { return COFFEE_FAST_VERSION; }

std::string_view compiler() {
#if defined(__clang__)
  return "clang " __clang_version__;
#elif defined(__GNUC__)
  return "gcc " __VERSION__;
#else
  return "unknown";
#endif
}

}  // namespace coffee_fast
