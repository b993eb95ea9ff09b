#include <cmath>

#include "coffee_fast/anchored.hpp"
#include "coffee_fast/concentrability.hpp"
#include "coffee_fast/potential.hpp"
#include "stage_games.hpp"

namespace coffee_fast::bindings {
namespace {

/// Rows [G, A] of two arrays of one shape, with an entry or more each.
std::pair<MatrixView<const double>, MatrixView<const double>> as_rows(const Doubles& first, const char* first_name,
                                                                      const Doubles& second, const char* second_name) {
  check(first.ndim() == 2 && second.ndim() == 2 && first.shape(0) == second.shape(0) &&
            first.shape(1) == second.shape(1) && first.shape(1) > 0,
        first_name, " and ", second_name, " must have one shape [G, A]");
  return {as_matrix(first, first_name), as_matrix(second, second_name)};
}

Doubles log_sum_exp_of_rows(const Doubles& values) {
  const MatrixView<const double> rows = as_matrix(values, "values");
  check(values.ndim() == 2 && rows.columns > 0, "values must have shape [G, A]");
  std::vector<double> found(rows.rows);
  for (std::size_t g = 0; g < rows.rows; ++g) found[g] = log_sum_exp(rows.row(g));
  return to_array(std::move(found));
}

py::tuple best_responses_of_rows(const Doubles& values, const Doubles& reference, const Doubles& kl_weight) {
  const auto [payoffs, anchors] = as_rows(values, "values", reference, "reference");
  check(kl_weight.ndim() == 1 && extent(kl_weight, 0) == payoffs.rows, "kl_weight must have shape [", payoffs.rows,
        "]");
  Doubles response({payoffs.rows, payoffs.columns});
  const MatrixView<double> responses = as_mutable_matrix(response);
  std::vector<double> best(payoffs.rows);
  for (std::size_t g = 0; g < best.size(); ++g)
    best[g] = anchored_best_response(payoffs.row(g), anchors.row(g), kl_weight.data()[g], responses.row(g));
  return py::make_tuple(response, to_array(std::move(best)));
}

Doubles kl_divergences_of_rows(const Doubles& mixture, const Doubles& other) {
  const auto [from, to] = as_rows(mixture, "mixture", other, "other");
  std::vector<double> found(from.rows);
  for (std::size_t g = 0; g < found.size(); ++g) found[g] = log_kl_divergence(from.row(g), to.row(g));
  return to_array(std::move(found));
}

py::list deviation_payoffs_of_games(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& mixtures) {
  const StageGames games(payoffs);
  games.check_profile(mixtures, "mixtures");
  return games.split(solve_all<std::vector<double>>(games.count(), 1, [&](std::size_t g, CancelToken&) {
    std::vector<double> probabilities = gather(mixtures, g), values(probabilities.size());
    for (double& x : probabilities) x = std::exp(x);
    games.game(g).deviation_payoffs(probabilities, values);
    return values;
  }));
}

Doubles contractions_of_games(const std::vector<Doubles>& payoffs, const Doubles& kl_weight) {
  const StageGames games(payoffs);
  games.check_kl_weight(kl_weight);
  const MatrixView<const double> weights = as_matrix(kl_weight, "kl_weight");
  return to_array(solve_all<double>(
      games.count(), 1, [&](std::size_t g, CancelToken&) { return contraction(games.game(g), weights.row(g)); }));
}

py::array zero_sums_of_games(const std::vector<Doubles>& payoffs, const Doubles& kl_weight) {
  const StageGames games(payoffs);
  games.check_kl_weight(kl_weight);
  const MatrixView<const double> weights = as_matrix(kl_weight, "kl_weight");
  return to_bools(solve_all<std::uint8_t>(games.count(), 1, [&](std::size_t g, CancelToken&) -> std::uint8_t {
    return is_zero_sum(games.game(g), weights.row(g));
  }));
}

py::tuple potentials_of_games(const std::vector<Doubles>& payoffs) {
  const StageGames games(payoffs);
  using Found = NearestPotential;
  const auto found =
      solve_all<Found>(games.count(), 1, [&](std::size_t g, CancelToken&) { return nearest_potential(games.game(g)); });
  return py::make_tuple(stack_rows(collect(found, [](const Found& f) { return f.potential; }), games.profile_shape()),
                        to_array(collect(found, [](const Found& f) { return f.distance; })));
}

py::tuple concentrabilities_of_games(const std::vector<Doubles>& reference, const Doubles& frequencies) {
  check(frequencies.ndim() >= 2, "frequencies must have shape [G, A_1, ..., A_n]");
  check(reference.size() + 1 == static_cast<std::size_t>(frequencies.ndim()), "reference must have ",
        frequencies.ndim() - 1, " arrays, got ", reference.size());
  const std::size_t count = extent(frequencies, 0);
  std::vector<std::size_t> sizes;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    sizes.push_back(extent(frequencies, static_cast<py::ssize_t>(i) + 1));
    check(reference[i].ndim() == 2 && extent(reference[i], 0) == count && extent(reference[i], 1) == sizes[i],
          "reference[", i, "] must have shape [", count, ", ", sizes[i], "]");
  }
  const std::size_t num_profiles = count == 0 ? 0 : static_cast<std::size_t>(frequencies.size()) / count;
  const std::span<const double> all = as_span(frequencies);
  const auto found = solve_all<Concentrability>(count, 1, [&](std::size_t g, CancelToken&) {
    return concentrability(sizes, gather(reference, g), all.subspan(g * num_profiles, num_profiles));
  });
  return py::make_tuple(to_array(collect(found, [](const Concentrability& f) { return f.joint; })),
                        stack_rows(collect(found, [](const Concentrability& f) { return f.unilateral; }),
                                   {static_cast<py::ssize_t>(sizes.size())}));
}

}  // namespace

void bind_stage_games(py::module_& module) {
  module.def("log_sum_exp", &log_sum_exp_of_rows, py::arg("values").noconvert(), "log sum exp of rows, [G].");
  module.def("anchored_best_response", &best_responses_of_rows, py::arg("values").noconvert(),
             py::arg("reference").noconvert(), py::arg("kl_weight").noconvert(),
             "Best responses [G, A] in payoff less KL penalty, as logarithms, and their values [G].");
  module.def("log_kl_divergence", &kl_divergences_of_rows, py::arg("mixture").noconvert(), py::arg("other").noconvert(),
             "KL divergences of rows of log-probabilities, [G].");
  module.def("deviation_payoffs_of_logs", &deviation_payoffs_of_games, py::arg("payoffs"), py::arg("mixtures"),
             "Expected payoff of each action against the others' mixtures, one array [G, A_i] a mixture.");
  module.def("contraction", &contractions_of_games, py::arg("payoffs"), py::arg("kl_weight").noconvert(),
             "Factors of contraction, [G]: below 1 the equilibrium is unique.");
  module.def("is_zero_sum", &zero_sums_of_games, py::arg("payoffs"), py::arg("kl_weight").noconvert(),
             "Whether payoffs of two players with one weight add to a constant, [G].");
  module.def("nearest_potential", &potentials_of_games, py::arg("payoffs"),
             "The nearest potential [G, A_1, ..., A_n] and each game's distance from it, [G].");
  module.def("concentrability", &concentrabilities_of_games, py::arg("reference"), py::arg("frequencies").noconvert(),
             "How frequencies cover references: by profiles [G] and by one player's deviations [G, N].");
}

}  // namespace coffee_fast::bindings
