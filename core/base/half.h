// Conversions between float32 and the two 16-bit float formats of checkpoints and traces.
// Not for arithmetic: values are widened before anything is computed.
#pragma once

#include <bit>
#include <cstdint>

namespace moescope {

/// bfloat16 bits to float32 (exact).
inline float bfloat16ToFloat(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// float32 to bfloat16 bits, round to nearest even; NaN stays a quiet NaN.
std::uint16_t floatToBfloat16(float value);

/// IEEE 754 binary16 bits to float32 (exact, subnormals included).
float halfToFloat(std::uint16_t bits);

/// float32 to IEEE 754 binary16 bits, round to nearest even; overflow gives infinity.
std::uint16_t floatToHalf(float value);

}  // namespace moescope
