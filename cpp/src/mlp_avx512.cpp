#if defined(__x86_64__)
#include "mlp_kernel.hpp"

namespace coffee_fast {

constinit const MlpKernels mlp_kernels_avx512 = make_mlp_kernels<Avx512Vector>();

}  // namespace coffee_fast
#endif
