#include "coffee_fast/action_risk.hpp"
#include "coffee_fast/risk_averse.hpp"
#include "coffee_fast/risk_averse_solver.hpp"
#include "stage_games.hpp"

namespace coffee_fast::bindings {
namespace {

/// Games of risk-averse players, in units of the temperature.
struct RiskAverseGames {
  RiskAverseGames(const std::vector<Doubles>& payoffs, const Doubles& risk_aversion, const std::vector<Doubles>& legal,
                  int divergence, int regularizer)
      : games(payoffs),
        risk_aversion_(as_matrix(risk_aversion, "risk_aversion")),
        legal_(legal),
        divergence_(static_cast<Divergence>(divergence)),
        regularizer_(static_cast<Regularizer>(regularizer)) {
    check_figures(risk_aversion, "risk_aversion");
    games.check_profile(legal, "legal");
    check(divergence == 0 || divergence == 1, "divergence must be 0 or 1, got ", divergence);
    check(regularizer == 0 || regularizer == 1, "regularizer must be 0 or 1, got ", regularizer);
  }

  void check_figures(const Doubles& figures, const char* name) const {
    check(figures.ndim() == 2 && extent(figures, 0) == games.count() && extent(figures, 1) == games.num_mixtures(),
          name, " must have shape [", games.count(), ", ", games.num_mixtures(), "]");
  }

  RiskAverseGame game(std::size_t g) const {
    return {games.game(g), risk_aversion_.row(g), gather(legal_, g), divergence_, regularizer_};
  }

  /// One array [G, B] a mixture, from each game's adversaries.
  py::list split_adversaries(const std::vector<std::vector<std::vector<double>>>& found) const {
    const std::vector<py::ssize_t> sizes = games.profile_shape();
    py::ssize_t num_profiles = 1;
    for (const py::ssize_t size : sizes) num_profiles *= size;
    py::list arrays;
    for (std::size_t i = 0; i < games.num_mixtures(); ++i)
      arrays.append(stack_rows(collect(found, [i](const auto& adversaries) { return adversaries[i]; }),
                               {num_profiles / sizes[i]}));
    return arrays;
  }

  const StageGames games;

 private:
  MatrixView<const double> risk_aversion_;
  const std::vector<Doubles>& legal_;
  Divergence divergence_;
  Regularizer regularizer_;
};

py::dict solve_risk_averse_games(const std::vector<Doubles>& payoffs, const Doubles& risk_aversion,
                                 const std::vector<Doubles>& legal, const Doubles& allowed, int divergence,
                                 int regularizer, const std::optional<std::vector<Doubles>>& initial,
                                 std::size_t max_iterations, int num_threads) {
  const RiskAverseGames risky(payoffs, risk_aversion, legal, divergence, regularizer);
  const StageGames& games = risky.games;
  risky.check_figures(allowed, "allowed");
  if (initial) games.check_profile(*initial, "initial");
  const MatrixView<const double> allowed_rows = as_matrix(allowed, "allowed");
  using Found = RiskAverseEquilibrium;
  const auto found = solve_all<Found>(games.count(), num_threads, [&](std::size_t g, CancelToken& cancel) {
    const std::vector<double> start = initial ? gather(*initial, g) : std::vector<double>();
    return solve_risk_averse(risky.game(g), allowed_rows.row(g), start, max_iterations, cancel);
  });
  py::dict result;
  result["mixtures"] = games.split(collect(found, [](const Found& f) { return f.mixtures; }));
  result["adversaries"] = risky.split_adversaries(collect(found, [](const Found& f) { return f.adversaries; }));
  result["gap"] = games.figures(collect(found, [](const Found& f) { return f.gap; }));
  result["residual"] = games.figures(collect(found, [](const Found& f) { return f.residual; }));
  result["value"] = games.figures(collect(found, [](const Found& f) { return f.value; }));
  result["converged"] = to_bools(collect(found, [](const Found& f) -> std::uint8_t { return f.has_converged; }));
  result["num_iterations"] =
      to_array(collect(found, [](const Found& f) { return static_cast<std::int64_t>(f.num_iterations); }));
  return result;
}

/// What a profile is in its games.
struct Figures {
  std::vector<std::vector<double>> adversaries;
  std::vector<double> responses, gap, saddle_gap, value;
};

py::dict figures_of_games(const std::vector<Doubles>& payoffs, const Doubles& risk_aversion,
                          const std::vector<Doubles>& legal, const std::vector<Doubles>& mixtures, int divergence,
                          int regularizer) {
  const RiskAverseGames risky(payoffs, risk_aversion, legal, divergence, regularizer);
  const StageGames& games = risky.games;
  games.check_profile(mixtures, "mixtures");
  const auto found = solve_all<Figures>(games.count(), 1, [&](std::size_t g, CancelToken&) {
    const RiskAverseGame game = risky.game(g);
    const std::vector<double> profile = gather(mixtures, g);
    Figures at{{}, game.responses(profile), game.gap(profile), {}, game.value(profile)};
    std::vector<std::vector<double>> others;
    for (std::size_t i = 0; i < game.num_mixtures(); ++i) {
      at.adversaries.push_back(game.adversary(i, profile).p);
      others.push_back(game.log_others(i, profile));
    }
    at.saddle_gap = game.saddle_gap(profile, others);
    return at;
  });
  py::dict result;
  result["adversaries"] = risky.split_adversaries(collect(found, [](const Figures& f) { return f.adversaries; }));
  result["responses"] = games.split(collect(found, [](const Figures& f) { return f.responses; }));
  result["gap"] = games.figures(collect(found, [](const Figures& f) { return f.gap; }));
  result["saddle_gap"] = games.figures(collect(found, [](const Figures& f) { return f.saddle_gap; }));
  result["value"] = games.figures(collect(found, [](const Figures& f) { return f.value; }));
  return result;
}

py::dict solve_action_risk_games(const std::vector<Doubles>& payoffs, const Doubles& temperature,
                                 const Doubles& risk_aversion, double damping, double tolerance,
                                 std::size_t max_iterations, int num_threads) {
  const StageGames games(payoffs);
  const auto check_players = [&](const Doubles& values, const char* name) {
    check(values.ndim() == 1 && extent(values, 0) == games.num_mixtures(), name, " must have shape [",
          games.num_mixtures(), "]");
  };
  check_players(temperature, "temperature");
  check_players(risk_aversion, "risk_aversion");
  const ActionRiskOptions options{damping, tolerance, max_iterations};
  using Found = ActionRiskEquilibrium;
  const auto found = solve_all<Found>(games.count(), num_threads, [&](std::size_t g, CancelToken& cancel) {
    return solve_action_risk(games.game(g), as_span(temperature), as_span(risk_aversion), options, cancel);
  });
  py::dict result;
  result["mixtures"] = games.split(collect(found, [](const Found& f) { return f.mixtures; }));
  result["gap"] = games.figures(collect(found, [](const Found& f) { return f.gap; }));
  result["residual"] = games.figures(collect(found, [](const Found& f) { return f.residual; }));
  result["value"] = games.figures(collect(found, [](const Found& f) { return f.value; }));
  result["converged"] = to_bools(collect(found, [](const Found& f) -> std::uint8_t { return f.has_converged; }));
  result["num_iterations"] =
      to_array(collect(found, [](const Found& f) { return static_cast<std::int64_t>(f.num_iterations); }));
  return result;
}

}  // namespace

void bind_risk_averse(py::module_& module) {
  module.def("solve_risk_averse", &solve_risk_averse_games, py::arg("payoffs"), py::arg("risk_aversion").noconvert(),
             py::arg("legal"), py::arg("allowed").noconvert(), py::kw_only(), py::arg("divergence"),
             py::arg("regularizer"), py::arg("initial") = py::none(), py::arg("max_iterations") = 2000,
             py::arg("num_threads") = 1,
             "Risk-averse quantal equilibria of games side by side; see coffee_fast._reference.risk_averse_solver.");
  module.def("risk_averse_figures", &figures_of_games, py::arg("payoffs"), py::arg("risk_aversion").noconvert(),
             py::arg("legal"), py::arg("mixtures"), py::kw_only(), py::arg("divergence"), py::arg("regularizer"),
             "Of profiles: worst adversaries, responses to them, gaps (also against unmoved others) and values.");
  module.def("solve_action_risk", &solve_action_risk_games, py::arg("payoffs"), py::arg("temperature").noconvert(),
             py::arg("risk_aversion").noconvert(), py::kw_only(), py::arg("damping"), py::arg("tolerance"),
             py::arg("max_iterations"), py::arg("num_threads") = 1,
             "Quantal responses to risk per action, games side by side; see coffee_fast._reference.action_risk.");
}

}  // namespace coffee_fast::bindings
