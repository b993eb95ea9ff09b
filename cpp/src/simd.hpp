#pragma once

// One register of floats for each instruction set. Everything here has internal linkage and is inlined by force: a
// translation unit compiled for AVX must not give the linker a function that other units would then share.

#include <cstddef>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace coffee_fast {
namespace {

#define COFFEE_FAST_INLINE [[gnu::always_inline]] static inline

/// Four floats in whatever the target has; products are rounded before they are added.
struct PortableVector {
  typedef float Type __attribute__((vector_size(16)));
  static constexpr std::size_t width = 4;
  static constexpr std::size_t num_registers = 16;
  static constexpr std::size_t panels_at_full_height = 1;

  COFFEE_FAST_INLINE Type load(const float* source) {
    Type value;
    __builtin_memcpy(&value, source, sizeof value);
    return value;
  }
  COFFEE_FAST_INLINE Type broadcast(float value) { return Type{value, value, value, value}; }
  COFFEE_FAST_INLINE Type zero() { return Type{}; }
  COFFEE_FAST_INLINE Type add(Type a, Type b) { return a + b; }
  COFFEE_FAST_INLINE Type subtract(Type a, Type b) { return a - b; }
  COFFEE_FAST_INLINE Type multiply(Type a, Type b) { return a * b; }
  COFFEE_FAST_INLINE Type multiply_add(Type a, Type b, Type c) { return a * b + c; }
  COFFEE_FAST_INLINE Type divide(Type a, Type b) { return a / b; }
  COFFEE_FAST_INLINE Type square_root(Type a) {
    return Type{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])};
  }
  /// value where condition > 0, else 0.
  COFFEE_FAST_INLINE Type where_positive(Type condition, Type value) { return condition > 0.0f ? value : Type{}; }
  /// value where it is not below floor, and NaN where it is NaN.
  COFFEE_FAST_INLINE Type at_least(Type value, Type floor) { return value < floor ? floor : value; }
  COFFEE_FAST_INLINE void store(float* target, Type value) { __builtin_memcpy(target, &value, sizeof value); }
  /// The first `count` <= width elements.
  COFFEE_FAST_INLINE void store_first(float* target, Type value, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) target[i] = value[i];
  }
};

#if defined(__AVX2__) && defined(__FMA__)
struct Avx2Vector {
  using Type = __m256;
  static constexpr std::size_t width = 8;
  static constexpr std::size_t num_registers = 16;
  static constexpr std::size_t panels_at_full_height = 1;

  COFFEE_FAST_INLINE Type load(const float* source) { return _mm256_loadu_ps(source); }
  COFFEE_FAST_INLINE Type broadcast(float value) { return _mm256_set1_ps(value); }
  COFFEE_FAST_INLINE Type zero() { return _mm256_setzero_ps(); }
  COFFEE_FAST_INLINE Type add(Type a, Type b) { return _mm256_add_ps(a, b); }
  COFFEE_FAST_INLINE Type subtract(Type a, Type b) { return _mm256_sub_ps(a, b); }
  COFFEE_FAST_INLINE Type multiply(Type a, Type b) { return _mm256_mul_ps(a, b); }
  COFFEE_FAST_INLINE Type multiply_add(Type a, Type b, Type c) { return _mm256_fmadd_ps(a, b, c); }
  COFFEE_FAST_INLINE Type divide(Type a, Type b) { return _mm256_div_ps(a, b); }
  COFFEE_FAST_INLINE Type square_root(Type a) { return _mm256_sqrt_ps(a); }
  COFFEE_FAST_INLINE Type where_positive(Type condition, Type value) {
    return _mm256_and_ps(_mm256_cmp_ps(condition, _mm256_setzero_ps(), _CMP_GT_OQ), value);
  }
  COFFEE_FAST_INLINE Type at_least(Type value, Type floor) { return _mm256_max_ps(floor, value); }
  COFFEE_FAST_INLINE void store(float* target, Type value) { _mm256_storeu_ps(target, value); }
  COFFEE_FAST_INLINE void store_first(float* target, Type value, std::size_t count) {
    if (count == width) return store(target, value);
    __m128 left = _mm256_castps256_ps128(value);  // by halves: a masked store costs some processors twenty times more
    if (count & 4) {
      _mm_storeu_ps(target, left);
      left = _mm256_extractf128_ps(value, 1);
      target += 4;
    }
    if (count & 2) {
      _mm_storel_pi(reinterpret_cast<__m64*>(target), left);
      left = _mm_movehl_ps(left, left);
      target += 2;
    }
    if (count & 1) _mm_store_ss(target, left);
  }
};
#endif

#if defined(__AVX512F__)
struct Avx512Vector {
  using Type = __m512;
  using Half = Avx2Vector;
  static constexpr std::size_t width = 16;
  static constexpr std::size_t num_registers = 32;
  static constexpr std::size_t panels_at_full_height = 2;

  COFFEE_FAST_INLINE Type load(const float* source) { return _mm512_loadu_ps(source); }
  COFFEE_FAST_INLINE Type broadcast(float value) { return _mm512_set1_ps(value); }
  COFFEE_FAST_INLINE Type zero() { return _mm512_setzero_ps(); }
  COFFEE_FAST_INLINE Type add(Type a, Type b) { return _mm512_add_ps(a, b); }
  COFFEE_FAST_INLINE Type subtract(Type a, Type b) { return _mm512_sub_ps(a, b); }
  COFFEE_FAST_INLINE Type multiply(Type a, Type b) { return _mm512_mul_ps(a, b); }
  COFFEE_FAST_INLINE Type multiply_add(Type a, Type b, Type c) { return _mm512_fmadd_ps(a, b, c); }
  COFFEE_FAST_INLINE Half::Type multiply_halves(Type a) {
    return _mm256_mul_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  }
  COFFEE_FAST_INLINE Type divide(Type a, Type b) { return _mm512_div_ps(a, b); }
  COFFEE_FAST_INLINE Type square_root(Type a) { return _mm512_sqrt_ps(a); }
  COFFEE_FAST_INLINE Type where_positive(Type condition, Type value) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(condition, _mm512_setzero_ps(), _CMP_GT_OQ), value);
  }
  COFFEE_FAST_INLINE Type at_least(Type value, Type floor) {
    return _mm512_maskz_max_ps(0xffff, floor, value);  // the plain one makes GCC 12 warn of its own header
  }
  COFFEE_FAST_INLINE void store(float* target, Type value) { _mm512_storeu_ps(target, value); }
  COFFEE_FAST_INLINE void store_first(float* target, Type value, std::size_t count) {
    _mm512_mask_storeu_ps(target, static_cast<__mmask16>((1u << count) - 1u), value);
  }
};
#endif

#if defined(__aarch64__)
/// PortableVector is in NEON's registers already; here products and additions are fused, and all 32 registers are used.
struct NeonVector : PortableVector {
  static constexpr std::size_t num_registers = 32;

  COFFEE_FAST_INLINE Type multiply_add(Type a, Type b, Type c) { return vfmaq_f32(c, a, b); }
  COFFEE_FAST_INLINE Type square_root(Type a) { return vsqrtq_f32(a); }
};
#endif

#undef COFFEE_FAST_INLINE

/// Exchanges the second halves of the lanes of `first` with the first halves of those of `second`, in runs of `half`.
template <class V, std::size_t half, std::size_t... Lane>
[[gnu::always_inline]] inline void exchange(typename V::Type& first, typename V::Type& second,
                                            std::index_sequence<Lane...>) {
  constexpr std::size_t W = V::width;
  const auto low = __builtin_shufflevector(first, second, (Lane & half ? W + Lane - half : Lane)...);
  second = __builtin_shufflevector(first, second, (Lane & half ? W + Lane : Lane + half)...);
  first = low;
}

/// Transposes a square of V::width registers in place, by exchanges of ever smaller squares.
template <class V, std::size_t half = V::width / 2>
[[gnu::always_inline]] inline void transpose(typename V::Type (&rows)[V::width]) {
#pragma GCC unroll 16
  for (std::size_t i = 0; i < V::width; ++i)
    if (!(i & half)) exchange<V, half>(rows[i], rows[i + half], std::make_index_sequence<V::width>{});
  if constexpr (half > 1) transpose<V, half / 2>(rows);
}

/// The sum of all lanes: lane i and i + half are added first, then with half of that, and so on.
template <class V, std::size_t half, std::size_t... Lane>
[[gnu::always_inline]] inline float sum_lanes(typename V::Type sum, std::index_sequence<Lane...> lanes) {
  sum = V::add(sum, __builtin_shufflevector(sum, sum, (Lane + half) % V::width...));
  if constexpr (half > 1)
    return sum_lanes<V, half / 2>(sum, lanes);
  else
    return sum[0];
}

}  // namespace
}  // namespace coffee_fast
