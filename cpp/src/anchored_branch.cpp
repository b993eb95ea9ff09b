#include "coffee_fast/anchored_branch.hpp"

#include <algorithm>
#include <cmath>

#include "coffee_fast/anchored.hpp"
#include "linear_solve.hpp"

namespace coffee_fast {
namespace {

constexpr double first_step = 0.3, smallest_step = 1e-7;
constexpr double wanted_correction = 0.15;  // of a log-probability: how far predictions may miss
constexpr double largest_correction = 0.6;
constexpr double crossing_step = 1e-3;  // below it, another orientation is a crossing of curves
constexpr double path_residual = 1e-4;
constexpr int num_corrections = 4, max_steps = 600, max_polish = 12;

/// Not below any entry, and NaN if one is: comparisons with it then fail.
double largest_magnitude(std::span<const double> values) {
  double largest = 0.0;
  for (const double value : values)
    if (!(std::abs(value) <= largest)) largest = std::abs(value);
  return largest;
}

class Branch {
 public:
  Branch(const StageGame& game, std::span<const double> reference)
      : game_(game),
        reference_(reference),
        size_(reference.size()),
        y_(reference.begin(), reference.end()),
        tangent_(size_ + 1, 0.0),
        residual_(size_),
        by_time_(size_),
        matrix_(size_ * size_),
        probabilities_(size_),
        values_(size_),
        response_(size_) {
    double range = 1.0;
    for (std::size_t i = 0; i < game.num_mixtures(); ++i) range = std::max(range, game.range(i));
    scale_ = 1.0 / range;  // t / s grows with the log-probabilities: a step of one moves each by about one
    y_.push_back(0.0);
    tangent_.back() = 1.0;
    linearize(y_);
    if (std::vector<double> moves; solve_bordered(tangent_, moves)) tangent_ = unit(moves);
  }

  bool has_arrived() const { return has_arrived_; }
  bool is_stuck() const { return step_size_ < smallest_step; }
  std::size_t num_solves() const { return num_solves_; }
  std::vector<double> mixtures() const { return {y_.begin(), y_.end() - 1}; }

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

  /// Newton steps at the end of the branch until each response is near enough, or they gain no more.
  void polish(std::span<const double> allowed) {
    const double smallest = *std::min_element(allowed.begin(), allowed.end());
    double last = HUGE_VAL;
    for (int round = 0; round < max_polish; ++round) {
      linearize(y_);
      const double size = largest_magnitude(residual_);
      // KL(x || response) is below the square of the residual where that is small.
      if (!(size * size > 0.1 * smallest && size < last)) return;
      last = size;
      ++num_solves_;
      if (linear_solve(matrix_, residual_, size_) == 0) return;
      for (std::size_t i = 0; i < size_; ++i) y_[i] -= residual_[i];
    }
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
      double largest = 0.0;
      for (std::size_t i = 0; i <= size_; ++i) {
        y[i] += moves[2 * i];
        if (!(std::abs(moves[2 * i]) <= largest)) largest = std::abs(moves[2 * i]);
      }
      tangent = unit(moves);
      if (correction == 0) done.first = largest;
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
      std::copy_n(matrix_.begin() + static_cast<std::ptrdiff_t>(i * size_), size_,
                  bordered_.begin() + static_cast<std::ptrdiff_t>(i * n));
      bordered_[i * n + size_] = by_time_[i];
    }
    std::copy(row.begin(), row.end(), bordered_.begin() + static_cast<std::ptrdiff_t>(size_ * n));
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

  /// residual_ = F(y), matrix_ its derivatives by the log-probabilities, by_time_ by t / s.
  void linearize(std::span<const double> y) {
    const double t = y.back() * scale_;
    for (std::size_t i = 0; i < size_; ++i) probabilities_[i] = std::exp(std::min(y[i], 50.0));
    game_.deviation_payoffs(probabilities_, values_);
    std::fill(matrix_.begin(), matrix_.end(), 0.0);
    for (std::size_t i = 0; i < size_; ++i) matrix_[i * size_ + i] = 1.0;
    for (std::size_t player = 0; player < game_.num_mixtures(); ++player) {
      const std::span<const double> q = game_.part(std::span<const double>(values_), player);
      const std::span<const double> anchor = game_.part(reference_, player);
      const std::span<double> response = game_.part(std::span(response_), player);
      const std::size_t begin = game_.begin(player);
      for (std::size_t a = 0; a < q.size(); ++a) response[a] = anchor[a] + t * q[a];
      const double log_total = log_sum_exp(response);
      double mean = 0.0;
      for (std::size_t a = 0; a < q.size(); ++a) {
        residual_[begin + a] = is_available(anchor[a]) ? y[begin + a] - response[a] + log_total : 0.0;
        response[a] = std::exp(response[a] - log_total);
        mean += response[a] * q[a];
      }
      for (std::size_t a = 0; a < q.size(); ++a)
        by_time_[begin + a] = is_available(anchor[a]) ? scale_ * (mean - q[a]) : 0.0;
      for (std::size_t axis = 0; axis < game_.num_axes(); ++axis)
        if (axis != player) add_derivatives(player, axis, t);
    }
  }

  /// Adds what a change of the mixture on `axis` does to the player's residual.
  void add_derivatives(std::size_t player, std::size_t axis, double t) {
    const std::size_t rows = game_.size(player), columns = game_.size(axis);
    const std::size_t row_begin = game_.begin(player), column_begin = game_.begin(game_.owner(axis));
    pairs_.resize(rows * columns);
    game_.pair_payoffs(player, axis, probabilities_, pairs_);
    std::vector<double> mean(columns, 0.0);
    for (std::size_t a = 0; a < rows; ++a)
      for (std::size_t b = 0; b < columns; ++b) {
        double& change = pairs_[a * columns + b];
        change *= t * probabilities_[column_begin + b];
        mean[b] += response_[row_begin + a] * change;
      }
    for (std::size_t a = 0; a < rows; ++a) {
      if (!is_available(reference_[row_begin + a])) continue;
      double* const row = matrix_.data() + (row_begin + a) * size_ + column_begin;
      for (std::size_t b = 0; b < columns; ++b) row[b] += mean[b] - pairs_[a * columns + b];
    }
  }

  const StageGame& game_;
  std::span<const double> reference_;
  std::size_t size_;
  std::vector<double> y_, tangent_;
  double scale_ = 1.0, step_size_ = first_step;
  int orientation_ = 1;
  bool has_arrived_ = false;
  std::size_t num_solves_ = 0;
  std::vector<double> residual_, by_time_, matrix_, bordered_, probabilities_, values_, response_, pairs_;
};

}  // namespace

BranchEnd trace_branch(const StageGame& scaled, std::span<const double> reference, std::span<const double> allowed,
                       CancelToken& cancel) {
  Branch branch(scaled, reference);
  for (int step = 0; step < max_steps && !branch.has_arrived() && !branch.is_stuck(); ++step) {
    cancel.poll();
    branch.step();
  }
  if (branch.has_arrived()) branch.polish(allowed);
  return {branch.mixtures(), branch.num_solves()};
}

}  // namespace coffee_fast
