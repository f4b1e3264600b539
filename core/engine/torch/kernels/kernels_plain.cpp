// The variant in plain C++ for processors without AVX2: right everywhere, fast nowhere.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/base/half.h"
#include "core/engine/torch/kernels/kernel_variants.h"

namespace {

constexpr const char* kName = "plain";

struct Bf16;
struct F16;
struct Q8Block;
struct Q4Block;
float widened(Bf16 element);
float widened(F16 element);
float widened(float element) { return element; }

struct Vec {
  static constexpr std::int64_t kLanes = 4;
  static constexpr int kRowsOfTile = 2;
  float v[kLanes];

  static Vec broadcast(float x) { return {{x, x, x, x}}; }
  template <class Element>
  static Vec load(const Element* p) {
    return {{widened(p[0]), widened(p[1]), widened(p[2]), widened(p[3])}};
  }
  template <class Element>
  static Vec loadPart(const Element* p, int count) {
    Vec result{};
    for (int i = 0; i < count; ++i) result.v[i] = widened(p[i]);
    return result;
  }
  static void unpack(const Q8Block& block, Vec (&w)[8]);
  static void unpack(const Q4Block& block, Vec (&w)[8]);
  void store(float* p) const { std::copy(v, v + kLanes, p); }
  void storePart(float* p, int count) const { std::copy(v, v + count, p); }

  template <class Function>
  static Vec each(Function function) {
    Vec result;
    for (int i = 0; i < kLanes; ++i) result.v[i] = function(i);
    return result;
  }
  static Vec multiplyAdd(Vec a, Vec b, Vec c) {
    return each([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
  }
  static Vec plus(Vec a, Vec b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
  }
  static Vec times(Vec a, Vec b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
  }
  static Vec divided(Vec a, Vec b) {
    return each([&](int i) { return a.v[i] / b.v[i]; });
  }
  static Vec maximum(Vec a, Vec b) {
    return each([&](int i) { return std::max(a.v[i], b.v[i]); });
  }
  static Vec exponential(Vec x) {
    return each([&](int i) { return std::exp(std::clamp(x.v[i], -87.3F, 88.3F)); });
  }

  float sum() const { return (v[0] + v[1]) + (v[2] + v[3]); }
  float largest() const { return *std::max_element(v, v + kLanes); }
  static void sumOfFour(const Vec* a, float* out) {
    for (int i = 0; i < 4; ++i) out[i] = a[i].sum();
  }
};

}  // namespace

#include "core/engine/torch/kernels/kernel_body.h"

namespace {

float widened(Bf16 element) { return moescope::bfloat16ToFloat(element.bits); }
float widened(F16 element) { return moescope::halfToFloat(element.bits); }

void Vec::unpack(const Q8Block& block, Vec (&w)[8]) {
  const float factor = moescope::halfToFloat(block.scale);
  for (int i = 0; i < kBlockElements; ++i) w[i / 4].v[i % 4] = factor * static_cast<float>(block.values[i]);
}

void Vec::unpack(const Q4Block& block, Vec (&w)[8]) {
  const float factor = moescope::halfToFloat(block.scale);
  for (int i = 0; i < kBlockElements; ++i) {
    const int pair = block.pairs[i % 16];
    w[i / 4].v[i % 4] = factor * static_cast<float>((i < 16 ? pair & 15 : pair >> 4) - 8);
  }
}

}  // namespace

namespace moescope::engine {

const Kernels& plainKernels() { return kTable; }

}  // namespace moescope::engine
