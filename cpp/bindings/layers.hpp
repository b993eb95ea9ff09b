#pragma once

#include <utility>
#include <vector>

#include "coffee_fast/mlp.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {

/// A network's affine layers as Python has them: (weights f32 [outputs, inputs], bias f32 [outputs]) each.
using Layers = std::vector<std::pair<Array<float>, Array<float>>>;

/// Views of them; `name` is the argument that messages name.
std::vector<Mlp::Layer> as_layers(const Layers& layers, const char* name);

/// Copies of a network's layers: `read(l, weights, bias)` fills layer l.
template <class Network, class Read>
Layers read_layers(const Network& network, const Read& read) {
  Layers layers;
  for (std::size_t l = 0; l < network.num_layers(); ++l) {
    Array<float> weights({network.num_outputs(l), network.num_inputs(l)});
    Array<float> bias(static_cast<py::ssize_t>(network.num_outputs(l)));
    read(l, as_mutable_matrix(weights), std::span<float>{bias.mutable_data(), network.num_outputs(l)});
    layers.emplace_back(std::move(weights), std::move(bias));
  }
  return layers;
}

}  // namespace coffee_fast::bindings
