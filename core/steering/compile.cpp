#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "core/base/router_label.h"
#include "core/steering/plan_conflicts.h"
#include "core/steering/steering_plan.h"

namespace moescope::steering {

namespace {

std::string placeOf(const Rule& rule) { return fmt::format("rule {}", rule.id); }

bool usesExperts(const Rule& rule) {
  return (rule.primitive == Primitive::Logit || rule.primitive == Primitive::Key ||
          rule.operation == Operation::Multiply) &&
         rule.operand.orderedIds.empty();
}

/// The operand leaves every router unchanged (condition I1).
bool isNeutral(Operation operation, const Operand& operand, const RouterSpec& router) {
  switch (operation) {
    case Operation::Scale: return operand.value == 1.0;
    case Operation::Add:
    case Operation::Std:
    case Operation::Noise: return operand.value == 0.0;
    case Operation::Fixed:
      return operand.count == router.topK && operand.minCount.value_or(0) <= router.topK &&
             operand.maxCount.value_or(router.experts) >= router.topK;
    case Operation::Multiply:
      return operand.value == 1.0 && operand.renormalisation == Renormalisation::Native;
    case Operation::Renormalise: return operand.renormalisation == Renormalisation::Native;
    default: return false;
  }
}

/// Routers compute in float32.
bool fitsFloat(double value) { return std::abs(value) <= std::numeric_limits<float>::max(); }

/// What is wrong with an operand, or nothing.
std::string operandFault(const Rule& rule, const RouterSpec& router) {
  const auto& operand = rule.operand;
  const auto outside = [&router](int count) { return count < 1 || count > router.experts; };
  if (!fitsFloat(operand.value)) return "the value is too large for a router";
  if (operand.minCount.value_or(1) < 1 || operand.maxCount.value_or(1) < 1) return "min or max is below 1";
  if (operand.minCount.value_or(1) > operand.maxCount.value_or(router.experts)) return "min is above max";
  if (router.score == ScoreKind::SparseMixer && rule.operation != Operation::Ban &&
      operand.orderedIds.empty())
    return "a sparsemixer router takes only bans and forced choices";
  switch (rule.operation) {
    case Operation::PinHigh:
    case Operation::PinLow:
      return operand.epsilon > 0.0 && fitsFloat(operand.epsilon) ? "" : "epsilon is not above 0";
    case Operation::Noise: return operand.value >= 0.0 ? "" : "sigma is below 0";
    case Operation::Fixed:
      return outside(operand.count)
                 ? fmt::format("a count of {} is not between 1 and {}", operand.count, router.experts)
                 : "";
    case Operation::TopP:
    case Operation::Ratio:
      return operand.value > 0.0 && operand.value <= 1.0 ? "" : "the value is not in (0, 1]";
    case Operation::Entropy:
      if (outside(operand.lowCount) || outside(operand.highCount))
        return fmt::format("low or high is not between 1 and {}", router.experts);
      return operand.entropyOrder > 0.0 ? "" : "the order is not above 0";
    case Operation::Null:
      return operand.count >= 1 && fitsFloat(operand.nullLogit) ? "" : "there is no null expert";
    case Operation::Softmax: return operand.value > 0.0 ? "" : "the temperature is not above 0";
    case Operation::Threshold:
      return static_cast<int>(operand.thresholds.size()) == router.experts
                 ? ""
                 : fmt::format("{} thresholds for {} experts", operand.thresholds.size(), router.experts);
    case Operation::SetWeights:
      return std::all_of(operand.weights.begin(), operand.weights.end(), fitsFloat) ? ""
                                                                                    : "a weight is too large";
    default: return "";
  }
}

class Compiler {
 public:
  Compiler(const SteeringProgram& program, const std::vector<RouterSpec>& routers, std::string file)
      : m_program(program), m_routers(routers), m_file(std::move(file)) {}

  Result<std::shared_ptr<const SteeringPlan>> run() {
    auto plan = std::make_shared<SteeringPlan>();
    for (const RouterSpec& router : m_routers) plan->layers.push_back({router, {}});
    for (const Rule& rule : m_program.rules) {
      if (!rule.enabled) continue;
      if (auto done = addRule(rule, *plan); !done) return fail(done.error());
    }
    for (LayerPlan& layer : plan->layers) {
      dropNeutralCounts(layer);
      if (const auto fault = allBannedFault(layer)) {
        return fail("steering.all_banned", m_file, "layer " + routerLabel(layer.router), *fault,
                    "leave at least one expert");
      }
    }
    findConflicts(*plan);
    return std::shared_ptr<const SteeringPlan>(std::move(plan));
  }

 private:
  tl::unexpected<Error> failure(const char* kind, const Rule& rule, const std::string& message) const {
    return fail(kind, m_file, placeOf(rule), fmt::format("{}: {}", ruleTitle(rule), message),
                "change or delete the rule");
  }

  Result<void> addRule(const Rule& rule, SteeringPlan& plan) {
    for (const auto layer : rule.layers) {
      const bool exists = std::any_of(m_routers.begin(), m_routers.end(),
                                      [layer](const RouterSpec& r) { return r.layer.value == layer; });
      if (!exists)
        return failure("steering.no_such_layer", rule, fmt::format("layer {} has no router", layer));
    }
    if (const std::string fault = kindFault(rule); !fault.empty())
      return failure("steering.no_such_router", rule, fault);
    for (LayerPlan& layer : plan.layers) {
      if (!rule.covers({layer.router.layer, layer.router.kind})) continue;
      if (auto added = addStep(rule, layer); !added) return added;
    }
    return {};
  }

  /// What is wrong with the kind of router that the rule names, or nothing.
  [[nodiscard]] std::string kindFault(const Rule& rule) const {
    if (rule.router.empty()) return {};
    const auto has = [&](std::optional<std::int32_t> layer) {
      return std::any_of(m_routers.begin(), m_routers.end(), [&](const RouterSpec& router) {
        return router.kind == rule.router && (!layer || router.layer.value == *layer);
      });
    };
    if (!has(std::nullopt)) return fmt::format("the model has no routers of the kind {}", rule.router);
    for (const auto layer : rule.layers) {
      if (!has(layer)) return fmt::format("layer {} has no router of the kind {}", layer, rule.router);
    }
    return {};
  }

  Result<void> addStep(const Rule& rule, LayerPlan& layer) {
    const RouterSpec& router = layer.router;
    std::vector<std::int32_t> named = rule.experts;
    named.insert(named.end(), rule.operand.orderedIds.begin(), rule.operand.orderedIds.end());
    for (const auto expert : named) {
      if (expert < 0 || expert >= router.experts) {
        return failure("steering.no_such_expert", rule,
                       fmt::format("layer {} has the experts 0 to {}, not {}", routerLabel(router),
                                   router.experts - 1, expert));
      }
    }
    const std::set<std::int32_t> distinct(rule.operand.orderedIds.begin(), rule.operand.orderedIds.end());
    if (distinct.size() != rule.operand.orderedIds.size())
      return failure("steering.bad_value", rule, "an expert stands twice in ids");
    if (const std::string fault = operandFault(rule, router); !fault.empty())
      return failure("steering.bad_value", rule, fault);

    PlanStep step{rule.id,      rule.priority,           rule.primitive, rule.operation,
                  rule.operand, expertsOf(rule, router), rule.phase,     rule.positions};
    const bool emptyScope = (usesExperts(rule) && step.experts.empty()) ||
                            (rule.positions.to && *rule.positions.to <= rule.positions.from);
    const bool neutral =
        isNeutral(rule.operation, rule.operand, router) && rule.primitive != Primitive::Count;
    if (!emptyScope && !neutral) layer.steps.push_back(std::move(step));
    return {};
  }

  /// A count that is the router's own changes nothing, unless it wins over another count.
  static void dropNeutralCounts(LayerPlan& layer) {
    const std::vector<PlanStep> all = layer.steps;
    std::erase_if(layer.steps, [&](const PlanStep& step) {
      const bool overrules = std::any_of(all.begin(), all.end(), [&step](const PlanStep& other) {
        return other.primitive == Primitive::Count && step.outranks(other);
      });
      return step.primitive == Primitive::Count && isNeutral(step.operation, step.operand, layer.router) &&
             !overrules;
    });
  }

  static std::vector<std::int32_t> expertsOf(const Rule& rule, const RouterSpec& router) {
    if (!usesExperts(rule)) return {};
    std::set<std::int32_t> experts(rule.experts.begin(), rule.experts.end());
    for (int expert = 0; rule.experts.empty() && expert < router.experts; ++expert) experts.insert(expert);
    std::erase_if(experts, [&](std::int32_t expert) {
      return rule.excepts({router.layer, {expert}, router.kind});
    });
    return {experts.begin(), experts.end()};
  }

  const SteeringProgram& m_program;
  const std::vector<RouterSpec>& m_routers;
  std::string m_file;
};

}  // namespace

bool PlanStep::covers(bool decode, std::int64_t position) const {
  if (phase == PhaseScope::Prefill && decode) return false;
  if (phase == PhaseScope::Decode && !decode) return false;
  if (position < positions.from || (positions.to && position >= *positions.to)) return false;
  return (position - positions.from) % positions.every == 0;
}

bool PlanStep::outranks(const PlanStep& other) const {
  return std::pair(priority, ruleId) > std::pair(other.priority, other.ruleId);
}

bool LayerPlan::covers(bool decode, std::int64_t position) const {
  return std::any_of(steps.begin(), steps.end(),
                     [&](const PlanStep& step) { return step.covers(decode, position); });
}

bool SteeringPlan::empty() const {
  return std::all_of(layers.begin(), layers.end(), [](const LayerPlan& layer) { return layer.empty(); });
}

std::int64_t SteeringPlan::firstPosition() const {
  std::int64_t first = -1;
  for (const LayerPlan& layer : layers) {
    for (const PlanStep& step : layer.steps) {
      if (first < 0 || step.positions.from < first) first = step.positions.from;
    }
  }
  return first;
}

Result<std::shared_ptr<const SteeringPlan>> compile(const SteeringProgram& program,
                                                    const std::vector<RouterSpec>& routers,
                                                    const std::string& file) {
  return Compiler(program, routers, file).run();
}

}  // namespace moescope::steering
