// The elements of a stored tensor as numbers. Not for arithmetic on matrices.
#pragma once

#include <span>
#include <vector>

#include "core/checkpoint/tensor_view.h"

namespace moescope::checkpoint {

/// Writes one row of a matrix, or a vector as row 0, to `out` [columns]. Quantised elements are multiplied
/// with the scale of their block. Integers give 0.
void readRow(const TensorView& view, std::int64_t row, std::span<float> out);

/// All elements in row-major order; empty if the view does not exist.
std::vector<float> floatsOf(const TensorView& view);

}  // namespace moescope::checkpoint
