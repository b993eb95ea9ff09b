#if defined(__aarch64__)
#include "mlp_kernel.hpp"

namespace coffee_fast {

constinit const MlpKernels mlp_kernels_neon = make_mlp_kernels<NeonVector>();

}  // namespace coffee_fast
#endif
