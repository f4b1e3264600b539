// The block formats of GGUF: numbers in few bits with their scales beside them. Not for finding a block in a
// file; tensor_view.h knows how large blocks are.
#pragma once

#include <cstddef>
#include <span>

#include "core/checkpoint/tensor_view.h"

namespace moescope::checkpoint {

/// Widens the first out.size() elements, a whole number of blocks of a type for which hasBlocks holds. The
/// values are those of ggml's formats: Q4_0, Q5_0 and Q8_0 hold a half-precision factor and 32 integers; Q4_K
/// and Q5_K 8 sub-blocks with a factor and a minimum of 6 bits each; Q6_K 16 sub-blocks with a factor of 8
/// bits; MXFP4 a power of two and 32 numbers of the OCP type E2M1.
void readBlocks(DType dtype, std::span<const std::byte> bytes, std::span<float> out);

/// Rounds `values`, a whole number of blocks, into blocks of Q8_0 (factor: largest magnitude / 127) or Q4_0
/// (factor: the value of largest magnitude / -8), as ggml does. What is not finite makes its block not
/// finite.
void writeBlocks(DType dtype, std::span<const float> values, std::span<std::byte> out);

}  // namespace moescope::checkpoint
