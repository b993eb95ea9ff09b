#pragma once

// Games in normal form side by side, as Python passes them: tables [G, A_1, ..., A_n], mixtures and references
// [G, A_i], figures [G, mixtures].

#include <algorithm>

#include "coffee_fast/parallel.hpp"
#include "coffee_fast/stage_game.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {

using Doubles = Array<double>;

inline std::size_t extent(const Doubles& array, py::ssize_t axis) {
  return static_cast<std::size_t>(array.shape(axis));
}

/// [G, ...] from a row each.
inline Doubles stack_rows(const std::vector<std::vector<double>>& rows, std::vector<py::ssize_t> shape) {
  shape.insert(shape.begin(), static_cast<py::ssize_t>(rows.size()));
  Doubles array(shape);
  double* out = array.mutable_data();
  for (const std::vector<double>& row : rows) out = std::copy(row.begin(), row.end(), out);
  return array;
}

/// One game's mixtures, one after another.
inline std::vector<double> gather(const std::vector<Doubles>& arrays, std::size_t g) {
  std::vector<double> profile;
  for (const Doubles& array : arrays) {
    const double* const row = array.data() + g * extent(array, 1);
    profile.insert(profile.end(), row, row + extent(array, 1));
  }
  return profile;
}

class StageGames {
 public:
  explicit StageGames(const std::vector<Doubles>& payoffs) : payoffs_(payoffs) {
    check(!payoffs.empty() && payoffs[0].ndim() >= 2, "payoffs must be one array [G, A_1, ..., A_n] or more");
    count_ = extent(payoffs[0], 0);
    for (py::ssize_t axis = 1; axis < payoffs[0].ndim(); ++axis) sizes_.push_back(extent(payoffs[0], axis));
    for (const Doubles& table : payoffs) {
      bool is_same = table.ndim() == payoffs[0].ndim();
      for (py::ssize_t axis = 0; is_same && axis < table.ndim(); ++axis)
        is_same = table.shape(axis) == payoffs[0].shape(axis);
      check(is_same, "payoffs must be arrays of one shape");
    }
  }

  std::size_t count() const { return count_; }
  std::size_t num_mixtures() const { return payoffs_.size(); }
  std::vector<py::ssize_t> profile_shape() const { return {sizes_.begin(), sizes_.end()}; }

  void check_profile(const std::vector<Doubles>& arrays, const char* name) const {
    check(arrays.size() == payoffs_.size(), name, " must have ", payoffs_.size(), " arrays, got ", arrays.size());
    for (std::size_t i = 0; i < arrays.size(); ++i)
      check(arrays[i].ndim() == 2 && extent(arrays[i], 0) == count_ && extent(arrays[i], 1) == sizes_[i], name, "[", i,
            "] must have shape [", count_, ", ", sizes_[i], "]");
  }

  void check_kl_weight(const Doubles& kl_weight) const {
    check(kl_weight.ndim() == 2 && extent(kl_weight, 0) == count_ && extent(kl_weight, 1) == payoffs_.size(),
          "kl_weight must have shape [", count_, ", ", payoffs_.size(), "]");
  }

  StageGame game(std::size_t g) const {
    std::vector<std::vector<double>> tables;
    for (const Doubles& table : payoffs_) {
      const std::size_t size = static_cast<std::size_t>(table.size()) / count_;
      tables.emplace_back(table.data() + g * size, table.data() + (g + 1) * size);
    }
    return StageGame(sizes_, std::move(tables));
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

  Doubles figures(const std::vector<std::vector<double>>& rows) const {
    return stack_rows(rows, {static_cast<py::ssize_t>(num_mixtures())});
  }

 private:
  const std::vector<Doubles>& payoffs_;
  std::size_t count_ = 0;
  std::vector<std::size_t> sizes_;
};

/// solve(g, cancel) for each of `count` games, in order.
template <class Result, class Solve>
std::vector<Result> solve_all(std::size_t count, int num_threads, const Solve& solve) {
  std::vector<Result> found(count);
  without_gil([&](CancelToken& cancel) {
    parallel_for(count, num_threads, cancel, [&](std::size_t g, int) { found[g] = solve(g, cancel); });
  });
  return found;
}

template <class Result, class Get>
auto collect(const std::vector<Result>& found, const Get& get) {
  std::vector<std::decay_t<decltype(get(found[0]))>> values;
  for (const Result& result : found) values.push_back(get(result));
  return values;
}

inline py::array to_bools(std::vector<std::uint8_t> values) {
  return to_array(std::move(values)).attr("astype")("bool");
}

}  // namespace coffee_fast::bindings
