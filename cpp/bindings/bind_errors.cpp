#include <new>
#include <stdexcept>
#include <string>
#include <system_error>

#include "coffee_fast/error.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

constexpr const char* out_of_memory =
    "this asks for more memory than there is; ask for less (fewer episodes, actions, members or strategies, or a "
    "smaller batch)";

}  // namespace

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
    } catch (const std::bad_alloc&) {
      raise("OutOfMemoryError", out_of_memory);
    } catch (const std::length_error&) {  // what vectors throw when asked for more than any machine has
      raise("OutOfMemoryError", out_of_memory);
    } catch (const std::system_error& error) {  // a thread that cannot be started
      raise("CoffeeError", (std::string("the operating system refuses: ") + error.what()).c_str());
    }
  });
  static_cast<void>(module);
}

}  // namespace coffee_fast::bindings
