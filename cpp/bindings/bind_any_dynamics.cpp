#include "any_dynamics.hpp"

namespace coffee_fast::bindings {

std::vector<Conversion>& conversions_to_any_dynamics() {
  static std::vector<Conversion> conversions;
  return conversions;
}

void bind_any_dynamics(py::module_& module) {
  module.def(
      "can_play", [](const py::object& object) { return py::detail::type_caster<AnyDynamics>().load(object, false); },
      py::arg("object"), "Whether rollouts, actors and payoff estimates take the object as their dynamics.");
}

}  // namespace coffee_fast::bindings
