#pragma once

#include <span>

namespace coffee_fast {

/// Divides non-negative weights by their sum; NumericalError if that is not positive and finite.
void normalize(std::span<double> weights);

/// Replaces `x` by the closest point, in Euclidean distance, of {p : p_a >= min_probability, sum p = 1}.
///
/// The answer is max(x_a - shift, min_probability) for the one shift that makes the sum one. It is found without a
/// sort: start from every entry that can lie above the floor, take the shift that these entries alone would need,
/// drop those it pushes below the floor, repeat (Michelot 1986). Finite and exact; entries up to 1e280 in size.
/// Throws InvalidArgument if `x` is empty, an entry is NaN or larger, or min_probability is not in [0, 1 / size].
void project_to_simplex(std::span<double> x, double min_probability = 0.0);

/// -sum p log p in nats, with 0 log 0 = 0.
double entropy(std::span<const double> p);

/// sum p log(p / q) in nats: infinite where q is zero and p is not. `p` and `q` of one length.
double kl_divergence(std::span<const double> p, std::span<const double> q);

}  // namespace coffee_fast
