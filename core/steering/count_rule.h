// How many experts a COUNT rule asks for. Not for which of several rules wins, nor for its limits.
#pragma once

#include <span>

#include "core/steering/steering_plan.h"

namespace moescope::steering {

/// Of one token, before the rule's own clip: `logits` and `scores` [experts] of the steered router
/// (docs/steering.md, COUNT).
int countOf(const PlanStep& step, std::span<const float> logits, std::span<const float> scores,
            const RouterSpec& router);

}  // namespace moescope::steering
