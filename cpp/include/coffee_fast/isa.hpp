#pragma once

#include <string_view>

namespace coffee_fast {

/// The instruction sets kernels are built for, narrow to wide. All that one processor has give the same bits except
/// `portable`, which rounds after each multiplication where the others fuse it with the addition.
enum class Isa { portable, neon, avx2, avx512 };

/// The widest set this processor has, or the one that the environment variable COFFEE_FAST_ISA names
/// (portable, neon, avx2, avx512). Decided once; asking for one that the processor lacks throws InvalidArgument.
Isa active_isa();

std::string_view isa_name(Isa isa);

}  // namespace coffee_fast
