#include "coffee_fast/isa.hpp"

#include <cstdlib>

#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

constexpr Isa all_sets[] = {Isa::portable, Isa::neon, Isa::avx2, Isa::avx512};

bool has(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return true;
#if defined(__x86_64__)
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return has(Isa::avx2) && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
#elif defined(__aarch64__)
    case Isa::neon:
      return true;  // a part of the base
#endif
    default:
      return false;
  }
}

Isa choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
#endif
  Isa widest = Isa::portable;
  for (const Isa isa : all_sets)
    if (has(isa)) widest = isa;
  const char* wanted = std::getenv("COFFEE_FAST_ISA");
  if (wanted == nullptr || *wanted == '\0') return widest;
  for (const Isa isa : all_sets) {
    if (isa_name(isa) != wanted) continue;
    check(has(isa), "COFFEE_FAST_ISA asks for ", wanted, ", but this processor has only ", isa_name(widest));
    return isa;
  }
  check(false, "COFFEE_FAST_ISA must be portable, neon, avx2 or avx512, got ", wanted);
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
    case Isa::neon:
      return "neon";
    case Isa::portable:
      break;
  }
  return "portable";
}

}  // namespace coffee_fast
