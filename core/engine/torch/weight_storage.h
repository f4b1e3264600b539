// Which storage a checkpoint's tensors get in memory, and the conversion to it; shared by both decoders.
// Not for holding weights.
#pragma once

#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/checkpoint/checkpoint.h"
#include "core/engine/api/engine.h"
#include "core/engine/torch/kernels/kernels.h"

namespace moescope::engine {

std::string_view name(Storage storage);  ///< "f32", "bf16", "f16", "q8_0", "q4_0"

/// What the user's choice means for a matrix: routers, matrices of adapters and rows that are no whole number
/// of blocks are never rounded to 8 or 4 bits.
Dtype dtypeFor(const checkpoint::TensorView& view, bool mayRound, Dtype chosen);

/// The storage of a tensor under `dtype`; float64 becomes float32, and what is quantised bfloat16 where it
/// cannot stay as it is. Errors: `engine.unsupported` for integers and float8.
Result<Storage> storageFor(const checkpoint::TensorView& view, Dtype dtype);

/// Left as it is unless the user asks for another type; true also of Q8_0 and Q4_0.
bool staysQuantised(const checkpoint::TensorView& view, Dtype dtype);
/// Of a quantised matrix: the elements and their scales.
std::int64_t quantisedBytes(const checkpoint::TensorView& view);
/// The type in the file in lower case: "f8_e4m3", "q4_0".
std::string storedName(const checkpoint::TensorView& view);
/// "bf16", "bf16 and f32", ...
std::string joined(const std::set<std::string>& names);

/// Whether the mapped bytes can be used as they are: same element type, and aligned to it.
bool usableInPlace(const checkpoint::TensorView& view, Storage storage);

/// Writes the view's elements to `out` as `storage`; rounds to nearest even where it narrows.
void convert(const checkpoint::TensorView& view, Storage storage, std::byte* out);

/// Calls `visit` for every tensor that is multiplied as a matrix (embedding, head, projections, routers,
/// experts) and exists, each once, in the order of the forward pass; `mayRound` as dtypeFor takes it.
void forEachMatrix(const checkpoint::ModelWeights& weights,
                   const std::function<void(const checkpoint::TensorView&, bool mayRound)>& visit);

}  // namespace moescope::engine
