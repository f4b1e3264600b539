// TensorView: a named tensor inside a mapped file, as stored. Not for arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moescope::checkpoint {

/// Element types of safetensors that MoEScope reads. Others are refused by name.
enum class DType : std::uint8_t { F32, F16, BF16, F64, I64, I32, I16, I8, U8, Bool, F8E4M3 };

std::string_view name(DType dtype);  ///< as in the file: "BF16"
std::size_t bytesPerElement(DType dtype);

/// Row-major, little-endian, not necessarily aligned to the element size. Borrows from the mapped
/// files of the Checkpoint it came from.
struct TensorView {
  std::string name;
  DType dtype = DType::F32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;

  [[nodiscard]] std::int64_t elementCount() const;
  [[nodiscard]] bool exists() const { return !name.empty(); }
};

}  // namespace moescope::checkpoint
