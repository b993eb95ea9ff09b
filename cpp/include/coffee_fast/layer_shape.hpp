#pragma once

#include <cstddef>

namespace coffee_fast {

/// Where an affine layer lies among the parameters of a network that is trained. Outputs are padded with zeros to whole
/// panels of 16; weights are stored [panel][inputs][16] and followed by the bias.
struct LayerShape {
  std::size_t inputs, outputs, padded_outputs;
  std::size_t padded_inputs;  ///< of a layer stored [outputs][padded inputs] instead; else `inputs`
  std::size_t weights, bias;  ///< offsets
};

}  // namespace coffee_fast
