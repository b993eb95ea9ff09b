#pragma once

// Eight doubles side by side, for kernels that are compiled once per instruction set.
//
// Everything lies in an unnamed namespace, so each translation unit keeps its own copy, built with its own flags. Sums
// keep eight running sums, one a lane, and add them as one fixed tree; with contraction off, the same bits come out
// whether the lanes fill one register, two or four.

#include <cstddef>
#include <utility>

namespace coffee_fast {
namespace {

#if defined(__AVX512F__)
constexpr std::size_t lanes_per_register = 8;
#elif defined(__AVX2__)
constexpr std::size_t lanes_per_register = 4;
#else
constexpr std::size_t lanes_per_register = 2;
#endif

constexpr std::size_t num_lanes = 8;
constexpr std::size_t num_parts = num_lanes / lanes_per_register;

using Register = double __attribute__((vector_size(lanes_per_register * sizeof(double))));
using UnalignedRegister =
    double __attribute__((vector_size(lanes_per_register * sizeof(double)), aligned(sizeof(double)), may_alias));

struct Lanes {
  Register part[num_parts];
};

template <class Operation>
[[gnu::always_inline]] inline Lanes each_part(Operation operation) {
  Lanes result;
#pragma GCC unroll 4
  for (std::size_t i = 0; i < num_parts; ++i) result.part[i] = operation(i);
  return result;
}

inline Lanes load(const double* pointer) {
  return each_part([=](std::size_t i) -> Register {
    return *reinterpret_cast<const UnalignedRegister*>(pointer + i * lanes_per_register);
  });
}

inline void store(double* pointer, const Lanes& x) {
#pragma GCC unroll 4
  for (std::size_t i = 0; i < num_parts; ++i)
    *reinterpret_cast<UnalignedRegister*>(pointer + i * lanes_per_register) = x.part[i];
}

inline Lanes broadcast(double value) {
  return each_part([=](std::size_t) -> Register { return value - Register{}; });
}

inline Lanes operator+(const Lanes& a, const Lanes& b) {
  return each_part([&](std::size_t i) -> Register { return a.part[i] + b.part[i]; });
}
inline Lanes operator-(const Lanes& a, const Lanes& b) {
  return each_part([&](std::size_t i) -> Register { return a.part[i] - b.part[i]; });
}
inline Lanes operator*(const Lanes& a, const Lanes& b) {
  return each_part([&](std::size_t i) -> Register { return a.part[i] * b.part[i]; });
}
/// a > b ? yes : no, lane by lane.
inline Lanes where_greater(const Lanes& a, const Lanes& b, const Lanes& yes, const Lanes& no) {
  return each_part([&](std::size_t i) -> Register { return a.part[i] > b.part[i] ? yes.part[i] : no.part[i]; });
}
inline Lanes larger(const Lanes& a, const Lanes& b) { return where_greater(a, b, a, b); }
inline Lanes smaller(const Lanes& a, const Lanes& b) { return where_greater(b, a, a, b); }

template <std::size_t distance, std::size_t... Lane>
inline Register swap_in_register(const Register& x, std::index_sequence<Lane...>) {
  return __builtin_shufflevector(x, x, (Lane ^ distance)...);
}

/// Lane i of the result is lane i ^ distance of `x`.
template <std::size_t distance>
inline Lanes swap_lanes(const Lanes& x) {
  return each_part([&](std::size_t i) -> Register {
    if constexpr (distance >= lanes_per_register)
      return x.part[i ^ (distance / lanes_per_register)];
    else
      return swap_in_register<distance>(x.part[i], std::make_index_sequence<lanes_per_register>{});
  });
}

inline double sum_of_lanes(Lanes x) {
  x = x + swap_lanes<4>(x);
  x = x + swap_lanes<2>(x);
  x = x + swap_lanes<1>(x);
  return x.part[0][0];
}

inline double largest_of_lanes(Lanes x) {
  x = larger(x, swap_lanes<4>(x));
  x = larger(x, swap_lanes<2>(x));
  x = larger(x, swap_lanes<1>(x));
  return x.part[0][0];
}

/// The largest values seen in each lane, and the next largest beside them (equal to it where it came twice).
struct TopTwo {
  Lanes first, second;
};

inline TopTwo merge(const TopTwo& a, const TopTwo& b) {
  return {larger(a.first, b.first), larger(smaller(a.first, b.first), larger(a.second, b.second))};
}

inline TopTwo top_two_of_lanes(TopTwo x) {
  x = merge(x, {swap_lanes<4>(x.first), swap_lanes<4>(x.second)});
  x = merge(x, {swap_lanes<2>(x.first), swap_lanes<2>(x.second)});
  return merge(x, {swap_lanes<1>(x.first), swap_lanes<1>(x.second)});
}

}  // namespace
}  // namespace coffee_fast
