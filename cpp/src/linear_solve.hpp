#pragma once

#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

namespace coffee_fast {

/// Solves A X = B in place by elimination with partial pivoting: `matrix` [n, n] is used up, `right` [n, k] becomes X.
/// Returns the sign of the determinant: at 0 the matrix is singular, and both are spoiled.
inline int linear_solve(std::span<double> matrix, std::span<double> right, std::size_t n) {
  const std::size_t k = right.size() / n;
  int sign = 1;
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < n; ++row)
      if (std::abs(matrix[row * n + column]) > std::abs(matrix[pivot * n + column])) pivot = row;
    const double largest = matrix[pivot * n + column];
    if (!(std::abs(largest) > 0.0) || !std::isfinite(largest)) return 0;
    if ((largest < 0.0) != (pivot != column)) sign = -sign;
    if (pivot != column) {
      for (std::size_t j = column; j < n; ++j) std::swap(matrix[pivot * n + j], matrix[column * n + j]);
      for (std::size_t j = 0; j < k; ++j) std::swap(right[pivot * k + j], right[column * k + j]);
    }
    for (std::size_t row = column + 1; row < n; ++row) {
      const double factor = matrix[row * n + column] / largest;
      if (factor == 0.0) continue;
      for (std::size_t j = column + 1; j < n; ++j) matrix[row * n + j] -= factor * matrix[column * n + j];
      for (std::size_t j = 0; j < k; ++j) right[row * k + j] -= factor * right[column * k + j];
    }
  }
  for (std::size_t row = n; row-- > 0;)
    for (std::size_t j = 0; j < k; ++j) {
      double sum = right[row * k + j];
      for (std::size_t column = row + 1; column < n; ++column) sum -= matrix[row * n + column] * right[column * k + j];
      right[row * k + j] = sum / matrix[row * n + row];
    }
  return sign;
}

}  // namespace coffee_fast
