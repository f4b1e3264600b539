// TensorView: a named tensor inside a mapped file, as stored. Not for arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::checkpoint {

/// Element types of safetensors that MoEScope reads. Others are refused by name.
/// Mxfp4 is no type of safetensors: two values of 4 bits a byte, which the file holds as U8.
enum class DType : std::uint8_t { F32, F16, BF16, F64, I64, I32, I16, I8, U8, Bool, F8E4M3, Mxfp4 };

std::string_view name(DType dtype);  ///< as in the file: "BF16"
std::size_t bytesPerElement(DType dtype);

/// Scales of a quantised matrix, one a block of `blockRows` x `blockColumns`; blocks at the edges may be
/// partial.
struct BlockScales {
  std::span<const std::byte> bytes;
  DType dtype = DType::F32;  ///< F32: a factor; U8: the power of two with exponent scale - 127
  std::int64_t blockRows = 1;
  std::int64_t blockColumns = 1;
  std::int64_t rowStride = 0;  ///< scales from one row of blocks to the next
};

/// Little-endian, not necessarily aligned to the element size. Borrows from the mapped files of the
/// Checkpoint it came from.
struct TensorView {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;          ///< in elements, an axis each; empty: row-major without gaps
  std::span<const std::byte> bytes;           ///< from the first element to the last
  std::shared_ptr<const BlockScales> scales;  ///< of F8E4M3 and Mxfp4; null for all others

  [[nodiscard]] std::int64_t elementCount() const;
  [[nodiscard]] bool exists() const { return !name.empty(); }
};

/// Part `index` of the first axis, which is dropped.
TensorView part(const TensorView& tensor, std::int64_t index);
/// `count` entries of an axis, from `first`, every `step`-th.
TensorView slice(const TensorView& tensor, std::size_t axis, std::int64_t first, std::int64_t count,
                 std::int64_t step = 1);
/// A matrix with rows and columns exchanged.
TensorView transposed(const TensorView& matrix);

}  // namespace moescope::checkpoint
