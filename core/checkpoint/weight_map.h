// From tensor names on disk to roles in the model, with every shape checked.
// Not for reading files or configs.
#pragma once

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/family.h"
#include "core/checkpoint/model_adapter.h"

namespace moescope::checkpoint {

/// Fills `weights`, decides the expert store by the names that exist, counts parameters and adds
/// warnings about tensors that are not used. Errors: `tensor.missing`, `tensor.wrong_shape` (all of them
/// named, at most 20, then a count), `tensor.unsupported_dtype`. `own` and `ignored`: AdapterNeeds.
Result<ModelWeights> mapWeights(const CheckpointFiles& files, const NameMap& names,
                                ModelDescription& description, std::span<const OwnTensor> own = {},
                                std::span<const std::string> ignored = {});

}  // namespace moescope::checkpoint
