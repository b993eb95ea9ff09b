#include <memory>
#include <string>

#include "any_dynamics.hpp"
#include "coffee_fast/policy_learner.hpp"
#include "experience_options.hpp"
#include "layers.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

Layers read_network(const TrainedNetwork& network, std::span<const float> parameters) {
  return read_layers(network, [&](std::size_t l, MatrixView<float> weights, std::span<float> bias) {
    network.read_layer(parameters, l, weights, bias);
  });
}

std::vector<TrainedNetwork> make_networks(const std::vector<Layers>& all, const char* name) {
  std::vector<TrainedNetwork> networks;
  for (const Layers& layers : all) networks.emplace_back(as_layers(layers, name));
  return networks;
}

PolicyLoss::Update parse_update(const std::string& name) {
  if (name == "clipped") return PolicyLoss::Update::clipped;
  check(name == "mirror_descent", "PolicyLearner: update must be clipped or mirror_descent, got ", name);
  return PolicyLoss::Update::mirror_descent;
}

std::unique_ptr<PolicyLearner> make_learner(
    AnyDynamics dynamics, const std::vector<Layers>& policies, const std::vector<Layers>& values,
    const LearningSeats& learning_seats, const Mixtures& opponents, std::vector<Policy> references, std::uint64_t seed,
    std::size_t num_episodes, std::size_t num_parallel_episodes, std::size_t batch_size, std::size_t num_epochs,
    const std::string& update, double clip, double step_size, double gae_lambda, bool kl_in_rewards,
    double uncertainty_penalty, double coverage_weight, double reward_scale, double averaging,
    const std::vector<std::pair<std::size_t, double>>& adversaries) {
  PolicyLearnerOptions options{
      .experience = experience_options(seed, learning_seats, opponents, uncertainty_penalty, coverage_weight),
      .num_episodes = num_episodes,
      .num_parallel_episodes = num_parallel_episodes,
      .batch_size = batch_size,
      .num_epochs = num_epochs,
      .update = parse_update(update),
      .clip = clip,
      .step_size = step_size,
      .gae_lambda = gae_lambda,
      .kl_in_rewards = kl_in_rewards,
      .reward_scale = reward_scale,
      .averaging = averaging,
      .adversaries = {}};
  for (const auto& [reference, weight] : adversaries) options.adversaries.push_back({reference, weight});
  return std::make_unique<PolicyLearner>(std::move(dynamics), make_networks(policies, "policies"),
                                         make_networks(values, "values"), std::move(references), std::move(options));
}

py::dict update(PolicyLearner& learner, double kl_weight, double learning_rate,
                const std::vector<std::vector<double>>& opponent_weights, int num_threads) {
  PolicyUpdateFigures figures = without_gil([&](CancelToken& cancel) {
    return learner.update(kl_weight, learning_rate, opponent_weights, num_threads, cancel);
  });
  py::dict result;
  result["returns"] = to_array(std::move(figures.returns));
  result["learner_returns"] = to_array(std::move(figures.learner_returns));
  result["disagreement"] = figures.disagreement;
  result["kl"] = to_array(std::move(figures.kl));
  result["kl_per_episode"] = to_array(std::move(figures.kl_per_episode));
  result["entropy"] = to_array(std::move(figures.entropy));
  result["step_kl"] = to_array(std::move(figures.step_kl));
  result["value_error"] = to_array(std::move(figures.value_error));
  result["clipped"] = to_array(std::move(figures.clipped));
  result["num_decisions"] = to_array(std::move(figures.num_decisions));
  py::list gains, times;
  for (std::vector<double>& seat : figures.gains_against) gains.append(to_array(std::move(seat)));
  for (std::vector<double>& seat : figures.times_met) times.append(to_array(std::move(seat)));
  result["gains_against"] = gains;
  result["times_met"] = times;
  result["num_episodes"] = figures.num_episodes;
  result["num_coverage_episodes"] = figures.num_coverage_episodes;
  result["learning_s"] = figures.learning_seconds;
  return result;
}

void export_network(const TrainedNetwork& network, const std::string& name, py::dict& result) {
  TrainedNetwork::State state = network.state();
  result[py::str(name + ".parameters")] = to_array(std::move(state.parameters));
  result[py::str(name + ".first_moment")] = to_array(std::move(state.first_moment));
  result[py::str(name + ".second_moment")] = to_array(std::move(state.second_moment));
  result[py::str(name + ".num_steps")] = to_array(std::vector<std::uint64_t>{state.num_steps});
}

py::dict export_state(const PolicyLearner& learner) {
  py::dict result;
  for (std::size_t k = 0; k < learner.num_networks(); ++k) {
    export_network(learner.policy(k), "policy." + std::to_string(k), result);
    export_network(learner.value(k), "value." + std::to_string(k), result);
    const auto average = learner.average(k);
    result[py::str("average." + std::to_string(k))] = to_array(std::vector<float>(average.begin(), average.end()));
  }
  result["num_updates"] = to_array(std::vector<std::uint64_t>{learner.num_updates()});
  return result;
}

std::uint64_t take_count(const py::dict& state, const std::string& name) {
  const auto values = take<std::uint64_t>(state, name);
  check(values.size() == 1, "PolicyLearner.restore: '", name, "' must hold 1 number, got ", values.size());
  return values[0];
}

TrainedNetwork::State import_network(const py::dict& state, const std::string& name) {
  return {take<float>(state, name + ".parameters"), take<float>(state, name + ".first_moment"),
          take<float>(state, name + ".second_moment"), take_count(state, name + ".num_steps")};
}

void import_state(PolicyLearner& learner, const py::dict& arrays) {
  PolicyLearner::State state;
  for (std::size_t k = 0; k < learner.num_networks(); ++k) {
    state.policies.push_back(import_network(arrays, "policy." + std::to_string(k)));
    state.values.push_back(import_network(arrays, "value." + std::to_string(k)));
    state.averages.push_back(take<float>(arrays, "average." + std::to_string(k)));
  }
  state.num_updates = take_count(arrays, "num_updates");
  learner.restore(std::move(state));
}

const TrainedNetwork& network_at(const PolicyLearner& learner, std::size_t k, bool is_policy) {
  check(k < learner.num_networks(), "PolicyLearner: k must lie in [0, ", learner.num_networks(), "), got ", k);
  return is_policy ? learner.policy(k) : learner.value(k);
}

/// A network that learns, with what its steps work in.
struct LearningNetwork {
  explicit LearningNetwork(const Layers& layers) : network(as_layers(layers, "layers")), pass(network.make_pass()) {}

  void adam_step(MatrixView<const float> inputs, MatrixView<const float> output_gradients, double learning_rate) {
    check(inputs.columns == network.num_inputs() && output_gradients.columns == network.num_outputs() &&
              inputs.rows == output_gradients.rows && inputs.rows > 0,
          "TrainedNetwork: inputs must be [B, ", network.num_inputs(), "] and output_gradients [B, ",
          network.num_outputs(), "], got [", inputs.rows, ", ", inputs.columns, "] and [", output_gradients.rows, ", ",
          output_gradients.columns, "]");
    constexpr std::size_t rows_per_pass = TrainedNetwork::rows_per_pass;
    const std::size_t size = network.gradient_size();
    gradients.resize((inputs.rows + rows_per_pass - 1) / rows_per_pass * size);
    for (std::size_t first = 0; first < inputs.rows; first += rows_per_pass) {
      const std::size_t count = std::min(rows_per_pass, inputs.rows - first);
      network.forward(inputs.middle_rows(first, count), pass);
      const MatrixView<float> given = network.output_gradients(pass);
      for (std::size_t row = 0; row < count; ++row)
        std::ranges::copy(output_gradients.row(first + row), given.row(row).begin());
      network.backward(pass, std::span(gradients).subspan(first / rows_per_pass * size, size));
    }
    network.adam_step(gradients, learning_rate);
  }

  TrainedNetwork network;
  TrainedNetwork::Pass pass;
  std::vector<float> gradients;  ///< of all passes of the last batch; their sum in the first
};

void bind_trained_network(py::module_& module) {
  py::class_<LearningNetwork>(module, "TrainedNetwork", "A ReLU network, its gradients and steps of Adam.")
      .def(py::init<const Layers&>(), py::arg("layers"))
      .def(
          "adam_step",
          [](LearningNetwork& self, const Array<float>& inputs, const Array<float>& output_gradients,
             double learning_rate) {
            self.adam_step(as_matrix(inputs, "inputs"), as_matrix(output_gradients, "output_gradients"), learning_rate);
          },
          py::arg("inputs").noconvert(), py::arg("output_gradients").noconvert(), py::arg("learning_rate"),
          "One step for a loss of which output_gradients f32 [B, outputs] are the gradients by the outputs at inputs "
          "f32 [B, inputs].")
      .def(
          "gradient",
          [](const LearningNetwork& self) {
            check(!self.gradients.empty(), "TrainedNetwork: gradient is that of the last step, and none was taken");
            return read_network(self.network, std::span(self.gradients).first(self.network.gradient_size()));
          },
          "The gradient by the parameters that the last step was taken against, laid out as the layers.")
      .def("layers", [](const LearningNetwork& self) { return read_network(self.network, self.network.parameters()); });
}

}  // namespace

void bind_policy_learner(py::module_& module) {
  bind_trained_network(module);
  py::class_<PolicyLearner>(module, "PolicyLearner",
                            "Regularized policy gradients: networks that learn from the episodes that they play.")
      .def(py::init(&make_learner), py::arg("dynamics"), py::arg("policies"), py::arg("values"),
           py::arg("learning_seats"), py::arg("opponents"), py::arg("references"), py::kw_only(), py::arg("seed"),
           py::arg("num_episodes") = 1500, py::arg("num_parallel_episodes") = 256, py::arg("batch_size") = 2048,
           py::arg("num_epochs") = 2, py::arg("update") = "clipped", py::arg("clip") = 0.2, py::arg("step_size") = 1.0,
           py::arg("gae_lambda") = 1.0, py::arg("kl_in_rewards") = false, py::arg("uncertainty_penalty") = 0.0,
           py::arg("coverage_weight") = 0.0, py::arg("reward_scale") = 1.0, py::arg("averaging") = 0.0,
           py::arg("adversaries") = std::vector<std::pair<std::size_t, double>>{})
      .def("update", &update, py::arg("kl_weight"), py::arg("learning_rate"),
           py::arg("opponent_weights") = std::vector<std::vector<double>>{}, py::arg("num_threads") = 1,
           "One update of all networks and its figures; Ctrl-C leaves the learner as it was before.")
      .def_property_readonly("num_updates", &PolicyLearner::num_updates)
      .def(
          "policy",
          [](const PolicyLearner& self, std::size_t k) {
            const TrainedNetwork& network = network_at(self, k, true);
            return read_network(network, network.parameters());
          },
          py::arg("k"))
      .def(
          "average",
          [](const PolicyLearner& self, std::size_t k) {
            const TrainedNetwork& network = network_at(self, k, true);  // checks k before average(k) takes it
            return read_network(network, self.average(k));
          },
          py::arg("k"), "The averaged policy.")
      .def(
          "value",
          [](const PolicyLearner& self, std::size_t k) {
            const TrainedNetwork& network = network_at(self, k, false);
            return read_network(network, network.parameters());
          },
          py::arg("k"))
      .def("export_state", &export_state,
           "Everything another learner of the same arguments needs to continue with the same bits, as named arrays.")
      .def("restore", &import_state, py::arg("state"));
}

}  // namespace coffee_fast::bindings
