#include "coffee_fast/isa.hpp"

#include <cstdlib>

#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

Isa widest_supported() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::portable;
}

Isa choose() {
  const Isa widest = widest_supported();
  const char* wanted = std::getenv("COFFEE_FAST_ISA");
  if (wanted == nullptr || *wanted == '\0') return widest;
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (isa_name(isa) != wanted) continue;
    check(isa <= widest, "COFFEE_FAST_ISA asks for ", wanted, ", but this processor has only ", isa_name(widest));
    return isa;
  }
  check(false, "COFFEE_FAST_ISA must be portable, avx2 or avx512, got ", wanted);
  return widest;
}

}  // namespace

Isa active_isa() {
  static const Isa isa = choose();
  return isa;
}

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    case Isa::portable:
      break;
  }
  return "portable";
}

}  // namespace coffee_fast
