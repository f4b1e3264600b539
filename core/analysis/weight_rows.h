// Weight rows: rows of a two-dimensional weight in single precision, whatever it is stored as.
// Not for whole models: one row is read at a time.
#pragma once

#include <span>

#include "core/checkpoint/tensor_view.h"

namespace moescope::analysis {

/// Row `row` of `tensor` [rows, out.size()], stored as F32, F16, BF16 or F64 (a checkpoint that opened has no
/// other weights; anything else reads as NaN).
void readWeightRow(const checkpoint::TensorView& tensor, std::int64_t row, std::span<float> out);

}  // namespace moescope::analysis
