#include "branch.hpp"

#include <algorithm>
#include <cmath>

#include "linear_solve.hpp"

namespace coffee_fast {
namespace {

constexpr double first_step = 0.3, smallest_step = 1e-7;
constexpr double wanted_correction = 0.15;  // of a log-probability: how far predictions may miss
constexpr double largest_correction = 0.6;
constexpr double negligible_log = 40.0;  // beyond it, a log-probability counts by its share: e^-1000 is e^-1010
constexpr double crossing_step = 1e-3;   // below it, another orientation is a crossing of curves
constexpr double path_residual = 1e-4;
constexpr int num_corrections = 4, max_polish = 12;

/// NaN if an entry is: comparisons with it then fail.
double largest_magnitude(std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values) {
    if (std::isnan(value)) return value;
    largest = std::max(largest, std::abs(value));
  }
  return largest;
}

/// How far corrections move x: in logarithms, or in shares of those beyond `negligible_log`. NaN if one is.
double largest_move(std::span<const double> corrections, std::span<const double> x) {
  double largest = 0.0;
  for (std::size_t i = 0; i < corrections.size(); ++i) {
    const double move = std::abs(corrections[i]) / std::max(1.0, std::abs(x[i]) / negligible_log);
    if (std::isnan(move)) return move;
    largest = std::max(largest, move);
  }
  return largest;
}

class Branch {
 public:
  Branch(Equations& equations, std::span<const double> start, double speed)
      : equations_(equations),
        size_(start.size()),
        scale_(1.0 / speed),
        y_(start.begin(), start.end()),
        tangent_(size_ + 1, 0.0),
        residual_(size_),
        by_time_(size_),
        matrix_(size_ * size_) {
    y_.push_back(0.0);
    tangent_.back() = 1.0;
    linearize(y_);
    if (std::vector<double> moves; solve_bordered(tangent_, moves)) tangent_ = unit(moves);
  }

  bool has_arrived() const { return has_arrived_; }
  bool is_stuck() const { return step_size_ < smallest_step; }
  BranchPoint point() const { return {{y_.begin(), y_.end() - 1}, has_arrived_, num_solves_}; }

  /// Predict, correct, then accept the step and stretch it, or refuse and shorten it.
  void step() {
    const double time_left = 1.0 / scale_ - y_.back(), speed = tangent_.back();
    const bool lands = step_size_ * speed >= time_left;
    const double h = lands ? time_left / speed : step_size_;
    std::vector<double> y = y_, tangent = tangent_;
    for (std::size_t i = 0; i <= size_; ++i) y[i] += h * tangent_[i];
    const auto [first_correction, residual, orientation] = correct(y, tangent, lands);
    // The determinant keeps its sign along a curve. Where it changes, the step has jumped to another one, straight on
    // behind a sharp turn; or the curve really crosses another, as steps of any size find.
    const bool is_good = residual <= path_residual && first_correction <= largest_correction &&
                         (orientation == orientation_ || h < crossing_step);
    const double stretch = std::sqrt(wanted_correction / std::max(first_correction, 1e-12));
    step_size_ = h * (is_good ? std::clamp(stretch, 0.5, 4.0) : 0.4);
    if (!is_good) return;
    y_ = std::move(y);
    tangent_ = std::move(tangent);
    orientation_ = orientation;
    has_arrived_ = lands;
  }

 private:
  struct Correction {
    double first, residual;
    int orientation;
  };

  /// Brings `y` onto the curve and `tangent` along it. Corrections keep to the plane through the prediction at a right
  /// angle to the tangent, or to the final time.
  Correction correct(std::vector<double>& y, std::vector<double>& tangent, bool lands) {
    std::vector<double> row = tangent_, moves;
    if (lands) {
      std::fill(row.begin(), row.end(), 0.0);
      row.back() = 1.0;
    }
    Correction done{0.0, HUGE_VAL, 0};
    for (int correction = 0; correction <= num_corrections; ++correction) {
      linearize(y);
      done.residual = largest_magnitude(residual_);
      // One correction at least: it brings the tangent.
      const bool is_needed = done.residual > path_residual || correction == 0;
      if (!is_needed || correction == num_corrections || !(done.first <= largest_correction)) {
        if (done.residual <= path_residual) done.orientation = linear_solve(bordered(row), {}, size_ + 1);
        break;
      }
      if (!solve_bordered(row, moves)) return {done.first, HUGE_VAL, 0};
      std::vector<double> corrections(size_ + 1);
      for (std::size_t i = 0; i <= size_; ++i) corrections[i] = moves[2 * i];
      for (std::size_t i = 0; i <= size_; ++i) y[i] += corrections[i];
      tangent = unit(moves);
      if (correction == 0) done.first = largest_move(corrections, y);
    }
    return done;
  }

  /// The second column of `moves` at length one.
  std::vector<double> unit(const std::vector<double>& moves) const {
    double squares = 0.0;
    for (std::size_t i = 0; i <= size_; ++i) squares += moves[2 * i + 1] * moves[2 * i + 1];
    const double length = std::max(std::sqrt(squares), 1e-300);
    std::vector<double> tangent(size_ + 1);
    for (std::size_t i = 0; i <= size_; ++i) tangent[i] = moves[2 * i + 1] / length;
    return tangent;
  }

  /// The derivatives of F from the last linearization, and `row` below: [size + 1, size + 1].
  std::span<double> bordered(const std::vector<double>& row) {
    const std::size_t n = size_ + 1;
    bordered_.resize(n * n);
    for (std::size_t i = 0; i < size_; ++i) {
      std::copy_n(matrix_.data() + i * size_, size_, bordered_.data() + i * n);
      bordered_[i * n + size_] = by_time_[i];
    }
    std::copy(row.begin(), row.end(), bordered_.data() + size_ * n);
    return bordered_;
  }

  /// moves [size + 1, 2]: the Newton correction from the last linearization, and a vector along the curve, of product 1
  /// with `row`. False if there is none, as at a bifurcation.
  bool solve_bordered(const std::vector<double>& row, std::vector<double>& moves) {
    moves.assign(2 * (size_ + 1), 0.0);
    for (std::size_t i = 0; i < size_; ++i) moves[2 * i] = -residual_[i];
    moves[2 * size_ + 1] = 1.0;
    ++num_solves_;
    return linear_solve(bordered(row), moves, size_ + 1) != 0;
  }

  void linearize(std::span<const double> y) {
    equations_.linearize(y.first(size_), y.back() * scale_, residual_, matrix_, by_time_);
    for (double& change : by_time_) change *= scale_;
  }

  Equations& equations_;
  std::size_t size_;
  double scale_, step_size_ = first_step;
  int orientation_ = 1;
  bool has_arrived_ = false;
  std::size_t num_solves_ = 0;
  std::vector<double> y_, tangent_, residual_, by_time_, matrix_, bordered_;
};

}  // namespace

BranchPoint trace(Equations& equations, std::span<const double> start, double speed, std::size_t max_steps,
                  CancelToken& cancel) {
  Branch branch(equations, start, speed);
  for (std::size_t step = 0; step < max_steps && !branch.has_arrived() && !branch.is_stuck(); ++step) {
    cancel.poll();
    branch.step();
  }
  return branch.point();
}

std::size_t polish(Equations& equations, std::span<double> x, double allowed) {
  std::vector<double> residual(x.size()), matrix(x.size() * x.size()), by_time(x.size());
  double last = HUGE_VAL;
  for (std::size_t round = 0; round < max_polish; ++round) {
    equations.linearize(x, 1.0, residual, matrix, by_time);
    const double size = largest_magnitude(residual);
    if (!(size * size > 0.1 * allowed && size < last)) return round;
    last = size;
    if (linear_solve(matrix, residual, x.size()) == 0) return round + 1;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= residual[i];
  }
  return max_polish;
}

}  // namespace coffee_fast
