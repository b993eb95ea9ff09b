#include "coffee_fast/anchored.hpp"
#include "coffee_fast/anchored_mirror_descent.hpp"
#include "coffee_fast/anchored_solver.hpp"
#include "coffee_fast/parallel.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

using Doubles = Array<double>;

std::size_t extent(const Doubles& array, py::ssize_t axis) { return static_cast<std::size_t>(array.shape(axis)); }

/// G games side by side: tables [G, A_1, ..., A_n], references and mixtures [G, A_i], figures [G, mixtures].
class Games {
 public:
  Games(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& reference, const Doubles& kl_weight)
      : payoffs_(payoffs), reference_(reference), kl_weight_(as_matrix(kl_weight, "kl_weight")) {
    check(!payoffs.empty() && payoffs[0].ndim() >= 2, "payoffs must be one array [G, A_1, ..., A_n] or more");
    count_ = extent(payoffs[0], 0);
    for (py::ssize_t axis = 1; axis < payoffs[0].ndim(); ++axis) sizes_.push_back(extent(payoffs[0], axis));
    for (const Doubles& table : payoffs) {
      bool is_same = table.ndim() == payoffs[0].ndim();
      for (py::ssize_t axis = 0; is_same && axis < table.ndim(); ++axis)
        is_same = table.shape(axis) == payoffs[0].shape(axis);
      check(is_same, "payoffs must be arrays of one shape");
    }
    check(reference.size() == payoffs.size(), "reference must have ", payoffs.size(), " arrays, got ",
          reference.size());
    check_profile(reference, "reference");
    check(kl_weight.ndim() == 2 && kl_weight_.rows == count_ && kl_weight_.columns == payoffs.size(),
          "kl_weight must have shape [", count_, ", ", payoffs.size(), "]");
  }

  std::size_t count() const { return count_; }
  std::size_t num_mixtures() const { return payoffs_.size(); }
  std::span<const double> kl_weight(std::size_t g) const { return kl_weight_.row(g); }
  std::vector<double> reference(std::size_t g) const { return gather(reference_, g); }

  void check_profile(const std::vector<Doubles>& arrays, const char* name) const {
    check(arrays.size() == payoffs_.size(), name, " must have ", payoffs_.size(), " arrays, got ", arrays.size());
    for (std::size_t i = 0; i < arrays.size(); ++i)
      check(arrays[i].ndim() == 2 && extent(arrays[i], 0) == count_ && extent(arrays[i], 1) == sizes_[i], name, "[", i,
            "] must have shape [", count_, ", ", sizes_[i], "]");
  }

  StageGame game(std::size_t g) const {
    std::vector<std::vector<double>> tables;
    for (const Doubles& table : payoffs_) {
      const std::size_t size = static_cast<std::size_t>(table.size()) / count_;
      tables.emplace_back(table.data() + g * size, table.data() + (g + 1) * size);
    }
    return StageGame(sizes_, std::move(tables));
  }

  static std::vector<double> gather(const std::vector<Doubles>& arrays, std::size_t g) {
    std::vector<double> profile;
    for (const Doubles& array : arrays) {
      const double* const row = array.data() + g * extent(array, 1);
      profile.insert(profile.end(), row, row + extent(array, 1));
    }
    return profile;
  }

  /// One array [G, A_i] a mixture, from rows of all of them.
  py::list split(const std::vector<std::vector<double>>& rows) const {
    py::list arrays;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < num_mixtures(); ++i) {
      Doubles array({count_, sizes_[i]});
      for (std::size_t g = 0; g < count_; ++g)
        std::copy_n(rows[g].begin() + static_cast<std::ptrdiff_t>(begin), sizes_[i], array.mutable_data(g, 0));
      arrays.append(array);
      begin += sizes_[i];
    }
    return arrays;
  }

  /// [G, ...] from a row each.
  static Doubles stack(const std::vector<std::vector<double>>& rows, std::vector<py::ssize_t> shape) {
    shape.insert(shape.begin(), static_cast<py::ssize_t>(rows.size()));
    Doubles array(shape);
    double* out = array.mutable_data();
    for (const std::vector<double>& row : rows) out = std::copy(row.begin(), row.end(), out);
    return array;
  }

  Doubles figures(const std::vector<std::vector<double>>& rows) const {
    return stack(rows, {static_cast<py::ssize_t>(num_mixtures())});
  }

  std::vector<py::ssize_t> profile_shape() const { return {sizes_.begin(), sizes_.end()}; }

 private:
  const std::vector<Doubles>& payoffs_;
  const std::vector<Doubles>& reference_;
  MatrixView<const double> kl_weight_;
  std::size_t count_ = 0;
  std::vector<std::size_t> sizes_;
};

template <class Result, class Solve>
std::vector<Result> solve_all(const Games& games, int num_threads, const Solve& solve) {
  std::vector<Result> found(games.count());
  without_gil([&](CancelToken& cancel) {
    parallel_for(games.count(), num_threads, cancel, [&](std::size_t g, int) {
      found[g] = solve(games.game(g), games.reference(g), games.kl_weight(g), cancel);
    });
  });
  return found;
}

template <class Result, class Get>
auto collect(const std::vector<Result>& found, const Get& get) {
  std::vector<std::decay_t<decltype(get(found[0]))>> values;
  for (const Result& result : found) values.push_back(get(result));
  return values;
}

template <class T>
py::array_t<T> to_plain(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::dict solve_anchored_games(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& reference,
                              const Doubles& kl_weight, int method, double tolerance, std::size_t max_iterations,
                              int num_threads) {
  const Games games(payoffs, reference, kl_weight);
  check(method >= 0 && method <= 3, "method must lie in [0, 3], got ", method);
  const AnchoredOptions options{static_cast<AnchoredMethod>(method), tolerance, max_iterations};
  using Found = AnchoredEquilibrium;
  const auto found =
      solve_all<Found>(games, num_threads, [&](const auto& game, const auto& anchor, auto weight, CancelToken& cancel) {
        return solve_anchored(game, anchor, weight, options, cancel);
      });
  py::dict result;
  result["mixtures"] = games.split(collect(found, [](const Found& f) { return f.mixtures; }));
  result["gap"] = games.figures(collect(found, [](const Found& f) { return f.gap; }));
  result["converged"] = py::array(to_plain(collect(found, [](const Found& f) -> std::uint8_t {
                          return f.has_converged;
                        }))).attr("astype")("bool");
  result["num_iterations"] =
      to_plain(collect(found, [](const Found& f) { return static_cast<std::int64_t>(f.num_iterations); }));
  result["contraction"] = to_plain(collect(found, [](const Found& f) { return f.contraction; }));
  result["zero_sum"] = py::array(to_plain(collect(found, [](const Found& f) -> std::uint8_t {
                         return f.is_zero_sum;
                       }))).attr("astype")("bool");
  result["method"] = to_plain(collect(found, [](const Found& f) { return static_cast<std::int64_t>(f.method); }));
  return result;
}

py::dict mirror_descent_of_games(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& reference,
                                 const Doubles& kl_weight, std::size_t num_iterations, double tolerance,
                                 const std::optional<Doubles>& step_size, int num_threads) {
  const Games games(payoffs, reference, kl_weight);
  check(num_iterations >= 1, "num_iterations must be at least 1, got 0");
  check(!step_size || (step_size->ndim() == 1 && extent(*step_size, 0) == games.count()),
        "step_size must have one entry a game, ", games.count(), " in all");
  std::vector<CorrelatedPlay> found(games.count());
  using Found = CorrelatedPlay;
  without_gil([&](CancelToken& cancel) {
    parallel_for(games.count(), num_threads, cancel, [&](std::size_t g, int) {
      const MirrorDescentOptions options{num_iterations, tolerance, step_size ? step_size->data()[g] : 0.0};
      found[g] = anchored_mirror_descent(games.game(g), games.reference(g), games.kl_weight(g), options, cancel);
    });
  });
  py::dict result;
  result["joint"] = Games::stack(collect(found, [](const Found& f) { return f.joint; }), games.profile_shape());
  result["average"] = games.split(collect(found, [](const Found& f) { return f.average; }));
  result["last"] = games.split(collect(found, [](const Found& f) { return f.last; }));
  result["gap"] = games.figures(collect(found, [](const Found& f) { return f.gap; }));
  result["value"] = games.figures(collect(found, [](const Found& f) { return f.value; }));
  result["num_iterations"] =
      to_plain(collect(found, [](const Found& f) { return static_cast<std::int64_t>(f.num_iterations); }));
  return result;
}

Doubles gaps_of_games(const std::vector<Doubles>& payoffs, const std::vector<Doubles>& reference,
                      const Doubles& kl_weight, const std::vector<Doubles>& mixtures) {
  const Games games(payoffs, reference, kl_weight);
  games.check_profile(mixtures, "mixtures");
  std::vector<std::vector<double>> gaps(games.count(), std::vector<double>(games.num_mixtures()));
  for (std::size_t g = 0; g < games.count(); ++g)
    regularized_gap(games.game(g), games.reference(g), games.kl_weight(g), Games::gather(mixtures, g), gaps[g]);
  return games.figures(gaps);
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
