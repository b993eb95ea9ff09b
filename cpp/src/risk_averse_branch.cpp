#include "coffee_fast/risk_averse_branch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "branch.hpp"
#include "coffee_fast/anchored.hpp"

namespace coffee_fast {
namespace {

constexpr double largest_log = 20.0;  // of trial points off the simplex, refused by what they leave
constexpr double largest_slack_log = 50.0, least_slack_log = -600.0;
constexpr double huge = 1e6;     // a residual that is no number
constexpr double exact = 1e-26;  // the gap, in temperatures, at which Newton steps have no digit left to gain

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// y bend / sum y bend: the shares by which a response's changes are centered.
std::vector<double> shares(const Response& response) {
  std::vector<double> share(response.logs.size());
  for (std::size_t a = 0; a < share.size(); ++a) share[a] = std::exp(response.logs[a]) * response.bend[a];
  const double total = std::accumulate(share.begin(), share.end(), 0.0);
  for (double& x : share) x /= total;
  return share;
}

/// Takes d log y = t bend (dv - share . dv) off the rows of a player's response, for changes dv [A, columns] of its
/// values, in the columns from `begin` on of a matrix [size, size].
void take_off(std::span<double> matrix, std::size_t size, std::size_t row_begin, std::size_t begin,
              std::span<const double> change, const Response& response, std::span<const double> share, double t) {
  const std::size_t rows = share.size(), columns = change.size() / rows;
  std::vector<double> mean(columns, 0.0);
  for (std::size_t a = 0; a < rows; ++a)
    for (std::size_t c = 0; c < columns; ++c) mean[c] += share[a] * change[a * columns + c];
  for (std::size_t a = 0; a < rows; ++a) {
    const double bend = t * response.bend[a];
    double* const out = matrix.data() + (row_begin + a) * size + begin;
    for (std::size_t c = 0; c < columns; ++c) out[c] -= bend * (change[a * columns + c] - mean[c]);
  }
}

/// Equations of a game; trial points far off the branch leave numbers, but no small residuals.
class RiskAverseEquations : public Equations {
 public:
  explicit RiskAverseEquations(const RiskAverseGame& game) : game_(game) {}

  void linearize(std::span<const double> x, double t, std::span<double> residual, std::span<double> matrix,
                 std::span<double> by_time) final {
    std::fill(residual.begin(), residual.end(), 0.0);
    std::fill(matrix.begin(), matrix.end(), 0.0);
    std::fill(by_time.begin(), by_time.end(), 0.0);
    for (std::size_t player = 0; player < game_.num_mixtures(); ++player) add(player, x, t, residual, matrix, by_time);
    for (double& entry : residual)
      if (!std::isfinite(entry)) entry = huge;
    for (std::span<double> values : {matrix, by_time})
      for (double& entry : values) {
        if (std::isfinite(entry)) continue;
        entry = std::isnan(entry) ? 0.0 : std::copysign(std::numeric_limits<double>::max(), entry);
      }
  }

 protected:
  /// Sets the rows of a player.
  virtual void add(std::size_t player, std::span<const double> x, double t, std::span<double> residual,
                   std::span<double> matrix, std::span<double> by_time) = 0;

  const RiskAverseGame& game_;
};

/// F = l - log y(t v), in the log-probabilities of all players.
class ResponseEquations : public RiskAverseEquations {
 public:
  using RiskAverseEquations::RiskAverseEquations;

 protected:
  void add(std::size_t player, std::span<const double> logs, double t, std::span<double> residual,
           std::span<double> matrix, std::span<double> by_time) override {
    const std::size_t A = game_.size(player), B = game_.num_joint(player), begin = game_.begin(player);
    const std::size_t D = game_.num_actions();
    const double tau = game_.risk_aversion(player);
    const std::span<const double> u = game_.payoffs(player);
    const Adversary worst = game_.adversary(player, logs, t);
    const Response response = game_.response(player, worst.p, t);
    const std::vector<double> share = shares(response);
    std::vector<double> curved(B), r(A), r_share(A), grown(A);
    for (std::size_t b = 0; b < B; ++b) curved[b] = worst.p[b] * worst.h[b];
    const double total = std::accumulate(curved.begin(), curved.end(), 0.0);
    const double mean_above = dot(curved, worst.above);
    for (std::size_t a = 0; a < A; ++a) {
      const std::span<const double> row = u.subspan(a * B, B);
      r[a] = dot(row, curved);
      r_share[a] = r[a] / total;
      double bent = 0.0;
      for (std::size_t b = 0; b < B; ++b) bent += row[b] * curved[b] * worst.above[b];
      grown[a] = dot(row, worst.p) + t * tau * (r_share[a] * mean_above - bent);  // the adversary follows its aversion
    }
    const double mean = dot(share, grown);
    for (std::size_t a = 0; a < A; ++a) {
      residual[begin + a] = logs[begin + a] - response.logs[a];
      by_time[begin + a] = -response.bend[a] * (grown[a] - mean);
      matrix[(begin + a) * D + begin + a] += 1.0;
    }
    std::vector<double> x(A);
    for (std::size_t a = 0; a < A; ++a) x[a] = std::exp(std::min(logs[begin + a], largest_log));
    take_off(matrix, D, begin, begin, change_by_own(player, x, -tau * t, curved, r, r_share), response, share, t);
    for (const RiskAverseGame::Axis& axis : game_.axes(player))
      take_off(matrix, D, begin, game_.begin(axis.owner), change_by_others(player, axis, worst.p, r_share), response,
               share, t);
  }

 private:
  /// [A, A]: the change of the values in the own log-probabilities, by which the adversary is moved.
  std::vector<double> change_by_own(std::size_t player, std::span<const double> x, double factor,
                                    std::span<const double> curved, std::span<const double> r,
                                    std::span<const double> r_share) const {
    const std::size_t A = x.size(), B = curved.size();
    const std::span<const double> u = game_.payoffs(player), transposed = game_.transposed(player);
    std::vector<double> change(A * A, 0.0);
    for (std::size_t a = 0; a < A; ++a) {
      double* const row = change.data() + a * A;
      for (std::size_t b = 0; b < B; ++b) {
        const double weight = u[a * B + b] * curved[b];
        const double* const column = transposed.data() + b * A;
        for (std::size_t c = 0; c < A; ++c) row[c] += weight * column[c];
      }
      for (std::size_t c = 0; c < A; ++c) row[c] = factor * (row[c] - r[a] * r_share[c]) * x[c];
    }
    return change;
  }

  /// [A, size of the axis]: their change in the log-probabilities of another player.
  std::vector<double> change_by_others(std::size_t player, const RiskAverseGame::Axis& axis, std::span<const double> p,
                                       std::span<const double> r_share) const {
    const std::size_t A = r_share.size(), B = p.size();
    const std::span<const double> u = game_.payoffs(player);
    std::vector<double> change(A * axis.size, 0.0), marginal(axis.size, 0.0);
    for (std::size_t b = 0; b < B; ++b) marginal[b / axis.stride % axis.size] += p[b];
    for (std::size_t a = 0; a < A; ++a) {
      double* const row = change.data() + a * axis.size;
      for (std::size_t b = 0; b < B; ++b) row[b / axis.stride % axis.size] += u[a * B + b] * p[b];
      for (std::size_t c = 0; c < axis.size; ++c) row[c] -= r_share[a] * marginal[c];
    }
    return change;
  }
};

/// Of reverse KL, in (l_i), (m_i), (sigma_i), side by side: F of l, tau c + sigma - e^(log q - m) and log sum e^m.
class SlackEquations : public RiskAverseEquations {
 public:
  explicit SlackEquations(const RiskAverseGame& game) : RiskAverseEquations(game) {
    std::size_t next = game.num_actions();
    for (std::size_t player = 0; player < game.num_mixtures(); ++player) {
      adversary_begin_.push_back(next);
      next += game.num_joint(player);
    }
    level_begin_ = next;
    size_ = next + game.num_mixtures();
  }

  /// Uniform play, the adversaries that play as the others do, and levels 1: a zero at time 0.
  std::vector<double> start() const {
    std::vector<double> x(game_.legal().begin(), game_.legal().end());
    for (std::size_t player = 0; player < game_.num_mixtures(); ++player) {
      const std::vector<double> log_q = game_.log_others(player, game_.legal());
      x.insert(x.end(), log_q.begin(), log_q.end());
    }
    x.resize(size_, 1.0);
    return x;
  }

  std::vector<std::vector<double>> adversaries(std::span<const double> x) const {
    std::vector<std::vector<double>> found;
    for (std::size_t player = 0; player < game_.num_mixtures(); ++player) {
      const std::span<const double> m = x.subspan(adversary_begin_[player], game_.num_joint(player));
      found.emplace_back(m.begin(), m.end());
    }
    return found;
  }

 protected:
  void add(std::size_t player, std::span<const double> x, double t, std::span<double> residual,
           std::span<double> matrix, std::span<double> by_time) override {
    const std::size_t B = game_.num_joint(player);
    const std::span<const double> m = x.subspan(adversary_begin_[player], B);
    std::vector<double> p(B);
    for (std::size_t b = 0; b < B; ++b) p[b] = std::exp(std::min(m[b], largest_log));
    add_response(player, x, p, t, residual, matrix, by_time);
    add_adversary(player, x, m, t, residual, matrix, by_time);
    const std::size_t level = level_begin_ + player;
    const double total = std::accumulate(p.begin(), p.end(), 0.0);
    residual[level] = std::log(total);
    for (std::size_t b = 0; b < B; ++b) matrix[level * size_ + adversary_begin_[player] + b] += p[b] / total;
  }

 private:
  void add_response(std::size_t player, std::span<const double> x, std::span<const double> p, double t,
                    std::span<double> residual, std::span<double> matrix, std::span<double> by_time) const {
    const std::size_t A = game_.size(player), B = p.size(), begin = game_.begin(player);
    const std::span<const double> u = game_.payoffs(player);
    const Response response = game_.response(player, p, t);
    const std::vector<double> share = shares(response);
    std::vector<double> change(u.begin(), u.end()), v(A);
    for (std::size_t a = 0; a < A; ++a)
      for (std::size_t b = 0; b < B; ++b) {
        change[a * B + b] *= p[b];
        v[a] += change[a * B + b];
      }
    const double mean = dot(share, v);
    for (std::size_t a = 0; a < A; ++a) {
      residual[begin + a] = x[begin + a] - response.logs[a];
      by_time[begin + a] = -response.bend[a] * (v[a] - mean);
      matrix[(begin + a) * size_ + begin + a] += 1.0;
    }
    take_off(matrix, size_, begin, adversary_begin_[player], change, response, share, t);
  }

  /// Rows of tau c + sigma - e^(log q - m), over the slack where that is above 1.
  void add_adversary(std::size_t player, std::span<const double> x, std::span<const double> m, double t,
                     std::span<double> residual, std::span<double> matrix, std::span<double> by_time) const {
    const std::size_t A = game_.size(player), B = m.size(), begin = game_.begin(player);
    const std::vector<double> log_q = game_.log_others(player, x), c = game_.against_each(player, x);
    const std::span<const double> transposed = game_.transposed(player);
    const double tau = game_.risk_aversion(player), sigma = x[level_begin_ + player];
    std::vector<double> own(A);
    for (std::size_t a = 0; a < A; ++a) own[a] = std::exp(std::min(x[begin + a], largest_log));
    for (std::size_t b = 0; b < B; ++b) {
      const std::size_t row = adversary_begin_[player] + b;
      double* const out = matrix.data() + row * size_;
      if (!is_available(log_q[b])) {
        out[row] += 1.0;  // its m stays
        continue;
      }
      const double slack = std::exp(std::clamp(log_q[b] - m[b], least_slack_log, largest_slack_log));
      const double weight = 1.0 / std::max(slack, 1.0);
      residual[row] = weight * (t * tau * c[b] + sigma - slack);
      by_time[row] = weight * tau * c[b];
      out[row] += weight * slack;
      out[level_begin_ + player] += weight;
      for (std::size_t a = 0; a < A; ++a) out[begin + a] += weight * t * tau * transposed[b * A + a] * own[a];
      for (const RiskAverseGame::Axis& axis : game_.axes(player))
        out[game_.begin(axis.owner) + b / axis.stride % axis.size] -= weight * slack;
    }
  }

  std::vector<std::size_t> adversary_begin_;
  std::size_t level_begin_ = 0, size_ = 0;
};

}  // namespace

RiskAverseBranchEnd trace_risk_averse(const RiskAverseGame& game, std::size_t max_steps, CancelToken& cancel) {
  const double speed = std::max(1.0, game.range());  // a step of one moves each log-probability by about one
  const auto end = [&](Equations& equations, std::span<const double> start) {
    BranchPoint point = trace(equations, start, speed, max_steps, cancel);
    if (point.has_arrived) point.num_solves += polish(equations, point.x, exact);
    return point;
  };
  if (game.divergence() == Divergence::kl) {
    ResponseEquations equations(game);
    BranchPoint point = end(equations, game.legal());
    return {std::move(point.x), {}, point.num_solves};
  }
  SlackEquations equations(game);
  BranchPoint point = end(equations, equations.start());
  std::vector<std::vector<double>> adversaries = equations.adversaries(point.x);
  point.x.resize(game.num_actions());
  return {std::move(point.x), std::move(adversaries), point.num_solves};
}

RiskAverseBranchEnd polish_risk_averse(const RiskAverseGame& game, std::span<const double> profile) {
  ResponseEquations equations(game);
  std::vector<double> x(profile.begin(), profile.end());
  const std::size_t num_solves = polish(equations, x, exact);
  return {std::move(x), {}, num_solves};
}

}  // namespace coffee_fast
