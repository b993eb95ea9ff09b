#if defined(__x86_64__)
#include "trained_network_kernel.hpp"

namespace coffee_fast {

constinit const TrainedNetworkKernels trained_network_avx512 = make_trained_network_kernels<Avx512Vector>();

}  // namespace coffee_fast
#endif
