#include "core/checkpoint/float_values.h"

#include <cstring>

#include "core/base/half.h"

namespace moescope::checkpoint {

namespace {

template <class Bits>
Bits read(const TensorView& view, std::size_t index) {
  Bits bits;
  std::memcpy(&bits, view.bytes.data() + index * sizeof(Bits), sizeof(Bits));
  return bits;
}

}  // namespace

float floatAt(const TensorView& view, std::size_t index) {
  switch (view.dtype) {
    case DType::F32: return read<float>(view, index);
    case DType::BF16: return bfloat16ToFloat(read<std::uint16_t>(view, index));
    case DType::F16: return halfToFloat(read<std::uint16_t>(view, index));
    case DType::F64: return static_cast<float>(read<double>(view, index));
    default: return 0.0F;
  }
}

std::vector<float> floatsOf(const TensorView& view) {
  if (!view.exists()) return {};
  std::vector<float> values(static_cast<std::size_t>(view.elementCount()));
  forEachElement(view, [&](std::size_t at, std::size_t index) { values[at] = floatAt(view, index); });
  return values;
}

}  // namespace moescope::checkpoint
