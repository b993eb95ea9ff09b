#include "any_dynamics.hpp"
#include "coffee_fast/dynamics_ensemble.hpp"
#include "pybind.hpp"

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

Array<float> next_states(const Ensemble& ensemble, const Array<float>& states, const Array<std::int32_t>& actions) {
  const MatrixView<const float> rows = as_matrix(states, "next_states: states");
  std::vector<float> next(rows.rows * ensemble.state_size());
  const auto L = static_cast<py::ssize_t>(rows.rows), D = static_cast<py::ssize_t>(ensemble.state_size());
  {
    py::gil_scoped_release release;
    ensemble.next_states(rows, as_span(actions), {next.data(), rows.rows, ensemble.state_size()});
  }
  return to_array(std::move(next), {L, D});
}

py::tuple rewards(const Ensemble& ensemble, const Array<float>& states, const Array<std::int32_t>& actions) {
  const MatrixView<const float> rows = as_matrix(states, "rewards: states");
  const std::size_t count = rows.rows, width = ensemble.num_players() * ensemble.num_members();
  std::vector<double> member_rewards(count * width), disagreement(count);
  {
    py::gil_scoped_release release;
    ensemble.rewards(rows, as_span(actions), {member_rewards.data(), count, width}, disagreement);
  }
  const auto L = static_cast<py::ssize_t>(count), N = static_cast<py::ssize_t>(ensemble.num_players());
  return py::make_tuple(to_array(std::move(member_rewards), {L, N, static_cast<py::ssize_t>(ensemble.num_members())}),
                        to_array(std::move(disagreement), {L}));
}

py::tuple observe(const Ensemble& ensemble, const Array<float>& states) {
  const MatrixView<const float> rows = as_matrix(states, "observe: states");
  const std::size_t count = rows.rows, A = ensemble.num_actions(), O = ensemble.observation_size();
  const std::size_t width = ensemble.num_players() * O;
  std::vector<float> observations(count * width);
  std::vector<std::uint8_t> masks(count * A);
  {
    py::gil_scoped_release release;
    ensemble.observe(rows, {observations.data(), count, width}, {masks.data(), count, A});
  }
  const auto L = static_cast<py::ssize_t>(count), N = static_cast<py::ssize_t>(ensemble.num_players());
  return py::make_tuple(to_array(std::move(observations), {L, N, static_cast<py::ssize_t>(O)}),
                        to_array(std::move(masks), {L, static_cast<py::ssize_t>(A)}));
}

}  // namespace

void bind_dynamics_ensemble(py::module_& module) {
  plays_as_any_dynamics<Ensemble>();
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
                 options, Ensemble::Networks{{delta.begin(), delta.end()}, {reward.begin(), reward.end()}, shared},
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
      .def("next_states", &next_states, py::arg("states").noconvert(), py::arg("actions").noconvert(),
           "The mean next states f32 [L, D] of any states f32 [L, D] and actions i32 [L].")
      .def("rewards", &rewards, py::arg("states").noconvert(), py::arg("actions").noconvert(),
           "The members' rewards f64 [L, N, E] there and their disagreement f64 [L], whether or not an episode ends.")
      .def("observe", &observe, py::arg("states").noconvert(),
           "Observations f32 [L, N, O] and legal masks u8 [L, A] at any states f32 [L, D].");
}

}  // namespace coffee_fast::bindings
