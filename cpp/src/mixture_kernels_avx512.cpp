#if defined(__x86_64__)
#include "mixture_kernels_impl.hpp"

namespace coffee_fast {

const MixtureKernels mixture_kernels_avx512 = {weighted_row_sum, replicator_step, robust_replicator_step, regret,
                                               project};

}  // namespace coffee_fast
#endif
