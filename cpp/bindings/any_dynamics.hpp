#pragma once

// How dynamics come from Python: each class that is bound as one names itself with `plays_as_any_dynamics`, and every
// function that plays takes an AnyDynamics.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "coffee_fast/any_dynamics.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {

using Conversion = std::function<std::optional<AnyDynamics>(py::handle)>;

/// Of every bound class of dynamics.
std::vector<Conversion>& conversions_to_any_dynamics();

/// Lets objects of a class that is bound with holder std::shared_ptr<D> be passed wherever something plays.
template <Dynamics D>
void plays_as_any_dynamics() {
  conversions_to_any_dynamics().push_back([](py::handle object) -> std::optional<AnyDynamics> {
    if (!py::isinstance<D>(object)) return std::nullopt;
    return AnyDynamics(std::shared_ptr<const D>(object.cast<std::shared_ptr<D>>()));
  });
}

}  // namespace coffee_fast::bindings

template <>
struct pybind11::detail::type_caster<coffee_fast::AnyDynamics> {
  PYBIND11_TYPE_CASTER(coffee_fast::AnyDynamics, const_name("Dynamics"));

  bool load(handle object, bool) {
    for (const auto& convert : coffee_fast::bindings::conversions_to_any_dynamics())
      if (auto found = convert(object)) {
        value = *std::move(found);
        return true;
      }
    return false;
  }
};
