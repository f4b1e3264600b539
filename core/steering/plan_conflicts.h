// Where rules of a plan meet: everything banned, one rule over another, more pins than top-k.
// Not for errors inside one rule.
#pragma once

#include <optional>
#include <string>

#include "core/steering/steering_plan.h"

namespace moescope::steering {

/// What is wrong where bans leave a layer no expert ("the rules ban all 32 experts, in prefill at token 8"),
/// or leave a rule that gives the choice none of its experts; nothing if every token keeps one.
std::optional<std::string> allBannedFault(const LayerPlan& layer);

/// Fills plan.conflicts and plan.warnings, each pair of rules once.
void findConflicts(SteeringPlan& plan);

}  // namespace moescope::steering
