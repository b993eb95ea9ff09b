#include <memory>
#include <optional>
#include <string>

#include "any_dynamics.hpp"
#include "coffee_fast/generalized_bargaining.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

using Game = GeneralizedBargaining;

/// One episode by hand; it keeps its game alive.
struct State {
  std::shared_ptr<const Game> game;
  Game::Episode episode;

  std::size_t player(std::int32_t player) const {
    check(player == 0 || player == 1, "player must be 0 or 1, got ", player);
    return static_cast<std::size_t>(player);
  }

  void apply_action(std::int64_t action) {
    check(!episode.is_over, "apply_action: the episode is over");
    const std::span<const std::uint8_t> mask = game->legal_mask(episode);
    check(action >= 0 && action < static_cast<std::int64_t>(mask.size()), "apply_action: action must lie in [0, ",
          mask.size(), "), got ", action);
    check(mask[static_cast<std::size_t>(action)] != 0, "apply_action: action ", action, " (", describe(action),
          ") is illegal here: ",
          action == game->accept_action() ? "there is no offer to accept yet" : "it keeps more than the pool holds");
    game->apply(episode, static_cast<std::int32_t>(action));
  }

  std::string describe(std::int64_t action) const {
    check(action >= 0 && action <= game->accept_action(), "action must lie in [0, ", game->num_actions(), "), got ",
          action);
    if (action == game->accept_action()) return "accept";
    const Game::Items& offer = game->offers()[static_cast<std::size_t>(action)];
    return "keep (" + std::to_string(offer[0]) + ", " + std::to_string(offer[1]) + ", " + std::to_string(offer[2]) +
           ")";
  }

  std::vector<std::int32_t> legal_actions() const {
    if (episode.is_over) return {};
    const std::span<const std::int32_t> actions = game->legal_actions(episode);
    return {actions.begin(), actions.end()};
  }

  template <class Fill>
  static Array<float> features(std::size_t size, const Fill& fill) {
    Array<float> values(static_cast<py::ssize_t>(size));
    fill(std::span<float>(values.mutable_data(), size));
    return values;
  }
};

Array<std::int32_t> as_table(std::span<const Game::Items> rows) {
  Array<std::int32_t> table({static_cast<py::ssize_t>(rows.size()), py::ssize_t{3}});
  for (std::size_t row = 0; row < rows.size(); ++row)
    for (std::size_t i = 0; i < 3; ++i) table.mutable_at(row, i) = rows[row][i];
  return table;
}

}  // namespace

void bind_generalized_bargaining(py::module_& module) {
  plays_as_any_dynamics<Game>();
  py::class_<Game, std::shared_ptr<Game>>(module, "GeneralizedBargaining")
      .def(py::init([](double discount, bool only_feasible_offers) {
             return std::make_shared<Game>(
                 Game::Options{discount, only_feasible_offers ? Game::Offers::feasible : Game::Offers::all});
           }),
           py::arg("discount") = 0.99, py::arg("only_feasible_offers") = false)
      .def_property_readonly("num_players", &Game::num_players)
      .def_property_readonly("num_actions", &Game::num_actions)
      .def_property_readonly("num_members", &Game::num_members)
      .def_property_readonly("state_size", &Game::state_size)
      .def_property_readonly("observation_size", &Game::observation_size)
      .def_property_readonly("information_state_size", &Game::information_state_size)
      .def_property_readonly("max_episode_length", &Game::max_episode_length)
      .def_property_readonly("accept_action", &Game::accept_action)
      .def("offers", [](const Game& game) { return as_table(game.offers()); })
      .def_static("pools", [] { return as_table(Game::pools()); })
      .def(
          "new_state",
          [](std::shared_ptr<Game> game, std::uint64_t seed, std::uint64_t rollout, std::optional<Game::Items> pool,
             std::optional<std::array<Game::Valuations, 2>> valuations, std::optional<std::int32_t> first_player) {
            const Game::Episode drawn = game->draw({seed, 0, rollout});
            return State{game, game->make(pool.value_or(drawn.pool()), valuations.value_or(drawn.valuations),
                                          first_player.value_or(drawn.first_player))};
          },
          py::arg("seed"), py::arg("rollout") = 0, py::arg("pool") = py::none(), py::arg("valuations") = py::none(),
          py::arg("first_player") = py::none());

  py::class_<State>(module, "GeneralizedBargainingState")
      .def_property_readonly("pool", [](const State& state) { return state.episode.pool(); })
      .def_property_readonly("valuations", [](const State& state) { return state.episode.valuations; })
      .def_property_readonly("first_player",
                             [](const State& state) { return static_cast<int>(state.episode.first_player); })
      .def("current_player",
           [](const State& state) { return state.episode.is_over ? -4 : state.episode.player_to_act(); })
      .def("is_terminal", [](const State& state) { return state.episode.is_over; })
      .def("legal_actions", &State::legal_actions)
      .def("apply_action", &State::apply_action, py::arg("action"))
      .def("action_to_string", &State::describe, py::arg("action"))
      .def("returns", [](const State& state) { return state.game->returns(state.episode); })
      .def("clone", [](const State& state) { return state; })
      .def(
          "observation",
          [](const State& state, std::int32_t player) {
            return State::features(state.game->observation_size(), [&](std::span<float> out) {
              state.game->observation(state.episode, static_cast<std::int32_t>(state.player(player)), out);
            });
          },
          py::arg("player"))
      .def(
          "information_state",
          [](const State& state, std::int32_t player) {
            return State::features(state.game->information_state_size(), [&](std::span<float> out) {
              state.game->information_state(state.episode, static_cast<std::int32_t>(state.player(player)), out);
            });
          },
          py::arg("player"))
      .def("global_state", [](const State& state) {
        return State::features(state.game->state_size(),
                               [&](std::span<float> out) { state.game->state(state.episode, out); });
      });
}

}  // namespace coffee_fast::bindings
