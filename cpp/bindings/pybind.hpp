#pragma once

// The one place that includes pybind11. Every binding keeps one order: convert under the GIL, release it, compute,
// take it back, wrap.

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coffee_fast/cancel.hpp"
#include "coffee_fast/check.hpp"
#include "coffee_fast/tensor_view.hpp"

namespace py = pybind11;

namespace coffee_fast::bindings {

/// C-contiguous array of exactly T in native byte order: anything else is a TypeError, never a silent copy (bind with
/// py::arg().noconvert()). Only one at an address that is no multiple of T's size is copied: no kernel may read it.
template <class T>
using Array = py::array_t<T, int{py::array::c_style} | int{py::detail::npy_api::NPY_ARRAY_ALIGNED_}>;

/// The object as such an array where it is one already, the empty handle where it is not.
template <class T>
Array<T> as_array(py::handle object) {
  return py::isinstance<Array<T>>(object) ? Array<T>::ensure(object) : py::reinterpret_steal<Array<T>>(py::handle());
}

template <class T>
std::span<const T> as_span(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

/// The array as a matrix: its last axis are the columns, all others together the rows. Needs one axis or more.
template <class T>
MatrixView<const T> as_matrix(const Array<T>& array, const char* name) {
  check(array.ndim() >= 1, name, " must have at least one axis, got a scalar");
  const auto columns = static_cast<std::size_t>(array.shape(array.ndim() - 1));
  return {array.data(), columns == 0 ? 0 : static_cast<std::size_t>(array.size()) / columns, columns};
}

template <class T>
MatrixView<T> as_mutable_matrix(Array<T>& array) {
  const auto columns = static_cast<std::size_t>(array.shape(array.ndim() - 1));
  return {array.mutable_data(), columns == 0 ? 0 : static_cast<std::size_t>(array.size()) / columns, columns};
}

/// A new array that takes over the vector's memory.
template <class T>
Array<T> to_array(std::vector<T>&& values, std::vector<py::ssize_t> shape) {
  auto* owner = new std::vector<T>(std::move(values));
  py::capsule release(owner, [](void* pointer) { delete static_cast<std::vector<T>*>(pointer); });
  return Array<T>(std::move(shape), owner->data(), release);
}

/// The same with one axis.
template <class T>
Array<T> to_array(std::vector<T>&& values) {
  const auto size = static_cast<py::ssize_t>(values.size());
  return to_array(std::move(values), {size});
}

template <class T>
std::vector<T> to_vector(const Array<T>& array) {
  const auto values = as_span(array);
  return {values.begin(), values.end()};
}

/// The entry `name` of an exported state as an array of exactly T; sizes are checked where the values are used.
template <class T>
std::vector<T> take(const py::dict& state, const std::string& name) {
  check(state.contains(name.c_str()), "restore: the state lacks '", name, "'");
  const py::object entry = state[name.c_str()];
  const auto array = as_array<T>(entry);
  check(static_cast<bool>(array), "restore: '", name, "' must be a C-contiguous array of dtype ",
        std::string(py::str(py::dtype::of<T>())), ", got ", std::string(py::str(py::type::of(entry))));
  return to_vector(array);
}

/// Runs `compute(cancel)` without the GIL. Ctrl-C stops it at its next iteration point with KeyboardInterrupt.
template <class Compute>
auto without_gil(Compute&& compute) {
  CancelToken cancel([] {
    py::gil_scoped_acquire gil;
    return PyErr_CheckSignals() != 0;  // the error stays set; the translation of Cancelled raises it
  });
  py::gil_scoped_release release;
  return compute(cancel);
}

void bind_errors(py::module_& module);
void bind_build_info(py::module_& module);
void bind_rng(py::module_& module);
void bind_mlp(py::module_& module);
void bind_simplex(py::module_& module);
void bind_payoff_table(py::module_& module);
void bind_replicator(py::module_& module);
void bind_policy(py::module_& module);
void bind_any_dynamics(py::module_& module);
void bind_python_dynamics(py::module_& module);
void bind_generalized_bargaining(py::module_& module);
void bind_dynamics_ensemble(py::module_& module);
void bind_game_tree(py::module_& module);
void bind_rollout(py::module_& module);
void bind_empirical_game(py::module_& module);
void bind_actor(py::module_& module);
void bind_q_network(py::module_& module);
void bind_episodes(py::module_& module);
void bind_experience(py::module_& module);
void bind_policy_learner(py::module_& module);
void bind_anchored(py::module_& module);
void bind_stage_games(py::module_& module);
void bind_risk_averse(py::module_& module);
void bind_robust_expectation(py::module_& module);

}  // namespace coffee_fast::bindings
