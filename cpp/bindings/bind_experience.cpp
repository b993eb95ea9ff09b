#include <string>

#include "any_dynamics.hpp"
#include "experience_options.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

py::dict decisions_to_dict(Decisions decisions, const AnyDynamics& dynamics) {
  const auto n = static_cast<py::ssize_t>(decisions.size());
  const auto I = static_cast<py::ssize_t>(dynamics.information_state_size());
  const auto A = static_cast<py::ssize_t>(dynamics.num_actions());
  py::dict result;
  result["information_states"] = to_array(std::move(decisions.information_states), {n, I});
  result["legal_masks"] = to_array(std::move(decisions.legal_masks), {n, A});
  result["actions"] = to_array(std::move(decisions.actions));
  result["rewards"] = to_array(std::move(decisions.rewards));
  result["is_last"] = to_array(std::move(decisions.is_last));
  result["episodes"] = to_array(std::move(decisions.episodes));
  return result;
}

py::dict experience_of(AnyDynamics dynamics, const std::vector<Policy>& learners, const LearningSeats& learning_seats,
                       const Mixtures& opponents, std::uint64_t first, std::size_t count, std::uint64_t seed,
                       std::size_t num_parallel_episodes, double uncertainty_penalty, double coverage_weight,
                       int num_threads) {
  const ExperienceOptions options =
      experience_options(seed, learning_seats, opponents, uncertainty_penalty, coverage_weight);
  Experience experience = without_gil([&](CancelToken& cancel) {
    return collect_experience(dynamics, options, learners, first, count, num_parallel_episodes, num_threads, cancel);
  });
  py::list of_network;
  for (Decisions& decisions : experience.of_network)
    of_network.append(decisions_to_dict(std::move(decisions), dynamics));
  py::dict result;
  result["of_network"] = of_network;
  const std::vector<py::ssize_t> by_player = {static_cast<py::ssize_t>(count),
                                              static_cast<py::ssize_t>(dynamics.num_players())};
  result["returns"] = to_array(std::move(experience.returns), by_player);
  result["strategies"] = to_array(std::move(experience.strategies), by_player);
  result["disagreement"] = to_array(std::move(experience.disagreement));
  result["is_coverage"] = to_array(std::move(experience.is_coverage));
  return result;
}

}  // namespace

void bind_experience(py::module_& module) {
  module.def(
      "collect_experience", &experience_of, py::arg("dynamics"), py::arg("learners"), py::arg("learning_seats"),
      py::arg("opponents"), py::arg("first"), py::arg("count"), py::kw_only(), py::arg("seed"),
      py::arg("num_parallel_episodes") = 256, py::arg("uncertainty_penalty") = 0.0, py::arg("coverage_weight") = 0.0,
      py::arg("num_threads") = 1,
      "Episodes number first to first + count as PolicyLearner plays them: of_network, a dict of arrays a "
      "network, a row a decision; returns f64 and strategies i32 [count, N], disagreement f64 and is_coverage u8 "
      "[count].");
}

}  // namespace coffee_fast::bindings
