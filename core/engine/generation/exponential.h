// Exponentials of many float32 values at once. Not for anything that needs the last bit.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace moescope::engine {

/// The least argument: exp of less is no normal float any more.
inline constexpr float kExpFloor = -87.0F;

/// exp(x) for x in [-87, 0] with a relative error below 2e-7 and without a branch, so that the
/// compiler can compute several at once: 2^n * 2^f with f in [-1/2, 1/2], Taylor series of degree 7.
inline float expOfNegative(float x) {
  constexpr float kLog2E = 1.44269504F;
  constexpr float kLn2High = 0.693359375F;  // ln 2 in two parts (Cody and Waite)
  constexpr float kLn2Low = -2.12194440e-4F;
  constexpr float kToInteger = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  const float shifted = x * kLog2E + kToInteger;
  const float whole = shifted - kToInteger;
  const float rest = (x - whole * kLn2High) - whole * kLn2Low;
  float series = 1.0F / 5040;
  series = series * rest + 1.0F / 720;
  series = series * rest + 1.0F / 120;
  series = series * rest + 1.0F / 24;
  series = series * rest + 1.0F / 6;
  series = series * rest + 0.5F;
  series = series * rest + 1.0F;
  series = series * rest + 1.0F;
  const auto exponent = std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(kToInteger);
  return series * std::bit_cast<float>((exponent + 127) << 23);
}

/// The same for many values; `out` is as long as `in`.
inline void expOfNegative(std::span<const float> in, std::span<float> out) {
  constexpr std::size_t kLanes = 8;  // a fixed count makes every compiler level use vectors
  std::size_t i = 0;
  for (; i + kLanes <= in.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) out[i + lane] = expOfNegative(in[i + lane]);
  }
  for (; i < in.size(); ++i) out[i] = expOfNegative(in[i]);
}

}  // namespace moescope::engine
