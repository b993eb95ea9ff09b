#include "coffee_fast/error.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {

void bind_errors(py::module_& module) {
  py::register_exception_translator([](std::exception_ptr pointer) {
    if (!pointer) return;
    const auto raise = [](const char* name, const char* message) {
      py::set_error(py::module_::import("coffee_fast.errors").attr(name), message);
    };
    try {
      std::rethrow_exception(pointer);
    } catch (const InvalidArgument& error) {
      raise("InvalidArgumentError", error.what());
    } catch (const NumericalError& error) {
      raise("NumericalError", error.what());
    } catch (const Cancelled& error) {
      if (!PyErr_Occurred()) PyErr_SetNone(PyExc_KeyboardInterrupt);
    }
  });
  static_cast<void>(module);
}

}  // namespace coffee_fast::bindings
