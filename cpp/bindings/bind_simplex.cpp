#include "coffee_fast/simplex.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {

void bind_simplex(py::module_& module) {
  module.def(
      "project_to_simplex",
      [](const Array<double>& x, double min_probability) {
        check(x.ndim() == 1, "project_to_simplex: x must have one axis, got ", x.ndim());
        const auto values = as_span(x);
        std::vector<double> projected(values.begin(), values.end());
        project_to_simplex(projected, min_probability);
        return to_array(std::move(projected), {x.shape(0)});
      },
      py::arg("x").noconvert(), py::arg("min_probability") = 0.0,
      "The closest point of {p : p >= min_probability, sum(p) = 1}.");
  module.def(
      "entropy", [](const Array<double>& p) { return entropy(as_span(p)); }, py::arg("p").noconvert(),
      "-sum p log p in nats.");
  module.def(
      "kl_divergence",
      [](const Array<double>& p, const Array<double>& q) { return kl_divergence(as_span(p), as_span(q)); },
      py::arg("p").noconvert(), py::arg("q").noconvert(), "sum p log(p / q) in nats.");
}

}  // namespace coffee_fast::bindings
