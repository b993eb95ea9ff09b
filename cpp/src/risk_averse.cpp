#include "coffee_fast/risk_averse.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "coffee_fast/anchored.hpp"

namespace coffee_fast {
namespace {

constexpr double least_log = -650.0;  // below it 1 / probability overflows
constexpr double largest_log = 20.0;  // of trial points off the simplex, refused by what they leave
constexpr double least_legal_log =
    -1e150;  // of what is legal, however far trial points go: far above the mark of what is not
constexpr double no_digit_left = 4e-16;

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Both fill in the worst play against payoffs `above` (in units of one over the risk aversion, the least is 0), and
// return what it costs: the mean of `above` less what the adversary leaves of it.

double worst_by_kl(std::span<const double> log_q, std::span<const double> q, std::span<const double> above,
                   double log_total, Adversary& found) {
  const std::size_t B = q.size();
  for (std::size_t b = 0; b < B; ++b) found.p[b] = log_q[b] - above[b];
  const double log_left = log_sum_exp(found.p), mean = dot(q, above);
  for (double& p : found.p) p = std::exp(p - log_left);
  double near = 0.0;
  for (std::size_t b = 0; b < B; ++b) {
    const double difference = above[b] - mean;
    if (!(std::abs(difference) < 1.0)) return log_left - log_total + mean;
    near += q[b] * std::expm1(-difference);
  }
  return std::log1p(near);  // log E e^-(c - mean), without cancellation where risk is small
}

double worst_by_reverse_kl(std::span<const double> log_q, std::span<const double> q, std::span<const double> above,
                           Adversary& found) {
  const std::size_t B = q.size();
  std::vector<double> weights(B);
  for (std::size_t b = 0; b < B; ++b)
    weights[b] = is_available(log_q[b]) ? std::exp(std::clamp(log_q[b], least_log, largest_log)) : 0.0;
  const double s = level(weights, above);
  double mean_log = 0.0, sum = 0.0;
  for (std::size_t b = 0; b < B; ++b) {
    const double total = above[b] + s, change = above[b] + (s - 1.0);
    found.p[b] = weights[b] / total;
    found.h[b] = 1.0 / total;
    sum += found.p[b];
    mean_log += q[b] * (std::abs(change) < 0.5 ? std::log1p(change) : std::log(total));
  }
  for (double& p : found.p) p /= sum;
  return dot(q, above) - (1.0 - s) - mean_log;
}

}  // namespace

Adversary worst_play(Divergence divergence, std::span<const double> payoffs, std::span<const double> log_q,
                     double risk_aversion) {
  const std::size_t B = payoffs.size();
  double least = HUGE_VAL;
  for (std::size_t b = 0; b < B; ++b)
    if (is_available(log_q[b])) least = std::min(least, payoffs[b]);
  Adversary found{std::vector<double>(B), std::vector<double>(B, 1.0), std::vector<double>(B, 0.0), 0.0};
  std::vector<double> above(B), q(B);
  const double log_total = log_sum_exp(log_q);
  for (std::size_t b = 0; b < B; ++b) {
    if (is_available(log_q[b])) found.above[b] = payoffs[b] - least;
    above[b] = risk_aversion * found.above[b];
    q[b] = std::exp(log_q[b] - log_total);
  }
  const double premium = divergence == Divergence::kl ? worst_by_kl(log_q, q, above, log_total, found)
                                                      : worst_by_reverse_kl(log_q, q, above, found);
  found.value = dot(q, payoffs) - premium / (risk_aversion > 0.0 ? risk_aversion : 1.0);
  return found;
}

double level(std::span<const double> weights, std::span<const double> gaps) {
  double s = 0.0;
  for (std::size_t b = 0; b < weights.size(); ++b)
    if (gaps[b] == 0.0) s += weights[b];
  for (int round = 0; round < 200; ++round) {
    double total = 0.0, slope = 0.0;
    for (std::size_t b = 0; b < weights.size(); ++b) {
      const double ratio = weights[b] / (gaps[b] + s);
      total += ratio;
      slope += ratio / (gaps[b] + s);
    }
    const double step = total * (total - 1.0) / slope;
    s += step;
    if (std::abs(step) <= no_digit_left * s) break;
  }
  return s;
}

Response quantal_response(Regularizer regularizer, std::span<const double> values, std::span<const double> legal) {
  const std::size_t A = values.size();
  Response found{std::vector<double>(A, log_zero), std::vector<double>(A, 0.0)};
  double top = -HUGE_VAL;
  for (std::size_t a = 0; a < A; ++a)
    if (is_available(legal[a])) top = std::max(top, values[a]);
  if (regularizer == Regularizer::entropy) {
    for (std::size_t a = 0; a < A; ++a)
      if (is_available(legal[a])) {
        found.logs[a] = values[a] - top;
        found.bend[a] = 1.0;
      }
    const double log_total = log_sum_exp(found.logs);
    for (double& score : found.logs) score -= log_total;
    return found;
  }
  std::vector<double> gaps(A, 0.0), weights(A, 0.0);
  for (std::size_t a = 0; a < A; ++a)
    if (is_available(legal[a])) {
      gaps[a] = top - values[a];
      weights[a] = 1.0;
    }
  const double s = level(weights, gaps);
  for (std::size_t a = 0; a < A; ++a)
    if (is_available(legal[a])) {
      found.logs[a] = -std::log(gaps[a] + s);
      found.bend[a] = 1.0 / (gaps[a] + s);
    }
  return found;
}

double excess(Regularizer regularizer, std::span<const double> mixture, std::span<const double> best) {
  if (regularizer == Regularizer::entropy) return log_kl_divergence(mixture, best);
  double sum = 0.0;  // of x / y - 1 - log x / y
  for (std::size_t a = 0; a < mixture.size(); ++a) {
    if (!is_available(best[a])) continue;
    const double difference = mixture[a] - best[a], term = std::expm1(difference) - difference;
    sum += std::max(term, 0.0);
  }
  return sum;
}

double penalty(Regularizer regularizer, std::span<const double> mixture) {
  double sum = 0.0;
  for (const double x : mixture)
    if (is_available(x)) sum += regularizer == Regularizer::entropy ? std::exp(x) * x : -x;
  return sum;
}

RiskAverseGame::RiskAverseGame(const StageGame& scaled, std::span<const double> risk_aversion,
                               std::span<const double> legal, Divergence divergence, Regularizer regularizer)
    : game_(scaled),
      risk_aversion_(risk_aversion.begin(), risk_aversion.end()),
      legal_(legal.begin(), legal.end()),
      divergence_(divergence),
      regularizer_(regularizer) {
  for (std::size_t player = 0; player < num_mixtures(); ++player) {
    payoffs_.push_back(game_.by_own_action(player));
    const std::size_t A = size(player), B = num_joint(player);
    transposed_.emplace_back(A * B);
    for (std::size_t a = 0; a < A; ++a)
      for (std::size_t b = 0; b < B; ++b) transposed_[player][b * A + a] = payoffs_[player][a * B + b];
    std::size_t stride = B;
    axes_.emplace_back();
    for (std::size_t axis = 0; axis < game_.num_axes(); ++axis)
      if (axis != player) {
        stride /= game_.size(axis);
        axes_[player].push_back({game_.owner(axis), game_.size(axis), stride});
      }
  }
}

double RiskAverseGame::range() const {
  double largest = 0.0;
  for (std::size_t player = 0; player < num_mixtures(); ++player) largest = std::max(largest, game_.range(player));
  return largest;
}

std::vector<double> RiskAverseGame::log_others(std::size_t player, std::span<const double> profile) const {
  std::vector<double> log_q(num_joint(player), 0.0);
  for (const Axis& axis : axes_[player]) {
    const std::span<const double> logs = part(profile, axis.owner), legal = part(legal_, axis.owner);
    for (std::size_t b = 0; b < log_q.size(); ++b) {
      const std::size_t a = b / axis.stride % axis.size;
      log_q[b] += std::max(logs[a], is_available(legal[a]) ? least_legal_log : log_zero);
    }
  }
  for (double& x : log_q) x = std::max(x, log_zero);
  return log_q;
}

std::vector<double> RiskAverseGame::against_each(std::size_t player, std::span<const double> profile) const {
  const std::size_t B = num_joint(player);
  std::vector<double> sums(B, 0.0);
  for (std::size_t a = 0; a < size(player); ++a) {
    const double x = std::exp(std::min(profile[begin(player) + a], largest_log));
    const double* const row = payoffs_[player].data() + a * B;
    for (std::size_t b = 0; b < B; ++b) sums[b] += x * row[b];
  }
  return sums;
}

Adversary RiskAverseGame::adversary(std::size_t player, std::span<const double> profile, double t) const {
  return worst_play(divergence_, against_each(player, profile), log_others(player, profile),
                    t * risk_aversion_[player]);
}

Response RiskAverseGame::response(std::size_t player, std::span<const double> p, double t) const {
  const std::size_t B = num_joint(player);
  std::vector<double> values(size(player));
  for (std::size_t a = 0; a < values.size(); ++a) values[a] = t * dot(payoffs(player).subspan(a * B, B), p);
  return quantal_response(regularizer_, values, part(legal_, player));
}

std::vector<double> RiskAverseGame::responses(std::span<const double> profile) const {
  std::vector<double> found;
  for (std::size_t player = 0; player < num_mixtures(); ++player) {
    const Response best = response(player, adversary(player, profile).p);
    found.insert(found.end(), best.logs.begin(), best.logs.end());
  }
  return found;
}

std::vector<double> RiskAverseGame::gap(std::span<const double> profile) const {
  const std::vector<double> best = responses(profile);
  std::vector<double> found;
  for (std::size_t player = 0; player < num_mixtures(); ++player)
    found.push_back(excess(regularizer_, part(profile, player), part(best, player)));
  return found;
}

std::vector<double> RiskAverseGame::saddle_gap(std::span<const double> profile,
                                               std::span<const std::vector<double>> adversaries) const {
  std::vector<double> found;
  for (std::size_t player = 0; player < num_mixtures(); ++player) {
    const Adversary worst = adversary(player, profile);
    const std::vector<double> log_q = log_others(player, profile);
    std::vector<double> p(log_q.size());
    double lost = 0.0;  // sum of q (p / p* - 1 - log p / p*)
    for (std::size_t b = 0; b < p.size(); ++b) {
      p[b] = std::exp(adversaries[player][b]);
      const double log = std::max(log_q[b], least_log);
      const double ratio = worst.p[b] > 0.0 ? adversaries[player][b] - std::log(std::max(worst.p[b], 1e-300)) : 0.0;
      lost += std::exp(log + ratio) - std::exp(log) * (1.0 + ratio);
    }
    const double tau = risk_aversion_[player], left = tau > 0.0 ? std::max(lost, 0.0) / tau : HUGE_VAL;
    found.push_back(excess(regularizer_, part(profile, player), response(player, p).logs) + left);
  }
  return found;
}

std::vector<double> RiskAverseGame::value(std::span<const double> profile) const {
  std::vector<double> found;
  for (std::size_t player = 0; player < num_mixtures(); ++player)
    found.push_back(adversary(player, profile).value - penalty(regularizer_, part(profile, player)));
  return found;
}

}  // namespace coffee_fast
