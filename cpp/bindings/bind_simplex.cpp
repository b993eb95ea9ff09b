#include "pybind.hpp"

namespace coffee_fast::bindings {

void bind_simplex(py::module_& module) { static_cast<void>(module); }

}  // namespace coffee_fast::bindings
