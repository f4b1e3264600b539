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

/// Element types of safetensors and GGUF that MoEScope reads. Others are refused by name.
enum class DType : std::uint8_t {
  F32,
  F16,
  BF16,
  F64,
  I64,
  I32,
  I16,
  I8,
  U8,
  Bool,
  F8E4M3,
  Mxfp4,  ///< no type of safetensors: two values of 4 bits a byte, which the file holds as U8
  Q4_0,   ///< from here on the types of GGUF whose blocks hold their own scales (block_formats.h)
  Q5_0,
  Q8_0,
  Q4_K,
  Q5_K,
  Q6_K,
  BlockMxfp4
};

std::string_view name(DType dtype);        ///< as in the file: "BF16"
std::size_t bytesPerElement(DType dtype);  ///< 1 for what is quantised

/// Elements that are stored together, and their bytes. A row is a whole number of blocks.
struct BlockSize {
  std::int64_t elements = 1;
  std::int64_t bytes = 1;
};
BlockSize blockSize(DType dtype);  ///< {1, bytesPerElement} where every element stands alone
/// True where a block of elements holds its own scales.
inline bool hasBlocks(DType dtype) { return dtype >= DType::Q4_0; }

/// Scales of a quantised matrix, one a block of `blockRows` x `blockColumns`; blocks at the edges may be
/// partial.
struct BlockScales {
  std::span<const std::byte> bytes;
  DType dtype = DType::F32;  ///< F32: a factor; U8: the power of two with exponent scale - 127
  std::int64_t blockRows = 1;
  std::int64_t blockColumns = 1;
  std::int64_t rowStride = 0;  ///< scales from one row of blocks to the next
};

/// Little-endian, not necessarily aligned to the element size. Borrows from the files of the Checkpoint it
/// came from.
struct TensorView {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;          ///< in elements, an axis each; empty: row-major without gaps
  std::span<const std::byte> bytes;           ///< from the first element to the last
  std::shared_ptr<const BlockScales> scales;  ///< of F8E4M3 and Mxfp4; null for all others

  [[nodiscard]] std::int64_t elementCount() const;
  [[nodiscard]] bool exists() const { return !name.empty(); }
  /// Stored in less than 16 bits an element, with scales.
  [[nodiscard]] bool isQuantised() const { return scales != nullptr || hasBlocks(dtype); }
};

/// Part `index` of the first axis, which is dropped.
TensorView part(const TensorView& tensor, std::int64_t index);
/// `count` entries of an axis, from `first`, every `step`-th. Not of the last axis where there are blocks.
TensorView slice(const TensorView& tensor, std::size_t axis, std::int64_t first, std::int64_t count,
                 std::int64_t step = 1);
/// A matrix with rows and columns exchanged. Not where there are blocks.
TensorView transposed(const TensorView& matrix);

}  // namespace moescope::checkpoint
