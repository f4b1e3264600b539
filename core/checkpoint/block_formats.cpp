#include "core/checkpoint/block_formats.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "core/base/half.h"

namespace moescope::checkpoint {

namespace {

/// One block, byte by byte.
class Block {
 public:
  explicit Block(const std::byte* bytes) : m_bytes(bytes) {}

  [[nodiscard]] int at(int index) const { return std::to_integer<int>(m_bytes[index]); }
  [[nodiscard]] int signedAt(int index) const { return static_cast<std::int8_t>(at(index)); }
  [[nodiscard]] float half(int index) const {
    std::uint16_t bits = 0;
    std::memcpy(&bits, m_bytes + index, sizeof bits);
    return halfToFloat(bits);
  }
  /// Four bits: the first `count` numbers lie in the low halves of `count` bytes, the next in the high ones.
  [[nodiscard]] int nibble(int first, int index, int count) const {
    return at(first + index % count) >> (index < count ? 0 : 4) & 15;
  }

 private:
  const std::byte* m_bytes;
};

void readQ4_0(Block block, float* out) {
  const float scale = block.half(0);
  for (int i = 0; i < 32; ++i) out[i] = scale * static_cast<float>(block.nibble(2, i, 16) - 8);
}

/// The fifth bits of all 32 numbers stand together before the nibbles.
void readQ5_0(Block block, float* out) {
  const float scale = block.half(0);
  for (int i = 0; i < 32; ++i) {
    const int high = block.at(2 + i / 8) >> (i % 8) & 1;
    out[i] = scale * static_cast<float>((block.nibble(6, i, 16) | high << 4) - 16);
  }
}

void readQ8_0(Block block, float* out) {
  const float scale = block.half(0);
  for (int i = 0; i < 32; ++i) out[i] = static_cast<float>(block.signedAt(2 + i)) * scale;
}

void readMxfp4(Block block, float* out) {
  // Twice the values of E2M1, with half the factor: 2^128 is no float.
  constexpr std::array<float, 16> kValues{0.0F,  1.0F,  2.0F,  3.0F,  4.0F,  6.0F,  8.0F,  12.0F,
                                          -0.0F, -1.0F, -2.0F, -3.0F, -4.0F, -6.0F, -8.0F, -12.0F};
  const float scale = std::ldexp(1.0F, block.at(0) - 128);
  for (int i = 0; i < 32; ++i) out[i] = scale * kValues[static_cast<std::size_t>(block.nibble(1, i, 16))];
}

struct SubScales {
  std::array<int, 8> scale, minimum;
};

/// 16 numbers of 6 bits in 12 bytes: the first four of each kind in bytes 0-3 and 4-7, the lower four bits of
/// the others in bytes 8-11 and their upper two in the tops of bytes 0-7.
SubScales subScales(Block block, int first) {
  SubScales sub{};
  for (int i = 0; i < 4; ++i) {
    const int low = block.at(first + i);
    const int middle = block.at(first + 4 + i);
    const int rest = block.at(first + 8 + i);
    const auto at = static_cast<std::size_t>(i);
    sub.scale[at] = low & 63;
    sub.minimum[at] = middle & 63;
    sub.scale[at + 4] = (rest & 15) | (low >> 6) << 4;
    sub.minimum[at + 4] = rest >> 4 | (middle >> 6) << 4;
  }
  return sub;
}

/// Q4_K, and Q5_K where `highBits` is where the fifth bits stand: bit j of byte i belongs to number i of
/// sub-block j.
void readSuperBlock(Block block, int nibbles, int highBits, float* out) {
  const float scale = block.half(0);
  const float minimum = block.half(2);
  const SubScales sub = subScales(block, 4);
  for (int j = 0; j < 8; ++j) {
    const float factor = scale * static_cast<float>(sub.scale[static_cast<std::size_t>(j)]);
    const float offset = minimum * static_cast<float>(sub.minimum[static_cast<std::size_t>(j)]);
    for (int i = 0; i < 32; ++i) {
      int number = block.nibble(nibbles + j / 2 * 32, i + j % 2 * 32, 32);
      if (highBits != 0) number |= (block.at(highBits + i) >> j & 1) << 4;
      out[j * 32 + i] = factor * static_cast<float>(number) - offset;
    }
  }
}

/// Two halves of 128 numbers: four lower bits in 64 bytes, two upper bits in 32, 16 numbers a factor.
void readQ6_K(Block block, float* out) {
  constexpr int kHigh = 128, kScales = 192, kScale = 208;
  const float scale = block.half(kScale);
  for (int part = 0; part < 8; ++part) {  // 32 numbers each
    const int half = part / 4;
    const int quarter = part % 4;
    for (int i = 0; i < 32; ++i) {
      const int low = block.nibble(half * 64 + quarter % 2 * 32, i + quarter / 2 * 32, 32);
      const int high = block.at(kHigh + half * 32 + i) >> (2 * quarter) & 3;
      const float factor = scale * static_cast<float>(block.signedAt(kScales + part * 2 + i / 16));
      out[part * 32 + i] = factor * static_cast<float>((low | high << 4) - 32);
    }
  }
}

/// The value of largest magnitude, the first of several; NaN if one is NaN.
float extreme(std::span<const float> values) {
  float found = 0.0F;
  for (const float value : values) {
    if (std::isnan(value)) return value;
    if (std::abs(value) > std::abs(found)) found = value;
  }
  return found;
}

/// Writes the factor and gives its inverse before it is rounded to half precision; 0 for a block of zeros.
float writeFactor(float factor, std::byte* out) {
  const std::uint16_t bits = floatToHalf(factor);
  std::memcpy(out, &bits, sizeof bits);
  return factor == 0.0F || !std::isfinite(factor) ? 0.0F : 1.0F / factor;
}

void writeQ8_0(std::span<const float> values, std::byte* out) {
  const float inverse = writeFactor(std::abs(extreme(values)) / 127.0F, out);
  for (std::size_t i = 0; i < 32; ++i)
    out[2 + i] =
        static_cast<std::byte>(inverse == 0.0F ? 0 : static_cast<int>(std::round(values[i] * inverse)));
}

void writeQ4_0(std::span<const float> values, std::byte* out) {
  const float inverse = writeFactor(extreme(values) / -8.0F, out);
  const auto nibble = [&](float value) {
    return inverse == 0.0F ? 8 : std::min(15, static_cast<int>(value * inverse + 8.5F));
  };
  for (std::size_t i = 0; i < 16; ++i)
    out[2 + i] = static_cast<std::byte>(nibble(values[i]) | nibble(values[i + 16]) << 4);
}

}  // namespace

void writeBlocks(DType dtype, std::span<const float> values, std::span<std::byte> out) {
  const auto bytes = static_cast<std::size_t>(blockSize(dtype).bytes);
  for (std::size_t block = 0; block < values.size() / 32; ++block) {
    std::byte* to = out.data() + block * bytes;
    const auto from = values.subspan(block * 32, 32);
    dtype == DType::Q8_0 ? writeQ8_0(from, to) : writeQ4_0(from, to);
  }
}

void readBlocks(DType dtype, std::span<const std::byte> bytes, std::span<float> out) {
  const BlockSize size = blockSize(dtype);
  const auto blocks = static_cast<std::int64_t>(out.size()) / size.elements;
  for (std::int64_t b = 0; b < blocks; ++b) {
    const Block block(bytes.data() + b * size.bytes);
    float* to = out.data() + b * size.elements;
    switch (dtype) {
      case DType::Q4_0: readQ4_0(block, to); break;
      case DType::Q5_0: readQ5_0(block, to); break;
      case DType::Q8_0: readQ8_0(block, to); break;
      case DType::BlockMxfp4: readMxfp4(block, to); break;
      case DType::Q4_K: readSuperBlock(block, 16, 0, to); break;
      case DType::Q5_K: readSuperBlock(block, 48, 16, to); break;
      case DType::Q6_K: readQ6_K(block, to); break;
      default: break;
    }
  }
}

}  // namespace moescope::checkpoint
