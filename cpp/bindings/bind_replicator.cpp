#include "coffee_fast/replicator.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

py::tuple solve(const PayoffTable& table, ReplicatorKind kind, double step_size, std::size_t max_iterations,
                double min_probability, std::optional<double> regret_threshold, bool average) {
  const ReplicatorOptions options{kind, step_size, max_iterations, min_probability, regret_threshold, average};
  ReplicatorResult result = without_gil([&](CancelToken& cancel) { return solve_replicator(table, options, cancel); });
  py::list mixtures;
  for (std::vector<double>& mixture : result.mixtures) mixtures.append(to_array(std::move(mixture)));
  return py::make_tuple(mixtures, result.num_iterations, result.threshold_reached);
}

}  // namespace

void bind_replicator(py::module_& module) {
  py::enum_<ReplicatorKind>(module, "ReplicatorKind")
      .value("plain", ReplicatorKind::plain)
      .value("robust", ReplicatorKind::robust);
  module.def("solve_replicator", &solve, py::arg("table"), py::arg("kind"), py::arg("step_size") = 1e-3,
             py::arg("max_iterations") = 20'000, py::arg("min_probability") = 1e-6,
             py::arg("regret_threshold") = py::none(), py::arg("average") = false,
             "(mixtures, num_iterations, threshold_reached) of the dynamics, run from uniform mixtures.");
  module.def(
      "replicator_step",
      [](const Array<double>& mixture, const Array<double>& payoffs, double step_size, double min_probability) {
        return to_array(replicator_step(to_vector(mixture), to_vector(payoffs), step_size, min_probability));
      },
      py::arg("mixture").noconvert(), py::arg("payoffs").noconvert(), py::arg("step_size"),
      py::arg("min_probability") = 0.0, "One step of the replicator dynamics for given deviation payoffs.");
  module.def(
      "robust_replicator_step",
      [](const Array<double>& mixture, const Array<double>& optimistic, const Array<double>& pessimistic,
         double step_size, double min_probability) {
        return to_array(robust_replicator_step(to_vector(mixture), to_vector(optimistic), to_vector(pessimistic),
                                               step_size, min_probability));
      },
      py::arg("mixture").noconvert(), py::arg("optimistic").noconvert(), py::arg("pessimistic").noconvert(),
      py::arg("step_size"), py::arg("min_probability") = 0.0,
      "One step of the robust replicator dynamics for given deviation payoffs.");
}

}  // namespace coffee_fast::bindings
