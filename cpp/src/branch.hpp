#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "coffee_fast/cancel.hpp"

namespace coffee_fast {

/// F(x, t) = 0 for n unknowns x and a time t in [0, 1]: its zeros make curves.
class Equations {
 public:
  virtual ~Equations() = default;

  /// At a point x [n]: F [n], its derivatives by x [n, n] and by t [n], of the sizes they have. What is not finite in
  /// them makes a step be refused.
  virtual void linearize(std::span<const double> x, double t, std::span<double> residual, std::span<double> matrix,
                         std::span<double> by_time) = 0;
};

struct BranchPoint {
  std::vector<double> x;   ///< at time 1, or where tracing stopped
  bool has_arrived;        ///< at time 1
  std::size_t num_solves;  ///< linear systems solved
};

/// Traces the curve from `start`, a zero at time 0, by pseudo-arclength continuation in y = (x, t / s): predict along
/// the tangent, correct at a right angle to it, through turns of t too. `speed` is 1 / s, how far x moves while t goes
/// from 0 to 1, roughly; at least 1. Source: Allgower and Georg 1990.
BranchPoint trace(Equations& equations, std::span<const double> start, double speed, std::size_t max_steps,
                  CancelToken& cancel);

/// Newton steps at time 1 until the square of the largest residual is below a tenth of `allowed` (a KL divergence from
/// the response is below that square), or they gain no more. Returns how many.
std::size_t polish(Equations& equations, std::span<double> x, double allowed);

}  // namespace coffee_fast
