#include <algorithm>
#include <memory>
#include <optional>

#include "any_dynamics.hpp"
#include "coffee_fast/game_tree.hpp"
#include "coffee_fast/tree_mirror_descent.hpp"

namespace coffee_fast::bindings {
namespace {

std::shared_ptr<GameTree> make_tree(std::size_t num_players, std::size_t num_actions, std::size_t num_chance_outcomes,
                                    std::size_t num_members, std::size_t max_episode_length, float terminal_state_value,
                                    const Array<std::int8_t>& players, const Array<std::int32_t>& num_children,
                                    const Array<std::int32_t>& actions, const Array<double>& probabilities,
                                    const Array<std::int32_t>& payoff_rows, const Array<double>& payoffs,
                                    const Array<std::int32_t>& information_sets,
                                    const Array<std::int32_t>& observation_rows, const Array<float>& observations,
                                    const Array<std::int32_t>& hidden_rows, const Array<float>& hidden,
                                    bool observations_in_state, const std::optional<Array<float>>& information_states) {
  const auto width = [](const auto& array, const char* name) {
    check(array.ndim() == 2, "GameTree: ", name, " must have two axes, got ", array.ndim());
    return static_cast<std::size_t>(array.shape(1));
  };
  const std::size_t num_columns = width(payoffs, "payoffs");
  check(num_columns == num_players * num_members, "GameTree: payoffs must have ", num_players * num_members,
        " columns, one a player and member, got ", num_columns);
  GameTreeArrays arrays{
      .num_players = num_players,
      .num_actions = num_actions,
      .num_chance_outcomes = num_chance_outcomes,
      .num_members = num_members,
      .max_episode_length = max_episode_length,
      .terminal_state_value = terminal_state_value,
      .players = to_vector(players),
      .num_children = to_vector(num_children),
      .actions = to_vector(actions),
      .probabilities = to_vector(probabilities),
      .payoff_rows = to_vector(payoff_rows),
      .payoffs = to_vector(payoffs),
      .information_sets = to_vector(information_sets),
      .observation_rows = to_vector(observation_rows),
      .observations = to_vector(observations),
      .observation_size = width(observations, "observations"),
      .hidden_rows = to_vector(hidden_rows),
      .hidden = to_vector(hidden),
      .hidden_size = width(hidden, "hidden"),
      .observations_in_state = observations_in_state,
      .information_states = {},
  };
  if (information_states) {
    arrays.information_states = to_vector(*information_states);
    arrays.information_state_size = width(*information_states, "information_states");
    check(arrays.information_state_size >= 1, "GameTree: information_states must have a column or more, got 0");
  }
  return without_gil([&](CancelToken&) { return std::make_shared<GameTree>(std::move(arrays)); });
}

template <class Entry>
Array<std::int32_t> of_sets(const GameTree& tree, const Entry& entry) {
  std::vector<std::int32_t> values(tree.num_information_sets());
  for (std::size_t set = 0; set < values.size(); ++set) values[set] = entry(set);
  return to_array(std::move(values));
}

/// What there is of each node [V], the payoffs player-major [V, N * E].
py::dict nodes_of(const GameTree& tree) {
  const std::size_t V = tree.nodes().size(), width = tree.num_players() * tree.num_members();
  std::vector<std::int32_t> players(V), first_children(V), num_children(V), sets(V), actions(V, 0);
  std::vector<double> probabilities(V), payoffs(V * width);
  for (std::size_t v = 0; v < V; ++v) {
    const GameTree::Node& node = tree.nodes()[v];
    players[v] = node.player;
    first_children[v] = node.first_child;
    num_children[v] = node.num_children;
    sets[v] = node.information_set;
    probabilities[v] = tree.probability(v);
    std::ranges::copy(tree.actions_at(node), actions.begin() + node.first_child);
    std::ranges::copy(tree.payoffs(node), payoffs.begin() + static_cast<std::ptrdiff_t>(v * width));
  }
  py::dict result;
  result["players"] = to_array(std::move(players));
  result["first_children"] = to_array(std::move(first_children));
  result["num_children"] = to_array(std::move(num_children));
  result["information_sets"] = to_array(std::move(sets));
  result["actions"] = to_array(std::move(actions));
  result["probabilities"] = to_array(std::move(probabilities));
  result["payoffs"] = to_array(std::move(payoffs), {static_cast<py::ssize_t>(V), static_cast<py::ssize_t>(width)});
  return result;
}

/// The action of each sequence.
Array<std::int32_t> sequence_actions(const GameTree& tree) {
  std::vector<std::int32_t> actions;
  actions.reserve(tree.num_sequences());
  for (const std::int32_t node : tree.first_nodes()) {
    const auto here = tree.actions_at(tree.nodes()[static_cast<std::size_t>(node)]);
    actions.insert(actions.end(), here.begin(), here.end());
  }
  return to_array(std::move(actions));
}

Array<float> information_states(const GameTree& tree) {
  std::vector<float> values;
  values.reserve(tree.num_information_sets() * tree.information_state_size());
  for (std::size_t set = 0; set < tree.num_information_sets(); ++set) {
    const auto row = tree.information_state(set);
    values.insert(values.end(), row.begin(), row.end());
  }
  return to_array(std::move(values), {static_cast<py::ssize_t>(tree.num_information_sets()),
                                      static_cast<py::ssize_t>(tree.information_state_size())});
}

}  // namespace

void bind_game_tree(py::module_& module) {
  plays_as_any_dynamics<GameTree>();
  py::class_<GameTree, std::shared_ptr<GameTree>>(module, "GameTree", "The whole tree of a game in flat arrays.")
      .def(py::init(&make_tree), py::kw_only(), py::arg("num_players"), py::arg("num_actions"),
           py::arg("num_chance_outcomes"), py::arg("num_members") = 1, py::arg("max_episode_length") = 0,
           py::arg("terminal_state_value"), py::arg("players").noconvert(), py::arg("num_children").noconvert(),
           py::arg("actions").noconvert(), py::arg("probabilities").noconvert(), py::arg("payoff_rows").noconvert(),
           py::arg("payoffs").noconvert(), py::arg("information_sets").noconvert(),
           py::arg("observation_rows").noconvert(), py::arg("observations").noconvert(),
           py::arg("hidden_rows").noconvert(), py::arg("hidden").noconvert(), py::arg("observations_in_state") = true,
           py::arg("information_states").noconvert() = py::none())
      .def_property_readonly("num_players", &GameTree::num_players)
      .def_property_readonly("num_actions", &GameTree::num_actions)
      .def_property_readonly("num_members", &GameTree::num_members)
      .def_property_readonly("num_chance_outcomes", &GameTree::num_chance_outcomes)
      .def_property_readonly("state_size", &GameTree::state_size)
      .def_property_readonly("observation_size", &GameTree::observation_size)
      .def_property_readonly("information_state_size", &GameTree::information_state_size)
      .def_property_readonly("max_episode_length", &GameTree::max_episode_length)
      .def_property_readonly("num_nodes", [](const GameTree& tree) { return tree.nodes().size(); })
      .def_property_readonly("num_information_sets", &GameTree::num_information_sets)
      .def_property_readonly("num_sequences", &GameTree::num_sequences)
      .def_property_readonly("forgetful_set", &GameTree::forgetful_set)
      .def("sequence_starts",
           [](const GameTree& tree) {
             const auto starts = tree.sequence_starts();
             return to_array(std::vector<std::int32_t>(starts.begin(), starts.end()));
           })
      .def("nodes", &nodes_of, "What there is of each node, arrays [V] by name, payoffs f64 [V, N * E].")
      .def("sequence_actions", &sequence_actions)
      .def("parent_sequences",
           [](const GameTree& tree) {
             return of_sets(tree, [&](std::size_t set) { return tree.parent_sequences()[set]; });
           })
      .def("information_set_players",
           [](const GameTree& tree) {
             return of_sets(tree, [&](std::size_t set) { return std::int32_t{tree.player_of(set)}; });
           })
      .def("information_states", &information_states)
      .def(
          "profile_values",
          [](const GameTree& tree, const Array<double>& profile) {
            return to_array(
                without_gil([&](CancelToken& cancel) { return profile_values(tree, as_span(profile), cancel); }));
          },
          py::arg("profile").noconvert())
      .def(
          "best_response",
          [](const GameTree& tree, const Array<double>& profile, std::size_t player, std::int32_t member) {
            BestResponse found = without_gil(
                [&](CancelToken& cancel) { return best_response(tree, as_span(profile), player, member, cancel); });
            return std::pair(found.value, to_array(std::move(found.actions)));
          },
          py::arg("profile").noconvert(), py::arg("player"), py::arg("member") = GameTree::none)
      .def(
          "mixture_behavior",
          [](const GameTree& tree, std::size_t player, const Array<double>& policies, const Array<double>& weights) {
            const auto rows = as_matrix(policies, "policies");
            return to_array(
                without_gil([&](CancelToken&) { return mixture_behavior(tree, player, rows, as_span(weights)); }));
          },
          py::arg("player"), py::arg("policies").noconvert(), py::arg("weights").noconvert())
      .def(
          "decision_values",
          [](const GameTree& tree, const Array<double>& log_policy, const Array<double>& log_reference,
             double kl_weight, bool kl_in_rewards) {
            DecisionValues found = without_gil([&](CancelToken& cancel) {
              return decision_values({tree, as_span(log_reference), kl_in_rewards}, as_span(log_policy), kl_weight,
                                     cancel);
            });
            return std::tuple(to_array(std::move(found.action_values)), to_array(std::move(found.gap)),
                              to_array(std::move(found.reach)));
          },
          py::arg("log_policy").noconvert(), py::arg("log_reference").noconvert(), py::arg("kl_weight"),
          py::arg("kl_in_rewards"))
      .def(
          "mirror_descent",
          [](const GameTree& tree, const Array<double>& log_policy, const Array<double>& log_reference,
             const Array<double>& kl_weights, const Array<double>& step_sizes, bool kl_in_rewards, double tolerance,
             const Array<double>& reach_sums) {
            std::vector<double> policy = to_vector(log_policy), sums = to_vector(reach_sums);
            const std::size_t num_steps = without_gil([&](CancelToken& cancel) {
              return tree_mirror_descent({tree, as_span(log_reference), kl_in_rewards}, policy, as_span(kl_weights),
                                         as_span(step_sizes), tolerance, sums, cancel);
            });
            return std::tuple(num_steps, to_array(std::move(policy)), to_array(std::move(sums)));
          },
          py::arg("log_policy").noconvert(), py::arg("log_reference").noconvert(), py::arg("kl_weights").noconvert(),
          py::arg("step_sizes").noconvert(), py::arg("kl_in_rewards"), py::arg("tolerance"),
          py::arg("reach_sums").noconvert());
}

}  // namespace coffee_fast::bindings
