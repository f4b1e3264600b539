#include "core/steering/steering_program.h"

#include <algorithm>

namespace moescope::steering {

namespace {

Rule verb(const SteeringProgram& program, Primitive primitive, Operation operation,
          std::vector<std::int32_t> layers, std::vector<std::int32_t> experts) {
  Rule rule;
  rule.id = program.nextId();
  rule.priority = rule.id;
  rule.primitive = primitive;
  rule.operation = operation;
  rule.layers = std::move(layers);
  rule.experts = std::move(experts);
  return rule;
}

Rule cellVerb(const SteeringProgram& program, Primitive primitive, Operation operation,
              const ExpertCell& cell, double value) {
  Rule rule = verb(program, primitive, operation, {cell.layer.value}, {cell.expert.value});
  rule.router = cell.kind;
  rule.operand.value = value;
  return rule;
}

bool holds(const std::vector<std::int32_t>& list, std::int32_t value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool isSameKind(const std::string& a, const std::string& b) { return a.empty() || b.empty() || a == b; }

/// Whether experts in the rule's list are what it acts on (not for COUNT, whole-row WEIGHT rules and given
/// choices).
bool actsOnCells(const Rule& rule) {
  const bool onPort = rule.primitive == Primitive::Logit || rule.primitive == Primitive::Key;
  return (onPort && rule.operand.orderedIds.empty()) || rule.operation == Operation::Multiply;
}

}  // namespace

bool Rule::covers(const RouterKey& key) const {
  return holds(layers, key.layer.value) && isSameKind(router, key.kind);
}

bool Rule::isOf(const ExpertCell& cell) const {
  return layers == std::vector{cell.layer.value} && experts == std::vector{cell.expert.value} &&
         (router == cell.kind || cell.kind.empty());
}

bool Rule::excepts(const ExpertCell& cell) const {
  return std::any_of(except.begin(), except.end(), [&cell](const ExpertCell& out) {
    return out.layer == cell.layer && out.expert == cell.expert && isSameKind(out.kind, cell.kind);
  });
}

std::int64_t SteeringProgram::nextId() const {
  std::int64_t id = 0;
  for (const Rule& rule : rules) id = std::max(id, rule.id);
  return id + 1;
}

const Rule* SteeringProgram::find(std::int64_t id) const {
  const auto found =
      std::find_if(rules.begin(), rules.end(), [id](const Rule& rule) { return rule.id == id; });
  return found == rules.end() ? nullptr : &*found;
}

Rule banRule(const SteeringProgram& program, const ExpertCell& cell) {
  return cellVerb(program, Primitive::Key, Operation::Ban, cell, 0.0);
}

Rule pinRule(const SteeringProgram& program, const ExpertCell& cell) {
  return cellVerb(program, Primitive::Key, Operation::PinHigh, cell, 0.0);
}

Rule addLogitRule(const SteeringProgram& program, const ExpertCell& cell, double value) {
  return cellVerb(program, Primitive::Logit, Operation::Add, cell, value);
}

Rule scaleRule(const SteeringProgram& program, const ExpertCell& cell, double factor) {
  return cellVerb(program, Primitive::Weight, Operation::Multiply, cell, factor);
}

Rule topKRule(const SteeringProgram& program, std::vector<std::int32_t> layers, int k) {
  Rule rule = verb(program, Primitive::Count, Operation::Fixed, std::move(layers), {});
  rule.operand.count = k;
  return rule;
}

Rule uniformRule(const SteeringProgram& program, std::vector<std::int32_t> layers) {
  Rule rule = verb(program, Primitive::Weight, Operation::Uniform, std::move(layers), {});
  rule.operand.renormalisation = Renormalisation::KeepMass;
  return rule;
}

SteeringProgram released(SteeringProgram program, const ExpertCell& cell) {
  std::erase_if(program.rules, [&cell](const Rule& rule) { return actsOnCells(rule) && rule.isOf(cell); });
  for (Rule& rule : program.rules) {
    const bool covers =
        actsOnCells(rule) && rule.covers(cell.router()) && holds(rule.experts, cell.expert.value);
    if (covers && !rule.excepts(cell)) rule.except.push_back(cell);
  }
  return program;
}

}  // namespace moescope::steering
