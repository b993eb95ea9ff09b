#include "mixture_kernels.hpp"

#include "coffee_fast/isa.hpp"

namespace coffee_fast {

const MixtureKernels& mixture_kernels() {
  switch (active_isa()) {
#if defined(__x86_64__)
    case Isa::avx512:
      return mixture_kernels_avx512;
    case Isa::avx2:
      return mixture_kernels_avx2;
#endif
    default:
      return mixture_kernels_portable;
  }
}

}  // namespace coffee_fast
