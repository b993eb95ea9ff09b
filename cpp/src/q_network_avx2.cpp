#if defined(__x86_64__)
#include "q_network_kernel.hpp"

namespace coffee_fast {

float gradient_step_avx2(const QNetworkStep& step) { return gradient_step<Avx2Vector>(step); }

}  // namespace coffee_fast
#endif
