#include "core/figure/steering_marks.h"

#include <algorithm>
#include <cctype>

#include "core/base/router_label.h"

namespace moescope::figure {

namespace {

using steering::Operation;
using steering::Primitive;
using steering::Rule;

/// Empty for operations that have no direction for a single expert.
std::optional<CellMark> markOf(const Rule& rule) {
  const auto byDirection = [&](double neutral) {
    return rule.operand.value < neutral ? CellMark::Dampened : CellMark::Boosted;
  };
  switch (rule.operation) {
    case Operation::Ban: return CellMark::Banned;
    case Operation::PinHigh: return CellMark::Pinned;
    case Operation::PinLow: return CellMark::Dampened;
    case Operation::Scale: return byDirection(1.0);
    case Operation::Add:
    case Operation::Std: return byDirection(0.0);
    case Operation::Set: return rule.primitive == Primitive::Key ? CellMark::Pinned : byDirection(0.0);
    default: return std::nullopt;
  }
}

int strengthOf(CellMark mark) {
  switch (mark) {
    case CellMark::Banned: return 3;
    case CellMark::Pinned: return 2;
    default: return 1;
  }
}

void addRule(SteeringMarks& marks, const Rule& rule, const RouterSpec& router, const RouterKey& key) {
  const auto mark = markOf(rule);
  const bool cellWise = rule.primitive == Primitive::Logit || rule.primitive == Primitive::Key;
  const auto& listed = rule.experts.empty() ? rule.operand.orderedIds : rule.experts;
  if (!cellWise || !mark || listed.empty()) {
    marks.routers.insert(key);
    return;
  }
  for (const std::int32_t expert : listed) {
    const ExpertCell cell{key.layer, {expert}, key.kind};
    if (expert < 0 || expert >= router.experts || rule.excepts(cell)) continue;
    const auto [place, isNew] = marks.cells.emplace(cell, *mark);
    if (!isNew && strengthOf(*mark) >= strengthOf(place->second)) place->second = *mark;
  }
}

std::string verbOf(const Rule& rule) {
  const std::string title = steering::ruleTitle(rule);
  std::string verb = title.substr(0, title.find(' '));
  if (!verb.empty()) verb[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(verb[0])));
  return verb.empty() ? "rule" : verb;
}

}  // namespace

SteeringMarks steeringMarks(const steering::SteeringProgram& program, std::span<const RouterSpec> routers) {
  SteeringMarks marks;
  for (const Rule& rule : program.rules) {
    if (!rule.enabled) continue;
    for (const RouterSpec& router : routers) {
      if (rule.covers({router.layer, router.kind})) addRule(marks, rule, router, routerKey(routers, router));
    }
  }
  return marks;
}

std::string changeText(const steering::SteeringProgram& before, const steering::SteeringProgram& after) {
  std::vector<std::string> changes;
  for (const Rule& rule : after.rules) {
    const Rule* old = before.find(rule.id);
    if (old == nullptr) {
      changes.push_back(verbOf(rule) + " added");
    } else if (old->enabled != rule.enabled) {
      changes.push_back(verbOf(rule) + (rule.enabled ? " on" : " off"));
    } else if (*old != rule) {
      changes.push_back(verbOf(rule) + " changed");
    }
  }
  for (const Rule& rule : before.rules) {
    if (after.find(rule.id) == nullptr) changes.push_back(verbOf(rule) + " removed");
  }
  return changes.size() == 1 ? changes.front() : "rules changed";
}

}  // namespace moescope::figure
