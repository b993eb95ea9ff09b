#include "pybind.hpp"

#include "coffee_fast/dynamics_ensemble.hpp"

namespace coffee_fast::bindings {
namespace {

using Ensemble = DynamicsEnsemble;
using SharedMlp = std::shared_ptr<Mlp>;

template <class T>
std::vector<T> as_vector(const Array<T>& array) {
  return {array.data(), array.data() + array.size()};
}

Ensemble::Disagreement as_disagreement(const std::string& name) {
  if (name == "max_deviation") return Ensemble::Disagreement::max_deviation;
  if (name == "range_mean") return Ensemble::Disagreement::range_mean;
  check(name == "range_max", "disagreement must be max_deviation, range_mean or range_max, got ", name);
  return Ensemble::Disagreement::range_max;
}

Ensemble::HistorySource as_history_source(const std::string& name) {
  if (name == "observations") return Ensemble::HistorySource::observations;
  check(name == "actions", "history_source must be observations or actions, got ", name);
  return Ensemble::HistorySource::actions;
}

}  // namespace

void bind_dynamics_ensemble(py::module_& module) {
  py::class_<Ensemble, std::shared_ptr<Ensemble>>(module, "DynamicsEnsemble")
      .def(py::init([](std::size_t num_players, std::size_t history_start, std::size_t max_episode_length,
                       float terminal_state_value, float terminal_threshold, double reward_scale,
                       const std::string& disagreement, const std::string& history_source,
                       const std::vector<SharedMlp>& delta, const std::vector<SharedMlp>& reward,
                       const SharedMlp& shared, const Array<float>& state_mean, const Array<float>& state_scale,
                       const Array<float>& action_mean, const Array<float>& action_scale,
                       const Array<float>& observation_mean, const Array<float>& observation_scale,
                       const Array<float>& action_vectors, const Array<float>& initial_states,
                       const Array<float>& initial_observations, const Array<std::uint8_t>& initial_legal_masks,
                       const Array<std::int32_t>& initial_players) {
             check(num_players >= 1, "DynamicsEnsemble: num_players must be at least 1, got 0");
             Ensemble::Options options;
             options.num_players = num_players;
             options.num_actions = as_matrix(action_vectors, "action_vectors").rows;
             options.state_size = static_cast<std::size_t>(state_mean.size());
             options.observation_size = static_cast<std::size_t>(observation_mean.size()) / num_players;
             options.history_start = history_start;
             options.max_episode_length = max_episode_length;
             options.terminal_state_value = terminal_state_value;
             options.terminal_threshold = terminal_threshold;
             options.reward_scale = reward_scale;
             options.disagreement = as_disagreement(disagreement);
             options.history_source = as_history_source(history_source);
             return std::make_shared<Ensemble>(
                 options,
                 Ensemble::Networks{{delta.begin(), delta.end()}, {reward.begin(), reward.end()}, shared},
                 Ensemble::Normalizer{as_vector(state_mean), as_vector(state_scale)},
                 Ensemble::Normalizer{as_vector(action_mean), as_vector(action_scale)},
                 Ensemble::Normalizer{as_vector(observation_mean), as_vector(observation_scale)},
                 as_vector(action_vectors),
                 Ensemble::InitialStates{as_vector(initial_states), as_vector(initial_observations),
                                         as_vector(initial_legal_masks), as_vector(initial_players)});
           }),
           py::kw_only(), py::arg("num_players"), py::arg("history_start"), py::arg("max_episode_length"),
           py::arg("terminal_state_value"), py::arg("terminal_threshold"), py::arg("reward_scale"),
           py::arg("disagreement"), py::arg("history_source"), py::arg("delta"), py::arg("reward"), py::arg("shared"),
           py::arg("state_mean").noconvert(), py::arg("state_scale").noconvert(), py::arg("action_mean").noconvert(),
           py::arg("action_scale").noconvert(), py::arg("observation_mean").noconvert(),
           py::arg("observation_scale").noconvert(), py::arg("action_vectors").noconvert(),
           py::arg("initial_states").noconvert(), py::arg("initial_observations").noconvert(),
           py::arg("initial_legal_masks").noconvert(), py::arg("initial_players").noconvert())
      .def_property_readonly("num_players", &Ensemble::num_players)
      .def_property_readonly("num_actions", &Ensemble::num_actions)
      .def_property_readonly("num_members", &Ensemble::num_members)
      .def_property_readonly("state_size", &Ensemble::state_size)
      .def_property_readonly("observation_size", &Ensemble::observation_size)
      .def_property_readonly("information_state_size", &Ensemble::information_state_size)
      .def_property_readonly("max_episode_length", &Ensemble::max_episode_length)
      .def(
          "rewards",
          [](const Ensemble& ensemble, const Array<float>& states, const Array<std::int32_t>& actions) {
            const MatrixView<const float> rows = as_matrix(states, "states");
            const std::size_t L = rows.rows, N = ensemble.num_players(), E = ensemble.num_members();
            std::vector<double> rewards(L * N * E), disagreement(L);
            {
              py::gil_scoped_release release;
              ensemble.rewards(rows, as_span(actions), {rewards.data(), L, N * E}, disagreement);
            }
            const auto l = static_cast<py::ssize_t>(L);
            return py::make_tuple(
                to_array(std::move(rewards), {l, static_cast<py::ssize_t>(N), static_cast<py::ssize_t>(E)}),
                to_array(std::move(disagreement), {l}));
          },
          py::arg("states").noconvert(), py::arg("actions").noconvert());
}

}  // namespace coffee_fast::bindings
