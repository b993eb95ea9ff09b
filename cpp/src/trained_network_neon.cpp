#if defined(__aarch64__)
#include "trained_network_kernel.hpp"

namespace coffee_fast {

constinit const TrainedNetworkKernels trained_network_neon = make_trained_network_kernels<NeonVector>();

}  // namespace coffee_fast
#endif
