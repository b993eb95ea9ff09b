#include "mlp_kernel.hpp"

namespace coffee_fast {

constinit const MlpKernels mlp_kernels_portable = make_mlp_kernels<PortableVector>();

}  // namespace coffee_fast
