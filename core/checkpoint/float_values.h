// The elements of a stored tensor as numbers. Not for arithmetic on matrices, which reads them in place.
#pragma once

#include <vector>

#include "core/checkpoint/tensor_view.h"

namespace moescope::checkpoint {

/// Element `index` counted from the view's first byte, whatever the strides. 0 for dtypes that hold no real
/// numbers.
float floatAt(const TensorView& view, std::size_t index);

/// Calls `visit(at, index)` in row-major order: `at` counts the elements, `index` is the place for floatAt.
template <class Visit>
void forEachElement(const TensorView& view, const Visit& visit) {
  const auto count = static_cast<std::size_t>(view.elementCount());
  if (view.strides.empty()) {
    for (std::size_t i = 0; i < count; ++i) visit(i, i);
    return;
  }
  // Only vectors and matrices have gaps.
  const bool isMatrix = view.shape.size() == 2;
  const auto columns = static_cast<std::size_t>(view.shape.back());
  const auto rowStride = isMatrix ? static_cast<std::size_t>(view.strides.front()) : 0;
  const auto columnStride = static_cast<std::size_t>(view.strides.back());
  for (std::size_t i = 0; i < count; ++i) visit(i, i / columns * rowStride + i % columns * columnStride);
}

/// All elements in row-major order; empty if the view does not exist.
std::vector<float> floatsOf(const TensorView& view);

}  // namespace moescope::checkpoint
