// The tensors of an MoE layer's router and experts, whatever layout the file has. Not for attention and
// norms.
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/family.h"
#include "core/checkpoint/tensor_source.h"

namespace moescope::checkpoint {

/// `{l}` and `{e}` of a name pattern replaced.
std::string expandName(std::string_view pattern, int layer, int expert = 0);

/// down(silu(gate x) * up x) of that width, with biases where the description says so.
ExpertWeights mapMlp(TensorSource& source, const ModelDescription& description, const std::string& prefix,
                     std::string_view gate, std::string_view up, std::string_view down, std::int64_t width);

/// Router, experts and shared expert of a layer. Decides the expert store by the names that exist and reads
/// the router's selection bias into `description`. What is wrong is noted in `source`.
MoeWeights mapMoe(TensorSource& source, const NameMap& names, int layer, ModelDescription& description);

}  // namespace moescope::checkpoint
