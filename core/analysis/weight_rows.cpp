#include "core/analysis/weight_rows.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/base/half.h"

namespace moescope::analysis {

namespace {

/// Files are not aligned to the element size: values are copied out.
template <class Stored, class Widen>
void readRow(std::span<const std::byte> bytes, std::span<float> out, Widen widen) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored value{};
    std::memcpy(&value, bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = widen(value);
  }
}

}  // namespace

void readWeightRow(const checkpoint::TensorView& tensor, std::int64_t row, std::span<float> out) {
  const std::size_t stride = out.size() * checkpoint::bytesPerElement(tensor.dtype);
  const std::size_t first = static_cast<std::size_t>(row) * stride;
  if (first + stride > tensor.bytes.size()) {
    std::ranges::fill(out, std::numeric_limits<float>::quiet_NaN());
    return;
  }
  const auto bytes = tensor.bytes.subspan(first, stride);
  switch (tensor.dtype) {
    case checkpoint::DType::F32: readRow<float>(bytes, out, [](float v) { return v; }); return;
    case checkpoint::DType::F16: readRow<std::uint16_t>(bytes, out, halfToFloat); return;
    case checkpoint::DType::BF16: readRow<std::uint16_t>(bytes, out, bfloat16ToFloat); return;
    case checkpoint::DType::F64:
      readRow<double>(bytes, out, [](double v) { return static_cast<float>(v); });
      return;
    default: std::ranges::fill(out, std::numeric_limits<float>::quiet_NaN());
  }
}

}  // namespace moescope::analysis
