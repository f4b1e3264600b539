#include "views/api/steering_edits.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/router_label.h"

namespace moescope::views {

namespace {

using steering::Operation;
using steering::Primitive;
using steering::Rule;
using steering::SteeringProgram;

/// Strength is shown with two decimals; anything smaller is none.
constexpr double kSmallestStrength = 0.005;

Rule* ownRule(SteeringProgram& program, const ExpertCell& cell, Primitive primitive, Operation operation) {
  const auto found = std::ranges::find_if(program.rules, [&](const Rule& rule) {
    return rule.primitive == primitive && rule.operation == operation && rule.isOf(cell);
  });
  return found == program.rules.end() ? nullptr : &*found;
}

void removeOwn(SteeringProgram& program, const ExpertCell& cell, Operation operation) {
  std::erase_if(program.rules, [&](const Rule& rule) {
    return rule.primitive == Primitive::Key && rule.operation == operation && rule.isOf(cell);
  });
}

/// A cell that Release took out of wider rules obeys them no longer; a verb on it stands on its own.
void choose(SteeringProgram& program, const ExpertCell& cell, Operation operation, const Rule& made) {
  if (Rule* rule = ownRule(program, cell, Primitive::Key, operation)) {
    rule->enabled = true;
  } else {
    program.rules.push_back(made);
  }
}

}  // namespace

SteeringProgram banned(SteeringProgram program, const ExpertCells& cells) {
  for (const ExpertCell& cell : cells) {
    removeOwn(program, cell, Operation::PinHigh);
    choose(program, cell, Operation::Ban, steering::banRule(program, cell));
  }
  return program;
}

SteeringProgram pinned(SteeringProgram program, const ExpertCells& cells) {
  for (const ExpertCell& cell : cells) {
    removeOwn(program, cell, Operation::Ban);
    choose(program, cell, Operation::PinHigh, steering::pinRule(program, cell));
  }
  return program;
}

SteeringProgram releasedAll(SteeringProgram program, const ExpertCells& cells) {
  for (const ExpertCell& cell : cells) program = steering::released(std::move(program), cell);
  return program;
}

SteeringProgram strengthened(SteeringProgram program, const ExpertCells& cells, double delta) {
  for (const ExpertCell& cell : cells) {
    const double strength = strengthOf(program, cell).value_or(0.0) + delta;
    program = withStrength(std::move(program), {cell}, strength);
  }
  return program;
}

SteeringProgram withStrength(SteeringProgram program, const ExpertCells& cells, double value) {
  const double rounded = std::round(value * 1000.0) / 1000.0;  // steps of 0.005 must not drift
  for (const ExpertCell& cell : cells) {
    Rule* rule = ownRule(program, cell, Primitive::Logit, Operation::Add);
    if (std::abs(rounded) < kSmallestStrength) {
      if (rule != nullptr) program.rules.erase(program.rules.begin() + (rule - program.rules.data()));
    } else if (rule != nullptr) {
      rule->operand.value = rounded;
      rule->enabled = true;
    } else {
      program.rules.push_back(steering::addLogitRule(program, cell, rounded));
    }
  }
  return program;
}

std::optional<double> strengthOf(const SteeringProgram& program, const ExpertCell& cell) {
  for (const Rule& rule : program.rules) {
    const bool adds = rule.primitive == Primitive::Logit && rule.operation == Operation::Add;
    if (adds && rule.enabled && rule.isOf(cell)) return rule.operand.value;
  }
  return std::nullopt;
}

bool isSteered(const SteeringProgram& program, const ExpertCell& cell) {
  const auto holds = [](const std::vector<std::int32_t>& list, std::int32_t value) {
    return list.empty() || std::ranges::find(list, value) != list.end();
  };
  return std::ranges::any_of(program.rules, [&](const Rule& rule) {
    return rule.enabled && rule.covers(cell.router()) && holds(rule.experts, cell.expert.value) &&
           !rule.excepts(cell);
  });
}

std::string cellsText(const ExpertCells& cells) {
  if (cells.size() != 1) return fmt::format("{} experts", cells.size());
  return cellLabel(*cells.begin());
}

}  // namespace moescope::views
