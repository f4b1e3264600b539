// The AVX-512 variant (f, bw, dq, vl). Compiled with those flags, called only where they exist.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstdint>

#include "core/engine/torch/kernels/kernel_variants.h"

namespace {

constexpr const char* kName = "avx512";

struct Bf16;
struct F16;
struct Q8Block;
struct Q4Block;

struct Vec {
  static constexpr std::int64_t kLanes = 16;
  static constexpr int kRowsOfTile = 6;  // 6 x 4 sums, 4 inputs and a weight fit the 32 registers
  __m512 v;

  static __mmask16 mask(int count) { return static_cast<__mmask16>((1U << count) - 1U); }
  static Vec broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static Vec load(const Bf16* p) { return widened(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
  static Vec load(const F16* p) {
    return {_mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)))};
  }
  static Vec loadPart(const float* p, int count) { return {_mm512_maskz_loadu_ps(mask(count), p)}; }
  static Vec loadPart(const Bf16* p, int count) { return widened(_mm256_maskz_loadu_epi16(mask(count), p)); }
  static Vec loadPart(const F16* p, int count) {
    return {_mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask(count), p))};
  }
  static void unpack(const Q8Block& block, Vec (&w)[2]);
  static void unpack(const Q4Block& block, Vec (&w)[2]);
  void store(float* p) const { _mm512_storeu_ps(p, v); }
  void storePart(float* p, int count) const { _mm512_mask_storeu_ps(p, mask(count), v); }

  static Vec multiplyAdd(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  static Vec plus(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
  static Vec times(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
  static Vec divided(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
  static Vec maximum(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }

  /// e^x to about 1e-7 relative: x = n ln 2 + r, a polynomial in r (minimax coefficients of the Cephes
  /// library's expf), scaled by 2^n. min and max give their second operand for NaN, so that it stays.
  static Vec exponential(Vec x) {
    const __m512 low = _mm512_set1_ps(-87.3F);
    const __m512 high = _mm512_set1_ps(88.3F);
    const __m512 a = _mm512_min_ps(high, _mm512_max_ps(low, x.v));
    const __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(a, _mm512_set1_ps(1.44269504F)), 0);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375F), a);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4F), r);
    __m512 y = _mm512_set1_ps(1.9875691500e-4F);
    y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.3981999507e-3F));
    y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(8.3334519073e-3F));
    y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(4.1665795894e-2F));
    y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(1.6666665459e-1F));
    y = _mm512_fmadd_ps(y, r, _mm512_set1_ps(5.0000001201e-1F));
    y = _mm512_fmadd_ps(y, _mm512_mul_ps(r, r), _mm512_add_ps(r, _mm512_set1_ps(1.0F)));
    return {_mm512_scalef_ps(y, n)};
  }

  float sum() const {
    const __m128 s = quarter();
    const __m128 pairs = _mm_hadd_ps(s, s);
    return _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs));
  }
  float largest() const { return _mm512_reduce_max_ps(v); }
  static void sumOfFour(const Vec* a, float* out) {
    const __m128 first = _mm_hadd_ps(a[0].quarter(), a[1].quarter());
    const __m128 second = _mm_hadd_ps(a[2].quarter(), a[3].quarter());
    _mm_storeu_ps(out, _mm_hadd_ps(first, second));
  }

 private:
  static Vec widened(__m256i bits) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16))};
  }
  __m128 quarter() const {
    const __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  }
};

}  // namespace

#include "core/engine/torch/kernels/kernel_body.h"

namespace {

inline __m512 factorOf(unsigned short half) {
  return _mm512_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}

inline void Vec::unpack(const Q8Block& block, Vec (&w)[2]) {
  const __m512 factor = factorOf(block.scale);
  for (int i = 0; i < 2; ++i) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.values + i * 16));
    w[i] = {_mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)), factor)};
  }
}

/// The 16 possible values times the factor are a table; a permutation takes the low four bits of each index.
inline void Vec::unpack(const Q4Block& block, Vec (&w)[2]) {
  const __m512 table = _mm512_mul_ps(_mm512_setr_ps(-8.0F, -7.0F, -6.0F, -5.0F, -4.0F, -3.0F, -2.0F, -1.0F,
                                                    0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F, 7.0F),
                                     factorOf(block.scale));
  const __m512i pairs = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block.pairs)));
  w[0] = {_mm512_permutexvar_ps(pairs, table)};
  w[1] = {_mm512_permutexvar_ps(_mm512_srli_epi32(pairs, 4), table)};
}

}  // namespace

namespace moescope::engine {

const Kernels& avx512Kernels() { return kTable; }

}  // namespace moescope::engine

#endif
