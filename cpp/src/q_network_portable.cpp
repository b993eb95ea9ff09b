#include "q_network_kernel.hpp"

namespace coffee_fast {

float gradient_step_portable(const QNetworkStep& step) { return gradient_step<PortableVector>(step); }

}  // namespace coffee_fast
