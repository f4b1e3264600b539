#include "core/checkpoint/float_values.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/half.h"
#include "core/checkpoint/block_formats.h"

namespace moescope::checkpoint {

namespace {

template <class Bits>
Bits read(const TensorView& view, std::int64_t index) {
  Bits bits;
  std::memcpy(&bits, view.bytes.data() + static_cast<std::size_t>(index) * sizeof(Bits), sizeof(Bits));
  return bits;
}

/// float8_e4m3fn: sign, 4 bits of exponent with bias 7, 3 of mantissa; no infinity, all ones is NaN.
std::array<float, 256> float8Values() {
  std::array<float, 256> values{};
  for (int bits = 0; bits < 256; ++bits) {
    const int exponent = bits >> 3 & 15;
    const int mantissa = bits & 7;
    float value = exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9)
                                : std::ldexp(static_cast<float>(8 + mantissa), exponent - 10);
    if ((bits & 127) == 127) value = std::numeric_limits<float>::quiet_NaN();
    values[static_cast<std::size_t>(bits)] = (bits & 128) != 0 ? -value : value;
  }
  return values;
}

/// E2M1 of the OCP microscaling formats.
constexpr std::array<float, 16> kFloat4Values{0.0F,  0.5F,  1.0F,  1.5F,  2.0F,  3.0F,  4.0F,  6.0F,
                                              -0.0F, -0.5F, -1.0F, -1.5F, -2.0F, -3.0F, -4.0F, -6.0F};

float scaleAt(const BlockScales& scales, std::int64_t index) {
  if (scales.dtype == DType::U8)
    return std::ldexp(1.0F, static_cast<int>(scales.bytes[static_cast<std::size_t>(index)]) - 127);
  float scale = 0.0F;
  std::memcpy(&scale, scales.bytes.data() + static_cast<std::size_t>(index) * sizeof scale, sizeof scale);
  return scale;
}

/// Two elements a byte, the low half first.
float float4At(const TensorView& view, std::int64_t index) {
  const auto byte = static_cast<unsigned>(view.bytes[static_cast<std::size_t>(index / 2)]);
  return kFloat4Values[index % 2 == 0 ? byte & 15U : byte >> 4U];
}

void readQuantised(const TensorView& view, std::int64_t row, std::int64_t rowStride, std::span<float> out) {
  static const std::array<float, 256> kFloat8 = float8Values();
  const BlockScales& scales = *view.scales;
  const std::int64_t firstScale = row / scales.blockRows * scales.rowStride;
  const auto columns = static_cast<std::int64_t>(out.size());
  for (std::int64_t first = 0; first < columns; first += scales.blockColumns) {
    const float scale = scaleAt(scales, firstScale + first / scales.blockColumns);
    const std::int64_t end = std::min(columns, first + scales.blockColumns);
    for (std::int64_t c = first; c < end; ++c) {
      const std::int64_t index = row * rowStride + c;
      const float value =
          view.dtype == DType::F8E4M3 ? kFloat8[read<std::uint8_t>(view, index)] : float4At(view, index);
      out[static_cast<std::size_t>(c)] = value * scale;
    }
  }
}

float plainAt(const TensorView& view, std::int64_t index) {
  switch (view.dtype) {
    case DType::F32: return read<float>(view, index);
    case DType::BF16: return bfloat16ToFloat(read<std::uint16_t>(view, index));
    case DType::F16: return halfToFloat(read<std::uint16_t>(view, index));
    case DType::F64: return static_cast<float>(read<double>(view, index));
    default: return 0.0F;
  }
}

}  // namespace

void readRow(const TensorView& view, std::int64_t row, std::span<float> out) {
  const bool isMatrix = view.shape.size() == 2;
  const std::int64_t columnStride = view.strides.empty() ? 1 : view.strides.back();
  const std::int64_t rowStride = !isMatrix              ? 0
                                 : view.strides.empty() ? view.shape.back()
                                                        : view.strides.front();
  if (hasBlocks(view.dtype)) {
    const BlockSize block = blockSize(view.dtype);
    readBlocks(view.dtype,
               view.bytes.subspan(static_cast<std::size_t>(row * rowStride / block.elements * block.bytes)),
               out);
    return;
  }
  if (view.scales != nullptr) {
    readQuantised(view, row, rowStride, out);
    return;
  }
  for (std::size_t c = 0; c < out.size(); ++c)
    out[c] = plainAt(view, row * rowStride + static_cast<std::int64_t>(c) * columnStride);
}

std::vector<float> floatsOf(const TensorView& view) {
  if (!view.exists()) return {};
  std::vector<float> values(static_cast<std::size_t>(view.elementCount()));
  if (values.empty()) return values;
  const auto columns = static_cast<std::size_t>(view.shape.empty() ? 1 : view.shape.back());
  for (std::size_t row = 0; row < values.size() / columns; ++row)
    readRow(view, static_cast<std::int64_t>(row), std::span(values).subspan(row * columns, columns));
  return values;
}

}  // namespace moescope::checkpoint
