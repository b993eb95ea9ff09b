#include "any_dynamics.hpp"
#include "coffee_fast/rollout.hpp"

namespace coffee_fast::bindings {
namespace {

using Mixtures = std::vector<std::pair<std::vector<Policy>, std::vector<double>>>;

py::dict as_dict(Trajectories&& steps, std::size_t num_players, std::size_t num_actions) {
  const auto T = static_cast<py::ssize_t>(steps.actions.size()), N = static_cast<py::ssize_t>(num_players);
  const auto B = static_cast<py::ssize_t>(steps.offsets.size());
  const auto width = [T](const auto& values) { return T == 0 ? 0 : static_cast<py::ssize_t>(values.size()) / T; };
  const std::size_t num_bytes = (num_actions + 7) / 8;
  std::vector<std::uint8_t> packed(steps.actions.size() * num_bytes, 0);
  for (std::size_t t = 0; t < steps.actions.size(); ++t)
    for (std::size_t action = 0; action < num_actions; ++action)
      packed[t * num_bytes + action / 8] |=
          static_cast<std::uint8_t>(steps.legal_masks[t * num_actions + action] << (action % 8));
  const py::ssize_t D = width(steps.states), O = width(steps.observations) / N;
  py::dict arrays;
  arrays["trajectory_offsets"] = to_array(std::move(steps.offsets), {B});
  arrays["state"] = to_array(std::move(steps.states), {T, D});
  arrays["observation"] = to_array(std::move(steps.observations), {T, N, O});
  arrays["action"] = to_array(std::move(steps.actions), {T});
  arrays["acting_player"] = to_array(std::move(steps.players), {T});
  arrays["legal_mask"] = to_array(std::move(packed), {T, static_cast<py::ssize_t>(num_bytes)});
  arrays["reward"] = to_array(std::move(steps.rewards), {T, N});
  arrays["next_state"] = to_array(std::move(steps.next_states), {T, D});
  arrays["terminal"] = to_array(std::move(steps.terminal), {T});
  return arrays;
}

py::dict roll(const AnyDynamics& dynamics, const Mixtures& players, std::size_t num_episodes, std::uint64_t seed,
              std::uint64_t profile, std::uint64_t first_rollout, int num_threads, std::size_t chunk_size,
              bool record) {
  check(num_episodes > 0, "rollout: num_episodes must be at least 1, got 0");
  std::vector<PolicyMixture> mixtures;
  for (const auto& [policies, probabilities] : players) mixtures.push_back({policies, probabilities});
  const std::size_t N = dynamics.num_players(), E = dynamics.num_members();
  std::vector<double> returns(num_episodes * N * E), disagreement(num_episodes);
  std::vector<std::int32_t> lengths(num_episodes), strategies(num_episodes * N);
  Trajectories trajectories;
  without_gil([&](CancelToken& cancel) {
    rollout(dynamics, mixtures, {seed, profile, first_rollout, num_threads, chunk_size},
            {{returns.data(), num_episodes, N * E}, lengths, disagreement, {strategies.data(), num_episodes, N}},
            cancel, record ? &trajectories : nullptr);
  });
  const auto B = static_cast<py::ssize_t>(num_episodes);
  py::dict result;
  result["returns"] = to_array(std::move(returns), {B, static_cast<py::ssize_t>(N), static_cast<py::ssize_t>(E)});
  result["lengths"] = to_array(std::move(lengths), {B});
  result["disagreement"] = to_array(std::move(disagreement), {B});
  result["strategies"] = to_array(std::move(strategies), {B, static_cast<py::ssize_t>(N)});
  if (record) result["trajectories"] = as_dict(std::move(trajectories), N, dynamics.num_actions());
  return result;
}

}  // namespace

void bind_rollout(py::module_& module) {
  module.def("rollout", &roll, py::arg("dynamics"), py::arg("players"), py::arg("num_episodes"), py::arg("seed"),
             py::arg("profile") = 0, py::arg("first_rollout") = 0, py::arg("num_threads") = 1,
             py::arg("chunk_size") = 256, py::arg("record") = false);
}

}  // namespace coffee_fast::bindings
