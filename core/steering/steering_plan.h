// SteeringPlan: a program compiled for one model, one LayerPlan a router, and the scalar oracle that
// applies it. Not for tensors; the engine's vectorised version is tested against applyPlan.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/router_spec.h"
#include "core/base/rule_effect.h"
#include "core/steering/steering_program.h"

namespace moescope::steering {

/// One compiled rule inside a layer. Neutral rules and empty scopes never get here (condition I1).
struct PlanStep {
  std::int64_t ruleId = 0;
  std::int64_t priority = 0;
  Primitive primitive = Primitive::Key;
  Operation operation = Operation::Ban;
  Operand operand;
  std::vector<std::int32_t> experts;  ///< ascending, exclusions taken out
  PhaseScope phase = PhaseScope::Both;
  PositionScope positions;

  [[nodiscard]] bool covers(bool decode, std::int64_t position) const;
  /// Which of two rules wins where only one can: the higher priority, at equal priorities the later id.
  [[nodiscard]] bool outranks(const PlanStep& other) const;
  /// KEY.set with ids: the choice itself is given.
  [[nodiscard]] bool givesChoice() const { return !operand.orderedIds.empty(); }
};

struct LayerPlan {
  RouterSpec router;
  std::vector<PlanStep> steps;  ///< empty: the unmodified code path is called (condition I0)
  [[nodiscard]] bool empty() const { return steps.empty(); }
  /// True if any step covers the token; if not, the row takes the native path.
  [[nodiscard]] bool covers(bool decode, std::int64_t position) const;
};

struct Conflict {
  std::int64_t winner = 0;
  std::int64_t loser = 0;
  std::string text;  ///< "Pins L7 E23, which is banned. The ban wins."
};

/// Immutable; swapped into the engine between two tokens.
struct SteeringPlan {
  std::vector<LayerPlan> layers;  ///< one a router, in the order of ModelDescription::routers
  std::vector<Conflict> conflicts;
  std::vector<std::string> warnings;  ///< e.g. more pins than top-k
  [[nodiscard]] bool empty() const;
  /// First position that any step covers; -1 if none (the dirty position of condition I5).
  [[nodiscard]] std::int64_t firstPosition() const;
};

/// Errors: `steering.no_such_layer`, `steering.no_such_expert`, `steering.all_banned`,
/// `steering.bad_value`, each with the rule in `where`.
Result<std::shared_ptr<const SteeringPlan>> compile(const SteeringProgram& program,
                                                    const std::vector<RouterSpec>& routers,
                                                    const std::string& file = {});

/// What a router does with one token.
struct RouterChoice {
  std::vector<std::int32_t> ids;  ///< in selection order: descending key, ties by lower id
  std::vector<float> weights;     ///< final, after norm and scale
};

struct TokenScope {
  bool decode = false;
  std::int64_t position = 0;  ///< in the sequence
};

/// The unsteered router: `logits` are the raw logits [experts].
RouterChoice nativeChoice(std::span<const float> logits, const RouterSpec& router);

/// What the rules make of the numbers that a router chooses by, [experts] each; -inf where a ban acts.
struct SteeredPorts {
  std::vector<float> logits;      ///< after the LOGIT rules
  std::vector<float> keysBefore;  ///< selection keys of these logits
  std::vector<float> keys;        ///< after the KEY rules
};
SteeredPorts steeredPorts(std::span<const float> logits, const LayerPlan& plan, const TokenScope& token);

/// The steered router for one token, scalar and in float32; the definition that everything else is
/// tested against. Formulas: docs/steering.md.
RouterChoice applyPlan(std::span<const float> logits, const LayerPlan& plan, const TokenScope& token);

using moescope::RuleEffect;

/// Accumulates one row of a router; `ids` is the steered choice. Rows no rule covers change nothing.
void accumulateEffects(const LayerPlan& plan, const TokenScope& token, std::span<const std::int32_t> ids,
                       const RouterChoice& native, std::vector<RuleEffect>& effects);

}  // namespace moescope::steering
