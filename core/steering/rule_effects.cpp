#include <algorithm>

#include "core/steering/steering_plan.h"

namespace moescope::steering {

namespace {

RuleEffect& effectOf(std::int64_t rule, std::vector<RuleEffect>& effects) {
  const auto found =
      std::find_if(effects.begin(), effects.end(), [rule](const RuleEffect& e) { return e.ruleId == rule; });
  if (found != effects.end()) return *found;
  effects.push_back({.ruleId = rule});
  return effects.back();
}

bool contains(std::span<const std::int32_t> ids, std::int32_t id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

}  // namespace

void accumulateEffects(const LayerPlan& plan, const TokenScope& token, std::span<const std::int32_t> ids,
                       const RouterChoice& native, std::vector<RuleEffect>& effects) {
  for (const PlanStep& step : plan.steps) {
    if (!step.covers(token.decode, token.position)) continue;
    RuleEffect& effect = effectOf(step.ruleId, effects);
    ++effect.tokensInScope;
    for (const auto expert : step.experts) {
      effect.chosen += contains(ids, expert) ? 1 : 0;
      effect.nativelyChosen += contains(native.ids, expert) ? 1 : 0;
    }
    if (step.primitive != Primitive::Count) continue;
    for (const auto id : ids) effect.choicesAdded += id >= 0 && !contains(native.ids, id) ? 1 : 0;
    for (std::size_t j = 0; j < native.ids.size(); ++j) {
      effect.nativeMass += native.weights[j];
      if (contains(ids, native.ids[j])) continue;
      ++effect.choicesDropped;
      effect.droppedNativeMass += native.weights[j];
    }
  }
}

}  // namespace moescope::steering
