#include "views/panels/steering/run_rules.h"

#include <algorithm>

namespace moescope::views {

namespace {

bool actsAlike(steering::Rule a, const steering::Rule& b) {
  a.name = b.name;
  return a == b;
}

}  // namespace

const RuleEffect* RunRules::effectOf(const steering::Rule& rule) const {
  const steering::Rule* own = program.find(rule.id);
  if (own == nullptr || !own->enabled || !actsAlike(*own, rule)) return nullptr;
  const auto found = std::ranges::find(effects, rule.id, &RuleEffect::ruleId);
  return found == effects.end() ? nullptr : &*found;
}

bool RunRules::hasRulesOf(const steering::SteeringProgram& other) const {
  return std::ranges::equal(program.rules, other.rules, actsAlike);
}

std::optional<RunRules> readRunRules(const trace::TraceStore& store, trace::RunId run) {
  const auto record = store.run(run);
  if (!record) return std::nullopt;
  RunRules rules;
  rules.run = run;
  rules.name = QString::fromStdString(record->name);
  rules.routers = store.routers(run);
  const auto events = store.steeringEvents(run);
  if (events.empty()) return rules;
  if (auto program = steering::parseProgram(events.back().programJson, store.path().string())) {
    rules.program = *std::move(program);
    rules.effects = store.ruleEffects(run);
  }
  return rules;
}

}  // namespace moescope::views
