#include "any_dynamics.hpp"
#include "coffee_fast/empirical_game.hpp"

namespace coffee_fast::bindings {
namespace {

py::dict estimate(const AnyDynamics& dynamics, const std::vector<Policy>& policies, const Array<std::int32_t>& profiles,
                  std::size_t num_episodes, std::uint64_t seed, int num_threads) {
  const MatrixView<const std::int32_t> rows = as_matrix(profiles, "profiles");
  const std::size_t P = rows.rows, N = dynamics.num_players(), E = dynamics.num_members();
  std::vector<double> sum(P * N * E), squares(P * N * E), lengths(P), disagreement(P);
  without_gil([&](CancelToken& cancel) {
    estimate_payoffs(dynamics, policies, rows, {num_episodes, seed, num_threads},
                     {{sum.data(), P, N * E}, {squares.data(), P, N * E}, lengths, disagreement}, cancel);
  });
  const auto p = static_cast<py::ssize_t>(P), n = static_cast<py::ssize_t>(N), e = static_cast<py::ssize_t>(E);
  py::dict result;
  result["count"] = num_episodes;
  result["sum"] = to_array(std::move(sum), {p, n, e});
  result["sum_of_squares"] = to_array(std::move(squares), {p, n, e});
  result["sum_of_lengths"] = to_array(std::move(lengths), {p});
  result["sum_of_disagreement"] = to_array(std::move(disagreement), {p});
  return result;
}

}  // namespace

void bind_empirical_game(py::module_& module) {
  module.def("estimate_payoffs", &estimate, py::arg("dynamics"), py::arg("policies"), py::arg("profiles").noconvert(),
             py::arg("num_episodes"), py::arg("seed"), py::arg("num_threads") = 1);
}

}  // namespace coffee_fast::bindings
