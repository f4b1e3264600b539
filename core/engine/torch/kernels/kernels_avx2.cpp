// The AVX2 variant (with FMA and F16C). Compiled with those flags, called only where they exist.
#if defined(__x86_64__)

#include <immintrin.h>

#include <cstdint>

#include "core/engine/torch/kernels/kernel_variants.h"

namespace {

constexpr const char* kName = "avx2";

struct Bf16;
struct F16;
struct Q8Block;
struct Q4Block;

struct Vec {
  static constexpr std::int64_t kLanes = 8;
  static constexpr int kRowsOfTile = 2;  // 2 x 4 sums, 4 inputs and a weight fit the 16 registers
  __m256 v;

  static Vec broadcast(float x) { return {_mm256_set1_ps(x)}; }
  static Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static Vec load(const Bf16* p) { return widened(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
  static Vec load(const F16* p) {
    return {_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))};
  }
  static Vec loadPart(const float* p, int count) {
    float filled[kLanes] = {};
    __builtin_memcpy(filled, p, sizeof(float) * static_cast<unsigned>(count));
    return load(filled);
  }
  static Vec loadPart(const Bf16* p, int count) { return widened(part(p, count)); }
  static Vec loadPart(const F16* p, int count) { return {_mm256_cvtph_ps(part(p, count))}; }
  static void unpack(const Q8Block& block, Vec (&w)[4]);
  static void unpack(const Q4Block& block, Vec (&w)[4]);
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  void storePart(float* p, int count) const {
    float all[kLanes];
    store(all);
    __builtin_memcpy(p, all, sizeof(float) * static_cast<unsigned>(count));
  }

  static Vec multiplyAdd(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  static Vec plus(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
  static Vec times(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
  static Vec divided(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
  static Vec maximum(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }

  /// e^x to about 1e-7 relative: x = n ln 2 + r, a polynomial in r (minimax coefficients of the Cephes
  /// library's expf), scaled by 2^n. min and max give their second operand for NaN, so that it stays.
  static Vec exponential(Vec x) {
    const __m256 a = _mm256_min_ps(_mm256_set1_ps(88.3F), _mm256_max_ps(_mm256_set1_ps(-87.3F), x.v));
    const __m256 n = _mm256_round_ps(_mm256_mul_ps(a, _mm256_set1_ps(1.44269504F)),
                                     _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375F), a);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4F), r);
    __m256 y = _mm256_set1_ps(1.9875691500e-4F);
    y = _mm256_fmadd_ps(y, r, _mm256_set1_ps(1.3981999507e-3F));
    y = _mm256_fmadd_ps(y, r, _mm256_set1_ps(8.3334519073e-3F));
    y = _mm256_fmadd_ps(y, r, _mm256_set1_ps(4.1665795894e-2F));
    y = _mm256_fmadd_ps(y, r, _mm256_set1_ps(1.6666665459e-1F));
    y = _mm256_fmadd_ps(y, r, _mm256_set1_ps(5.0000001201e-1F));
    y = _mm256_fmadd_ps(y, _mm256_mul_ps(r, r), _mm256_add_ps(r, _mm256_set1_ps(1.0F)));
    const __m256i exponent =
        _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return {_mm256_mul_ps(y, _mm256_castsi256_ps(exponent))};
  }

  float sum() const {
    const __m128 s = half();
    const __m128 pairs = _mm_hadd_ps(s, s);
    return _mm_cvtss_f32(_mm_hadd_ps(pairs, pairs));
  }
  float largest() const {
    float all[kLanes];
    store(all);
    float found = all[0];
    for (int i = 1; i < kLanes; ++i) found = all[i] > found ? all[i] : found;
    return found;
  }
  static void sumOfFour(const Vec* a, float* out) {
    const __m128 first = _mm_hadd_ps(a[0].half(), a[1].half());
    const __m128 second = _mm_hadd_ps(a[2].half(), a[3].half());
    _mm_storeu_ps(out, _mm_hadd_ps(first, second));
  }

 private:
  static __m128i part(const void* p, int count) {
    unsigned short filled[kLanes] = {};
    __builtin_memcpy(filled, p, sizeof(unsigned short) * static_cast<unsigned>(count));
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(filled));
  }
  static Vec widened(__m128i bits) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16))};
  }
  __m128 half() const { return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)); }
};

}  // namespace

#include "core/engine/torch/kernels/kernel_body.h"

namespace {

inline __m256 factorOf(unsigned short half) {
  return _mm256_broadcastss_ps(_mm_cvtph_ps(_mm_cvtsi32_si128(half)));
}
/// The first eight bytes as numbers times the factor.
inline __m256 scaled(__m128i bytes, __m256 factor) {
  return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), factor);
}

inline void Vec::unpack(const Q8Block& block, Vec (&w)[4]) {
  const __m256 factor = factorOf(block.scale);
  for (int i = 0; i < 4; ++i)
    w[i] = {scaled(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(block.values + i * 8)), factor)};
}

inline void Vec::unpack(const Q4Block& block, Vec (&w)[4]) {
  const __m256 factor = factorOf(block.scale);
  const __m128i pairs = _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.pairs));
  const __m128i nibble = _mm_set1_epi8(15);
  const __m128i offset = _mm_set1_epi8(8);
  const __m128i low = _mm_sub_epi8(_mm_and_si128(pairs, nibble), offset);
  const __m128i high = _mm_sub_epi8(_mm_and_si128(_mm_srli_epi16(pairs, 4), nibble), offset);
  w[0] = {scaled(low, factor)};
  w[1] = {scaled(_mm_srli_si128(low, 8), factor)};
  w[2] = {scaled(high, factor)};
  w[3] = {scaled(_mm_srli_si128(high, 8), factor)};
}

}  // namespace

namespace moescope::engine {

const Kernels& avx2Kernels() { return kTable; }

}  // namespace moescope::engine

#endif
