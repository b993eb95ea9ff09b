#include <cmath>
#include <memory>

#include "coffee_fast/policy.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

Policy network_policy(Policy::Kind kind, std::shared_ptr<const Mlp> network, double temperature) {
  check(temperature > 0.0 && std::isfinite(temperature), "Policy: temperature must be positive, got ", temperature);
  Policy policy;
  policy.kind = kind;
  policy.network = std::move(network);
  policy.temperature = temperature;
  return policy;
}

Policy table(const Array<float>& information_states, const Array<double>& probabilities) {
  check(information_states.ndim() == 2 && probabilities.ndim() == 2,
        "Policy.table: information_states and probabilities must have two axes");
  const auto matrix = [](const auto& array) {
    return MatrixView(array.data(), static_cast<std::size_t>(array.shape(0)), static_cast<std::size_t>(array.shape(1)));
  };
  Policy policy;
  policy.kind = Policy::Kind::table;
  policy.table = std::make_shared<const PolicyTable>(matrix(information_states), matrix(probabilities));
  return policy;
}

Policy mixture(std::vector<Policy> components, std::vector<double> weights) {
  check(!components.empty() && components.size() == weights.size(), "Policy.mixture: weights must be one a component, ",
        components.size(), " in all and at least 1, got ", weights.size());
  double sum = 0.0;
  for (const double weight : weights) {
    check(weight >= 0.0, "Policy.mixture: weights must be nonnegative, got ", weight);
    sum += weight;
  }
  check(std::abs(sum - 1.0) <= 1e-6, "Policy.mixture: weights must sum to 1, got ", sum);
  for (const Policy& component : components)
    check(component.kind != Policy::Kind::mixture, "Policy.mixture: components must not be mixtures themselves");
  Policy policy;
  policy.kind = Policy::Kind::mixture;
  policy.components = std::move(components);
  policy.weights = std::move(weights);
  return policy;
}

}  // namespace

void bind_policy(py::module_& module) {
  py::class_<Policy>(module, "Policy")
      .def_static("uniform_random", [] { return Policy{}; })
      .def_static(
          "greedy",
          [](std::shared_ptr<Mlp> network) { return network_policy(Policy::Kind::greedy, std::move(network), 1.0); },
          py::arg("network").none(false))
      .def_static(
          "softmax",
          [](std::shared_ptr<Mlp> network, double temperature) {
            return network_policy(Policy::Kind::softmax, std::move(network), temperature);
          },
          py::arg("network").none(false), py::arg("temperature") = 1.0)
      .def_static("table", &table, py::arg("information_states").noconvert(), py::arg("probabilities").noconvert())
      .def_static("mixture", &mixture, py::arg("components"), py::arg("weights"));

  module.def(
      "choose_actions",
      [](const Policy& policy, const Array<float>& information_states, const Array<std::uint8_t>& legal_masks,
         std::uint64_t seed) {
        const MatrixView<const float> features = as_matrix(information_states, "information_states");
        const MatrixView<const std::uint8_t> masks = as_matrix(legal_masks, "legal_masks");
        check(features.rows == masks.rows, "choose_actions: legal_masks must have ", features.rows, " rows, got ",
              masks.rows);
        check_policy(policy, features.columns, masks.columns);
        for (std::size_t row = 0; row < masks.rows; ++row)
          check(nth_legal(masks.row(row), 0) >= 0, "choose_actions: legal_masks[", row, "] must allow an action");
        std::vector<Stream> streams;
        for (std::size_t row = 0; row < masks.rows; ++row) streams.emplace_back(seed, Purpose::action, 0, row, 0);
        std::vector<std::int32_t> actions(masks.rows);
        {
          py::gil_scoped_release release;
          PolicyWorkspace workspace;
          choose_actions(policy, features, masks, streams, actions, workspace);
        }
        const auto count = static_cast<py::ssize_t>(actions.size());
        return to_array(std::move(actions), {count});
      },
      py::arg("policy"), py::arg("information_states").noconvert(), py::arg("legal_masks").noconvert(), py::arg("seed"),
      "One action a row; row r draws from the stream of rollout r, step 0.");
}

}  // namespace coffee_fast::bindings
