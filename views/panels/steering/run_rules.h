// RunRules: the rules that were in force at the end of a run and what they did, as its file says.
// Not for the rules that are being edited (SteeringDocument).
#pragma once

#include <QString>

#include <optional>
#include <vector>

#include "core/base/router_spec.h"
#include "core/steering/steering_program.h"
#include "core/trace/trace_store.h"

namespace moescope::views {

struct RunRules {
  trace::RunId run = 0;
  QString name;
  steering::SteeringProgram program;  ///< the last one of the run; no rules if none ever was
  std::vector<RuleEffect> effects;
  std::vector<RouterSpec> routers;

  /// The effect of a rule; null if the run had another rule of this id, or none, or nothing was counted.
  [[nodiscard]] const RuleEffect* effectOf(const steering::Rule& rule) const;
  /// True if these are the rules of `other`; names do not count.
  [[nodiscard]] bool hasRulesOf(const steering::SteeringProgram& other) const;
};

/// Reads the file: not for the GUI thread. Nullopt if there is no such run. A program that cannot be
/// understood counts as none.
std::optional<RunRules> readRunRules(const trace::TraceStore& store, trace::RunId run);

}  // namespace moescope::views
