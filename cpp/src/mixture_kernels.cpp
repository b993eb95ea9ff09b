#include "mixture_kernels.hpp"

#include "coffee_fast/isa.hpp"

namespace coffee_fast {

const MixtureKernels& mixture_kernels() {
#if defined(__x86_64__)
  switch (active_isa()) {
    case Isa::avx512:
      return mixture_kernels_avx512;
    case Isa::avx2:
      return mixture_kernels_avx2;
    case Isa::portable:
      break;
  }
#endif
  return mixture_kernels_portable;
}

}  // namespace coffee_fast
