#pragma once

#include <cstddef>
#include <span>
#include <type_traits>

namespace coffee_fast {

/// A borrowed row-major matrix: `rows` rows of `columns` elements, `stride` elements apart.
/// It owns nothing; the lender keeps the memory alive and unmoved.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::size_t stride = 0;

  MatrixView() = default;
  MatrixView(T* data_, std::size_t rows_, std::size_t columns_) : MatrixView(data_, rows_, columns_, columns_) {}
  MatrixView(T* data_, std::size_t rows_, std::size_t columns_, std::size_t stride_)
      : data(data_), rows(rows_), columns(columns_), stride(stride_) {}

  /// A view of mutable elements serves wherever constant ones are asked for.
  operator MatrixView<const T>() const
    requires(!std::is_const_v<T>)
  {
    return {data, rows, columns, stride};
  }

  std::span<T> row(std::size_t index) const { return {data + index * stride, columns}; }
  T& operator()(std::size_t row_index, std::size_t column) const { return data[row_index * stride + column]; }

  /// The first `count` rows, or the `count` rows that start at `first`.
  MatrixView first_rows(std::size_t count) const { return {data, count, columns, stride}; }
  MatrixView middle_rows(std::size_t first, std::size_t count) const {
    return {data + first * stride, count, columns, stride};
  }
};

}  // namespace coffee_fast
