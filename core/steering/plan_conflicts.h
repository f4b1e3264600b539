// Where rules of a plan meet: everything banned, one rule over another, more pins than top-k.
// Not for errors inside one rule.
#pragma once

#include <optional>
#include <string>

#include "core/steering/steering_plan.h"

namespace moescope::steering {

/// A token ("in prefill, from token 8") at which the layer has no expert left; nothing if there is none.
std::optional<std::string> allBannedPlace(const LayerPlan& layer);

/// Fills plan.conflicts and plan.warnings, each pair of rules once.
void findConflicts(SteeringPlan& plan);

}  // namespace moescope::steering
