// What an adapter says of a model, checked before anything relies on it: its code is not the program's.
// Not for tensors (weight_map.h).
#pragma once

#include <string>

#include "core/base/result.h"
#include "core/checkpoint/model_adapter.h"

namespace moescope::checkpoint {

/// Errors: `adapter.bad_description`: sizes, layers and routers that cannot be.
Result<void> checkDescribed(const ModelDescription& description, const std::string& file);
/// Errors: `adapter.bad_description`: own tensors without a name, with a name twice, or of another rank.
Result<void> checkNeeds(const AdapterNeeds& needs, const ModelDescription& description);

}  // namespace moescope::checkpoint
