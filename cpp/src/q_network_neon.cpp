#if defined(__aarch64__)
#include "q_network_kernel.hpp"

namespace coffee_fast {

float gradient_step_neon(const QNetworkStep& step) { return gradient_step<NeonVector>(step); }

}  // namespace coffee_fast
#endif
