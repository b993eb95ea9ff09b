#include "trained_network_kernel.hpp"

namespace coffee_fast {

constinit const TrainedNetworkKernels trained_network_portable = make_trained_network_kernels<PortableVector>();

}  // namespace coffee_fast
