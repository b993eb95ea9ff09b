#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace coffee_fast {

/// One step of Adam (Kingma and Ba, ICLR 2015) as the kernels take it: bias corrections folded into two scalars.
struct AdamStep {
  float first_weight, second_decay, second_weight, inverse_root_correction, epsilon, step_size;
  float *parameters, *first_moment, *second_moment;
};

/// Step number `num_steps`, counted from 1.
inline AdamStep adam_step(double learning_rate, double first_decay, double second_decay, double epsilon,
                          std::uint64_t num_steps, std::vector<float>& parameters, std::vector<float>& first_moment,
                          std::vector<float>& second_moment) {
  const auto steps = static_cast<double>(num_steps);
  return {static_cast<float>(1.0 - first_decay),
          static_cast<float>(second_decay),
          static_cast<float>(1.0 - second_decay),
          static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(second_decay, steps))),
          static_cast<float>(epsilon),
          static_cast<float>(learning_rate / (1.0 - std::pow(first_decay, steps))),
          parameters.data(),
          first_moment.data(),
          second_moment.data()};
}

}  // namespace coffee_fast
