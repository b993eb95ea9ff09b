#include "coffee_fast/rng.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {

void bind_rng(py::module_& module) {
  module.def(
      "philox4x32",
      [](std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) { return philox4x32(counter, key); },
      py::arg("counter"), py::arg("key"));
  py::enum_<Purpose>(module, "Purpose")
      .value("initial_state", Purpose::initial_state)
      .value("strategy", Purpose::strategy)
      .value("action", Purpose::action)
      .value("exploration", Purpose::exploration)
      .value("coverage", Purpose::coverage)
      .value("replay", Purpose::replay)
      .value("weights", Purpose::weights)
      .value("chance", Purpose::chance)
      .value("transition", Purpose::transition)
      .value("member", Purpose::member);
  py::class_<Stream>(module, "Stream")
      .def(py::init<std::uint64_t, Purpose, std::uint64_t, std::uint64_t, std::uint32_t>(), py::arg("seed"),
           py::arg("purpose"), py::arg("profile") = 0, py::arg("rollout") = 0, py::arg("step") = 0)
      .def("next_u32", &Stream::next_u32)
      .def("next_u64", &Stream::next_u64)
      .def("next_double", &Stream::next_double)
      .def("next_below", &Stream::next_below, py::arg("bound"));
}

}  // namespace coffee_fast::bindings
