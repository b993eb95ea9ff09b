#include <memory>

#include "coffee_fast/deviation.hpp"
#include "coffee_fast/payoff_table.hpp"
#include "coffee_fast/profile_index.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

/// One array [members, S1, ..., Sn] a player; a symmetric game gives the row player's [members, S, S] alone.
PayoffTable make_table(const std::vector<Array<double>>& payoffs, bool is_symmetric) {
  check(!payoffs.empty(), "PayoffTable: payoffs must not be empty");
  const std::size_t num_players = is_symmetric ? 2 : payoffs.size();
  check(!is_symmetric || payoffs.size() == 1, "PayoffTable: a symmetric game has one array of payoffs, got ",
        payoffs.size());
  const Array<double>& first = payoffs.front();
  std::vector<std::vector<double>> values;
  for (const Array<double>& array : payoffs) {
    check(array.ndim() == static_cast<py::ssize_t>(num_players) + 1, "PayoffTable: payoffs must have ", num_players + 1,
          " axes (members, then one a player), got ", array.ndim());
    check(std::equal(array.shape(), array.shape() + array.ndim(), first.shape()),
          "PayoffTable: the payoffs of all players must have one shape");
    values.push_back(to_vector(array));
  }
  const auto num_members = static_cast<std::size_t>(first.shape(0));
  std::vector<std::size_t> num_strategies(first.shape() + 1, first.shape() + first.ndim());
  if (!is_symmetric) return PayoffTable(std::move(num_strategies), num_members, std::move(values));
  check(num_strategies[0] == num_strategies[1], "PayoffTable: payoffs of a symmetric game must be square, got ",
        num_strategies[0], " rows and ", num_strategies[1], " columns");
  return PayoffTable::symmetric(num_strategies[0], num_members, std::move(values.front()));
}

std::vector<std::vector<double>> to_mixtures(const std::vector<Array<double>>& arrays) {
  std::vector<std::vector<double>> mixtures;
  for (const Array<double>& array : arrays) mixtures.push_back(to_vector(array));
  return mixtures;
}

}  // namespace

void bind_payoff_table(py::module_& module) {
  py::enum_<OverMembers>(module, "OverMembers")
      .value("mean", OverMembers::mean)
      .value("lower", OverMembers::lower)
      .value("upper", OverMembers::upper);
  py::class_<PayoffTable>(module, "PayoffTable", "Payoffs [members, S1, ..., Sn] of each player; finite and immutable.")
      .def(py::init(&make_table), py::arg("payoffs").noconvert(), py::arg("is_symmetric") = false)
      .def_property_readonly("num_players", &PayoffTable::num_players)
      .def_property_readonly("num_members", &PayoffTable::num_members)
      .def_property_readonly("is_symmetric", &PayoffTable::is_symmetric)
      .def(
          "deviation_payoffs",
          [](const PayoffTable& table, std::size_t player, const std::vector<Array<double>>& mixtures,
             OverMembers over_members) {
            const auto profile = to_mixtures(mixtures);
            return to_array(
                without_gil([&](CancelToken&) { return deviation_payoffs(table, player, profile, over_members); }));
          },
          py::arg("player"), py::arg("mixtures").noconvert(), py::arg("over_members") = OverMembers::mean)
      .def(
          "expected_payoffs",
          [](const PayoffTable& table, const std::vector<Array<double>>& mixtures, OverMembers over_members) {
            const auto profile = to_mixtures(mixtures);
            return to_array(without_gil([&](CancelToken&) { return expected_payoffs(table, profile, over_members); }));
          },
          py::arg("mixtures").noconvert(), py::arg("over_members") = OverMembers::mean)
      .def(
          "regret",
          [](const PayoffTable& table, const std::vector<Array<double>>& mixtures) {
            const auto profile = to_mixtures(mixtures);
            return to_array(without_gil([&](CancelToken&) { return regret(table, profile); }));
          },
          py::arg("mixtures").noconvert())
      .def(
          "pessimistic_regret",
          [](const PayoffTable& table, const std::vector<Array<double>>& mixtures) {
            const auto profile = to_mixtures(mixtures);
            return to_array(without_gil([&](CancelToken&) { return pessimistic_regret(table, profile); }));
          },
          py::arg("mixtures").noconvert());
  module.def(
      "symmetric_orbit", [](const std::vector<std::size_t>& profile) { return symmetric_orbit(profile); },
      py::arg("profile"), "The number of the multiset of strategies; of a pair a <= b, b (b + 1) / 2 + a.");
}

}  // namespace coffee_fast::bindings
