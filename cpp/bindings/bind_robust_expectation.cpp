#include "coffee_fast/robust_expectation.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

using Kernel = double (*)(std::span<const double>, std::span<const double>, double);

/// A kernel over rows: values and probabilities [G, S], one strength for all, result [G].
void bind_rows(py::module_& module, const char* name, Kernel kernel, const char* strength) {
  module.def(
      name,
      [kernel](const Array<double>& values, const Array<double>& probabilities, double strength_value) {
        const MatrixView<const double> rows = as_matrix(values, "values"),
                                       weights = as_matrix(probabilities, "nominal");
        check(values.ndim() == 2 && rows.columns > 0 && weights.rows == rows.rows && weights.columns == rows.columns,
              "values and probabilities must have one shape [G, S]");
        std::vector<double> found(rows.rows);
        for (std::size_t g = 0; g < rows.rows; ++g) found[g] = kernel(rows.row(g), weights.row(g), strength_value);
        return to_array(std::move(found));
      },
      py::arg("values").noconvert(), py::arg("probabilities").noconvert(), py::arg(strength));
}

}  // namespace

void bind_robust_expectation(py::module_& module) {
  bind_rows(module, "entropic_certainty_equivalent", &entropic_certainty_equivalent, "risk_aversion");
  bind_rows(module, "contamination", &contamination, "radius");
  bind_rows(module, "total_variation_ball", &total_variation_ball, "radius");
  bind_rows(module, "kl_ball", &kl_ball, "radius");
  bind_rows(module, "kl_penalized", &kl_penalized, "weight");
  bind_rows(module, "total_variation_penalized", &total_variation_penalized, "weight");
  bind_rows(module, "chi_squared_penalized", &chi_squared_penalized, "weight");
}

}  // namespace coffee_fast::bindings
