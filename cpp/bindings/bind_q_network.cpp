#include "coffee_fast/q_learner.hpp"
#include "coffee_fast/q_network.hpp"
#include "layers.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

Layers read_part(const QNetwork& network, QNetwork::Part part) {
  return read_layers(network, [&](std::size_t l, MatrixView<float> weights, std::span<float> bias) {
    network.read_layer(part, l, weights, bias);
  });
}

void write_layers(QNetwork& network, QNetwork::Part part, const Layers& layers) {
  check(layers.size() == network.num_layers(), "write: layers must be ", network.num_layers(), ", got ", layers.size());
  const auto views = as_layers(layers, "layers");
  for (std::size_t l = 0; l < views.size(); ++l) network.write_layer(part, l, views[l].weights, views[l].bias);
}

}  // namespace

std::vector<Mlp::Layer> as_layers(const Layers& layers, const char* name) {
  std::vector<Mlp::Layer> views;
  for (const auto& [weights, bias] : layers) {
    check(weights.ndim() == 2 && bias.ndim() == 1, name,
          ": each layer must be weights [outputs, inputs] and bias [outputs]");
    views.push_back({as_matrix(weights, name), as_span(bias)});
  }
  return views;
}

void bind_q_network(py::module_& module) {
  py::class_<QNetwork> network(module, "QNetwork");
  py::enum_<QNetwork::Part>(network, "Part")
      .value("online", QNetwork::Part::online)
      .value("target", QNetwork::Part::target)
      .value("first_moment", QNetwork::Part::first_moment)
      .value("second_moment", QNetwork::Part::second_moment);
  network
      .def(py::init([](const Layers& online, const Layers& target, float discount, double learning_rate) {
             QNetworkOptions options;
             options.discount = discount;
             options.learning_rate = learning_rate;
             return QNetwork(as_layers(online, "online"), as_layers(target, "target"), options);
           }),
           py::arg("online"), py::arg("target"), py::arg("discount") = 0.99f, py::arg("learning_rate") = 1e-4)
      .def(
          "gradient_step",
          [](QNetwork& self, const Array<float>& information_states, const Array<std::int32_t>& actions,
             const Array<float>& rewards, const Array<float>& next_information_states,
             const Array<std::uint8_t>& is_final, const Array<std::uint8_t>& next_legal_masks) {
            const TransitionBatch batch{as_matrix(information_states, "information_states"),
                                        as_span(actions),
                                        as_span(rewards),
                                        as_matrix(next_information_states, "next_information_states"),
                                        as_span(is_final),
                                        as_matrix(next_legal_masks, "next_legal_masks")};
            py::gil_scoped_release release;
            return self.gradient_step(batch);
          },
          py::arg("information_states").noconvert(), py::arg("actions").noconvert(), py::arg("rewards").noconvert(),
          py::arg("next_information_states").noconvert(), py::arg("is_final").noconvert(),
          py::arg("next_legal_masks").noconvert())
      .def("copy_to_target", &QNetwork::copy_to_target)
      .def_property("num_steps", &QNetwork::num_steps, &QNetwork::set_num_steps)
      .def("read", &read_part, py::arg("part"))
      .def("write", &write_layers, py::arg("part"), py::arg("layers"));

  py::class_<QLearner>(module, "QLearner", "Collects experience with an actor and learns a Q-network from it.")
      .def(py::init([](ActorBase& actor, QNetwork& q_network, std::size_t batch_size, std::size_t min_replay,
                       std::uint64_t learn_period, std::uint64_t target_period, double reward_scale) {
             return QLearner(actor, q_network, {batch_size, min_replay, learn_period, target_period, reward_scale});
           }),
           py::keep_alive<1, 2>(), py::keep_alive<1, 3>(), py::arg("actor"), py::arg("q_network"), py::kw_only(),
           py::arg("batch_size") = 64, py::arg("min_replay") = 50'000, py::arg("learn_period") = 2,
           py::arg("target_period") = 1000, py::arg("reward_scale") = 1.0)
      .def(
          "run",
          [](QLearner& self, std::uint64_t num_decisions) {
            without_gil([&](CancelToken& cancel) { self.run(num_decisions, cancel); });
          },
          py::arg("num_decisions"), "Go on until so many decisions were made in all; Ctrl-C stops between rounds.")
      .def_property("num_target_copies", &QLearner::num_target_copies, &QLearner::set_num_target_copies)
      .def_property_readonly("learning_seconds", &QLearner::learning_seconds)
      .def("take_mean_loss", &QLearner::take_mean_loss);
}

}  // namespace coffee_fast::bindings
