#include <thread>

#include "coffee_fast/isa.hpp"
#include "coffee_fast/parallel.hpp"
#include "coffee_fast/version.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {

void bind_build_info(py::module_& module) {
  module.def("build_info", [] {
    py::dict info;
    info["version"] = std::string(version());
    info["compiler"] = std::string(compiler());
    info["isa"] = std::string(isa_name(active_isa()));
    info["num_cores"] = resolve_num_threads(0);
    return info;
  });
}

}  // namespace coffee_fast::bindings
