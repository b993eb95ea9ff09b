#include <map>
#include <optional>
#include <set>
#include <tuple>

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

template <class T>
std::vector<T> as_vector(const std::optional<Array<T>>& array) {
  return array ? as_vector(*array) : std::vector<T>{};
}

/// Sources i32 [M, K], values f32 and their offsets i32 [K + 1], least and most f32 [K] or empty.
using EntryArrays = std::tuple<Array<std::int32_t>, Array<float>, Array<std::int32_t>, Array<float>, Array<float>>;

EntryKinds as_entry_kinds(const std::optional<EntryArrays>& arrays) {
  if (!arrays) return {};
  const auto& [sources, values, offsets, least, most] = *arrays;
  return {as_vector(sources), as_vector(values), as_vector(offsets), as_vector(least), as_vector(most)};
}

void set_flags(Ensemble::Options& options, const std::set<std::string>& names) {
  const std::map<std::string, bool*> flags{{"end_is_certain", &options.end_is_certain},
                                           {"mover_is_certain", &options.mover_is_certain},
                                           {"pay_is_certain", &options.pay_is_certain},
                                           {"mask_sees_state", &options.mask_sees_state},
                                           {"view_sees_move", &options.view_sees_move},
                                           {"view_sees_state", &options.view_sees_state},
                                           {"outcome_disagreement", &options.outcome_disagreement},
                                           {"member_per_episode", &options.member_per_episode}};
  for (const std::string& name : names) {
    check(flags.contains(name), "DynamicsEnsemble: there is no flag ", name);
    *flags.at(name) = true;
  }
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

using Players = std::optional<Array<std::int32_t>>;

std::span<const std::int32_t> as_players(const Players& players) {
  return players ? as_span(*players) : std::span<const std::int32_t>{};
}

Array<float> next_states(const Ensemble& ensemble, const Array<float>& states, const Array<std::int32_t>& actions,
                         const Players& players, const Players& next_players) {
  const MatrixView<const float> rows = as_matrix(states, "next_states: states");
  std::vector<float> next(rows.rows * ensemble.state_size());
  const auto L = static_cast<py::ssize_t>(rows.rows), D = static_cast<py::ssize_t>(ensemble.state_size());
  {
    py::gil_scoped_release release;
    ensemble.next_states(rows, as_span(actions), as_players(players), as_players(next_players),
                         {next.data(), rows.rows, ensemble.state_size()});
  }
  return to_array(std::move(next), {L, D});
}

py::tuple rewards(const Ensemble& ensemble, const Array<float>& states, const Array<std::int32_t>& actions,
                  const Players& players) {
  const MatrixView<const float> rows = as_matrix(states, "rewards: states");
  const std::size_t count = rows.rows, width = ensemble.num_players() * ensemble.num_members();
  std::vector<double> member_rewards(count * width), disagreement(count);
  {
    py::gil_scoped_release release;
    ensemble.rewards(rows, as_span(actions), as_players(players), {member_rewards.data(), count, width}, disagreement);
  }
  const auto L = static_cast<py::ssize_t>(count), N = static_cast<py::ssize_t>(ensemble.num_players());
  return py::make_tuple(to_array(std::move(member_rewards), {L, N, static_cast<py::ssize_t>(ensemble.num_members())}),
                        to_array(std::move(disagreement), {L}));
}

py::tuple observe(const Ensemble& ensemble, const Array<float>& states, const Players& players) {
  const MatrixView<const float> rows = as_matrix(states, "observe: states");
  const std::size_t count = rows.rows, A = ensemble.num_actions(), O = ensemble.observation_size();
  const std::size_t width = ensemble.num_players() * O;
  std::vector<float> observations(count * width);
  std::vector<std::uint8_t> masks(count * A);
  {
    py::gil_scoped_release release;
    ensemble.observe(rows, as_players(players), {observations.data(), count, width}, {masks.data(), count, A});
  }
  const auto L = static_cast<py::ssize_t>(count), N = static_cast<py::ssize_t>(ensemble.num_players());
  return py::make_tuple(to_array(std::move(observations), {L, N, static_cast<py::ssize_t>(O)}),
                        to_array(std::move(masks), {L, static_cast<py::ssize_t>(A)}));
}

Array<std::uint8_t> legal_masks(const Ensemble& ensemble, const Array<float>& states, const Array<float>& observations,
                                const Players& players) {
  const MatrixView<const float> rows = as_matrix(states, "legal_masks: states");
  const MatrixView<const float> seen = as_matrix(observations, "legal_masks: observations");
  const std::size_t A = ensemble.num_actions();
  std::vector<std::uint8_t> masks(rows.rows * A);
  {
    py::gil_scoped_release release;
    ensemble.legal_masks_at(rows, seen, as_players(players), {masks.data(), rows.rows, A});
  }
  return to_array(std::move(masks), {static_cast<py::ssize_t>(rows.rows), static_cast<py::ssize_t>(A)});
}

py::dict follow(const Ensemble& ensemble, const Array<std::int64_t>& offsets, const Array<float>& states,
                const Array<float>& observations, const Array<std::uint8_t>& legal_masks,
                const Array<std::int32_t>& players, const Array<std::int32_t>& actions) {
  const Ensemble::Moves moves{as_span(offsets),
                              as_matrix(states, "follow: states"),
                              as_matrix(observations, "follow: observations"),
                              as_matrix(legal_masks, "follow: legal_masks"),
                              as_span(players),
                              as_span(actions)};
  const std::size_t T = moves.actions.size(), N = ensemble.num_players(), E = ensemble.num_members();
  const std::size_t D = ensemble.state_size(), O = ensemble.observation_size(), A = ensemble.num_actions();
  const std::size_t I = ensemble.information_state_size();
  std::vector<float> next(T * D), seen(T * N * O), known(T * I);
  std::vector<std::uint8_t> masks(T * A);
  std::vector<double> rewards(T * N * E), disagreement(T), ends(T);
  {
    py::gil_scoped_release release;
    ensemble.follow(moves, {{next.data(), T, D},
                            {seen.data(), T, N * O},
                            {known.data(), T, I},
                            {masks.data(), T, A},
                            {rewards.data(), T, N * E},
                            disagreement,
                            ends});
  }
  const auto size = [](std::size_t number) { return static_cast<py::ssize_t>(number); };
  py::dict followed;
  followed["states"] = to_array(std::move(next), {size(T), size(D)});
  followed["observations"] = to_array(std::move(seen), {size(T), size(N), size(O)});
  followed["information_states"] = to_array(std::move(known), {size(T), size(I)});
  followed["legal_masks"] = to_array(std::move(masks), {size(T), size(A)});
  followed["member_rewards"] = to_array(std::move(rewards), {size(T), size(N), size(E)});
  followed["disagreement"] = to_array(std::move(disagreement), {size(T)});
  followed["ends"] = to_array(std::move(ends), {size(T)});
  return followed;
}

py::tuple outcomes(const Ensemble& ensemble, const Array<float>& states, const Array<std::int32_t>& actions,
                   const Array<std::int32_t>& players) {
  const MatrixView<const float> rows = as_matrix(states, "outcomes: states");
  const std::size_t count = rows.rows, width = ensemble.num_movers();
  std::vector<double> ends(count), movers(count * width);
  {
    py::gil_scoped_release release;
    ensemble.outcomes(rows, as_span(actions), as_span(players), ends, {movers.data(), count, width});
  }
  const auto L = static_cast<py::ssize_t>(count);
  return py::make_tuple(to_array(std::move(ends), {L}),
                        to_array(std::move(movers), {L, static_cast<py::ssize_t>(width)}));
}

Array<double> pays(const Ensemble& ensemble, const Array<float>& states, const Array<std::int32_t>& actions,
                   const Array<std::int32_t>& players) {
  const MatrixView<const float> rows = as_matrix(states, "pays: states");
  std::vector<double> probabilities(rows.rows);
  {
    py::gil_scoped_release release;
    ensemble.pays(rows, as_span(actions), as_span(players), probabilities);
  }
  return to_array(std::move(probabilities), {static_cast<py::ssize_t>(rows.rows)});
}

Array<double> chance_probabilities(const Ensemble& ensemble, const Array<float>& states) {
  const MatrixView<const float> rows = as_matrix(states, "chance_probabilities: states");
  const std::size_t count = rows.rows, C = ensemble.num_chance_outcomes();
  std::vector<double> probabilities(count * C);
  {
    py::gil_scoped_release release;
    ensemble.chance_probabilities(rows, {probabilities.data(), count, C});
  }
  return to_array(std::move(probabilities), {static_cast<py::ssize_t>(count), static_cast<py::ssize_t>(C)});
}

}  // namespace

void bind_dynamics_ensemble(py::module_& module) {
  plays_as_any_dynamics<Ensemble>();
  py::class_<Ensemble, std::shared_ptr<Ensemble>>(module, "DynamicsEnsemble")
      .def(py::init(
               [](std::size_t num_players, std::size_t history_start, std::size_t max_episode_length,
                  float terminal_state_value, float terminal_threshold, double reward_scale,
                  const std::string& disagreement, const std::string& history_source,
                  const std::vector<SharedMlp>& delta, const std::vector<SharedMlp>& reward, const SharedMlp& shared,
                  const Array<float>& state_mean, const Array<float>& state_scale, const Array<float>& action_mean,
                  const Array<float>& action_scale, const Array<float>& observation_mean,
                  const Array<float>& observation_scale, const Array<float>& action_vectors,
                  const Array<float>& initial_states, const Array<float>& initial_observations,
                  const Array<std::uint8_t>& initial_legal_masks, const Array<std::int32_t>& initial_players,
                  const std::vector<SharedMlp>& end, const std::vector<SharedMlp>& mover,
                  const std::vector<SharedMlp>& chance, const SharedMlp& pay, const SharedMlp& code,
                  const SharedMlp& mask, const SharedMlp& view, bool is_simultaneous, bool pays_every_step,
                  const std::optional<Array<float>>& chance_inputs, const std::optional<Array<float>>& chance_vectors,
                  const std::set<std::string>& flags, const std::optional<EntryArrays>& state_entries,
                  const std::optional<EntryArrays>& observation_entries,
                  const std::optional<Array<float>>& least_rewards, const std::optional<Array<float>>& most_rewards) {
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
                 options.is_simultaneous = is_simultaneous;
                 options.pays_every_step = pays_every_step;
                 set_flags(options, flags);
                 if (chance_inputs) options.num_chance_outcomes = as_matrix(*chance_inputs, "chance_inputs").rows;
                 return std::make_shared<Ensemble>(
                     options,
                     Ensemble::Networks{{delta.begin(), delta.end()},
                                        {reward.begin(), reward.end()},
                                        shared,
                                        {end.begin(), end.end()},
                                        {mover.begin(), mover.end()},
                                        {chance.begin(), chance.end()},
                                        pay,
                                        code,
                                        mask,
                                        view},
                     Ensemble::Normalizer{as_vector(state_mean), as_vector(state_scale)},
                     Ensemble::Normalizer{as_vector(action_mean), as_vector(action_scale)},
                     Ensemble::Normalizer{as_vector(observation_mean), as_vector(observation_scale)},
                     as_vector(action_vectors),
                     Ensemble::InitialStates{as_vector(initial_states), as_vector(initial_observations),
                                             as_vector(initial_legal_masks), as_vector(initial_players)},
                     as_vector(chance_inputs),
                     Ensemble::Knowledge{as_entry_kinds(state_entries), as_entry_kinds(observation_entries),
                                         as_vector(chance_vectors), as_vector(least_rewards), as_vector(most_rewards)});
               }),
           py::kw_only(), py::arg("num_players"), py::arg("history_start"), py::arg("max_episode_length"),
           py::arg("terminal_state_value"), py::arg("terminal_threshold"), py::arg("reward_scale"),
           py::arg("disagreement"), py::arg("history_source"), py::arg("delta"), py::arg("reward"), py::arg("shared"),
           py::arg("state_mean").noconvert(), py::arg("state_scale").noconvert(), py::arg("action_mean").noconvert(),
           py::arg("action_scale").noconvert(), py::arg("observation_mean").noconvert(),
           py::arg("observation_scale").noconvert(), py::arg("action_vectors").noconvert(),
           py::arg("initial_states").noconvert(), py::arg("initial_observations").noconvert(),
           py::arg("initial_legal_masks").noconvert(), py::arg("initial_players").noconvert(),
           py::arg("end") = std::vector<SharedMlp>{}, py::arg("mover") = std::vector<SharedMlp>{},
           py::arg("chance") = std::vector<SharedMlp>{}, py::arg("pay") = nullptr, py::arg("code") = nullptr,
           py::arg("mask") = nullptr, py::arg("view") = nullptr, py::arg("is_simultaneous") = false,
           py::arg("pays_every_step") = false, py::arg("chance_inputs").noconvert() = py::none(),
           py::arg("chance_vectors").noconvert() = py::none(), py::arg("flags") = std::set<std::string>{},
           py::arg("state_entries") = py::none(), py::arg("observation_entries") = py::none(),
           py::arg("least_rewards").noconvert() = py::none(), py::arg("most_rewards").noconvert() = py::none())
      .def_property_readonly("num_players", &Ensemble::num_players)
      .def_property_readonly("num_actions", &Ensemble::num_actions)
      .def_property_readonly("num_members", &Ensemble::num_members)
      .def_property_readonly("state_size", &Ensemble::state_size)
      .def_property_readonly("observation_size", &Ensemble::observation_size)
      .def_property_readonly("information_state_size", &Ensemble::information_state_size)
      .def_property_readonly("max_episode_length", &Ensemble::max_episode_length)
      .def_property_readonly("draws_ends", &Ensemble::draws_ends)
      .def(
          "next_states", &next_states, py::arg("states").noconvert(), py::arg("actions").noconvert(),
          py::arg("players").noconvert() = py::none(), py::arg("next_players").noconvert() = py::none(),
          "The mean next states f32 [L, D] of any states f32 [L, D] and actions i32 [L]. Where ends are drawn, players "
          "i32 [L] say who acts (-1: chance); next_players i32 [L] are the most likely ones if not given.")
      .def("rewards", &rewards, py::arg("states").noconvert(), py::arg("actions").noconvert(),
           py::arg("players").noconvert() = py::none(),
           "The members' rewards f64 [L, N, E] there and their disagreement f64 [L], whether or not an episode ends.")
      .def("observe", &observe, py::arg("states").noconvert(), py::arg("players").noconvert() = py::none(),
           "Observations f32 [L, N, O] and legal masks u8 [L, A] at any states f32 [L, D], by the shared network.")
      .def("legal_masks", &legal_masks, py::arg("states").noconvert(), py::arg("observations").noconvert(),
           py::arg("players").noconvert() = py::none(),
           "Legal masks u8 [L, A] at states f32 [L, D] and observations f32 [L, N * O].")
      .def("follow", &follow, py::arg("offsets").noconvert(), py::arg("states").noconvert(),
           py::arg("observations").noconvert(), py::arg("legal_masks").noconvert(), py::arg("players").noconvert(),
           py::arg("actions").noconvert(),
           "Follows M episodes of T given moves, offsets i64 [M + 1], from first states f32 [M, D], observations f32 "
           "[M, N * O] and legal masks u8 [M, A]; players and actions are i32 [T]. Gives what the model says before "
           "each move (states, observations, information_states, legal_masks) and of each as if it ended the episode "
           "(member_rewards f64 [T, N, E], disagreement, ends f64 [T]).")
      .def("outcomes", &outcomes, py::arg("states").noconvert(), py::arg("actions").noconvert(),
           py::arg("players").noconvert(),
           "Where ends are drawn: probabilities that an episode ends f64 [L], and of who moves next if it does not, "
           "f64 [L, N], or [L, N + 1] with chance last.")
      .def("pays", &pays, py::arg("states").noconvert(), py::arg("actions").noconvert(), py::arg("players").noconvert(),
           "Where ends are drawn: probabilities f64 [L] that anything is paid.")
      .def("chance_probabilities", &chance_probabilities, py::arg("states").noconvert(),
           "Probabilities of the outcomes of chance f64 [L, C] at any states f32 [L, D].");
}

}  // namespace coffee_fast::bindings
