#include "coffee_fast/anchored.hpp"
#include "coffee_fast/anchored_mirror_descent.hpp"
#include "coffee_fast/anchored_solver.hpp"
#include "stage_games.hpp"

namespace coffee_fast::bindings {
namespace {

/// Games, references and weights that fit together.
struct AnchoredGames {
  AnchoredGames(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& reference, const Doubles& kl_weight)
      : games(payoffs), reference_(reference), kl_weight_(as_matrix(kl_weight, "kl_weight")) {
    games.check_profile(reference, "reference");
    games.check_kl_weight(kl_weight);
  }

  std::vector<double> reference(std::size_t g) const { return gather(reference_, g); }
  std::span<const double> kl_weight(std::size_t g) const { return kl_weight_.row(g); }

  const StageGames games;

 private:
  const std::vector<Doubles>& reference_;
  MatrixView<const double> kl_weight_;
};

py::dict solve_anchored_games(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& reference,
                              const Doubles& kl_weight, int method, double tolerance, std::size_t max_iterations,
                              int num_threads) {
  const AnchoredGames anchored(payoffs, reference, kl_weight);
  const StageGames& games = anchored.games;
  check(method >= 0 && method <= 3, "method must lie in [0, 3], got ", method);
  const AnchoredOptions options{static_cast<AnchoredMethod>(method), tolerance, max_iterations};
  using Found = AnchoredEquilibrium;
  const auto found = solve_all<Found>(games.count(), num_threads, [&](std::size_t g, CancelToken& cancel) {
    return solve_anchored(games.game(g), anchored.reference(g), anchored.kl_weight(g), options, cancel);
  });
  py::dict result;
  result["mixtures"] = games.split(collect(found, [](const Found& f) { return f.mixtures; }));
  result["gap"] = games.figures(collect(found, [](const Found& f) { return f.gap; }));
  result["converged"] = to_bools(collect(found, [](const Found& f) -> std::uint8_t { return f.has_converged; }));
  result["num_iterations"] =
      to_array(collect(found, [](const Found& f) { return static_cast<std::int64_t>(f.num_iterations); }));
  result["contraction"] = to_array(collect(found, [](const Found& f) { return f.contraction; }));
  result["zero_sum"] = to_bools(collect(found, [](const Found& f) -> std::uint8_t { return f.is_zero_sum; }));
  result["method"] = to_array(collect(found, [](const Found& f) { return static_cast<std::int64_t>(f.method); }));
  return result;
}

py::dict mirror_descent_of_games(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& reference,
                                 const Doubles& kl_weight, std::size_t num_iterations, double tolerance,
                                 const std::optional<Doubles>& step_size, int num_threads) {
  const AnchoredGames anchored(payoffs, reference, kl_weight);
  const StageGames& games = anchored.games;
  check(num_iterations >= 1, "num_iterations must be at least 1, got 0");
  check(!step_size || (step_size->ndim() == 1 && extent(*step_size, 0) == games.count()),
        "step_size must have one entry a game, ", games.count(), " in all");
  using Found = CorrelatedPlay;
  const auto found = solve_all<Found>(games.count(), num_threads, [&](std::size_t g, CancelToken& cancel) {
    const MirrorDescentOptions options{num_iterations, tolerance, step_size ? step_size->data()[g] : 0.0};
    return anchored_mirror_descent(games.game(g), anchored.reference(g), anchored.kl_weight(g), options, cancel);
  });
  py::dict result;
  result["joint"] = stack_rows(collect(found, [](const Found& f) { return f.joint; }), games.profile_shape());
  result["average"] = games.split(collect(found, [](const Found& f) { return f.average; }));
  result["last"] = games.split(collect(found, [](const Found& f) { return f.last; }));
  result["gap"] = games.figures(collect(found, [](const Found& f) { return f.gap; }));
  result["value"] = games.figures(collect(found, [](const Found& f) { return f.value; }));
  result["num_iterations"] =
      to_array(collect(found, [](const Found& f) { return static_cast<std::int64_t>(f.num_iterations); }));
  return result;
}

Doubles gaps_of_games(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& reference,
                      const Doubles& kl_weight, const std::vector<Doubles>& mixtures) {
  const AnchoredGames anchored(payoffs, reference, kl_weight);
  const StageGames& games = anchored.games;
  games.check_profile(mixtures, "mixtures");
  return games.figures(solve_all<std::vector<double>>(games.count(), 1, [&](std::size_t g, CancelToken&) {
    std::vector<double> gaps(games.num_mixtures());
    regularized_gap(games.game(g), anchored.reference(g), anchored.kl_weight(g), gather(mixtures, g), gaps);
    return gaps;
  }));
}

}  // namespace

void bind_anchored(py::module_& module) {
  module.def("solve_anchored", &solve_anchored_games, py::arg("payoffs"), py::arg("reference"),
             py::arg("kl_weight").noconvert(), py::kw_only(), py::arg("method") = 3, py::arg("tolerance") = 1e-10,
             py::arg("max_iterations") = 500, py::arg("num_threads") = 1,
             "Anchored equilibria of games side by side; see coffee_fast._reference.anchored_solver.");
  module.def("anchored_mirror_descent", &mirror_descent_of_games, py::arg("payoffs"), py::arg("reference"),
             py::arg("kl_weight").noconvert(), py::kw_only(), py::arg("num_iterations"), py::arg("tolerance") = 0.0,
             py::arg("step_size") = py::none(), py::arg("num_threads") = 1,
             "Mirror descent around references, games side by side.");
  module.def("regularized_gap", &gaps_of_games, py::arg("payoffs"), py::arg("reference"),
             py::arg("kl_weight").noconvert(), py::arg("mixtures"),
             "What each player could gain in payoff less KL penalty, [G, mixtures].");
}

}  // namespace coffee_fast::bindings
