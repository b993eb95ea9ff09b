#include "mixture_kernels_impl.hpp"

namespace coffee_fast {

const MixtureKernels mixture_kernels_portable = {weighted_row_sum, replicator_step, robust_replicator_step, regret,
                                                 project};

}  // namespace coffee_fast
