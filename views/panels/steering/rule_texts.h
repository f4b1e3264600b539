// Rule texts: how a row of the steering panel words a rule's scope and what it did. Not for the title
// (core/steering) or for conflicts (the compiler words them).
#pragma once

#include <QString>

#include "core/base/router_spec.h"
#include "core/steering/steering_plan.h"
#include "core/steering/steering_program.h"

namespace moescope::views {

/// Name of the icon of a rule's verb.
QString verbIcon(const steering::Rule& rule);

/// Whether a rule acts on experts that it names or on all of them; false for rules on whole layers.
bool actsOnExperts(const steering::Rule& rule);

/// "layer 7", "layers 0–1", "3 layers", "all layers, attention".
QString layersScopeText(const steering::Rule& rule);
/// "expert 41", "9 experts", "all experts", "9 experts, 2 released".
QString expertsScopeText(const steering::Rule& rule);
/// "decode", "prefill", "both phases".
QString phaseText(steering::PhaseScope phase);
/// "all tokens", "from token 60", "tokens 60–99, every 2nd"; both ends are named.
QString tokensScopeText(const steering::PositionScope& positions);

/// What the rule did: "chosen by 50 of 128 tokens, natively 19". Empty where there is nothing to count.
QString effectText(const steering::Rule& rule, const steering::RuleEffect& effect,
                   const std::vector<RouterSpec>& routers);

}  // namespace moescope::views
