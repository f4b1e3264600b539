// Scope popups: the editors behind the scope buttons of a rule and behind "Add rule". Not for what the rules
// then do: they hand a finished value to their callback.
#pragma once

#include <functional>
#include <vector>

#include "core/base/router_spec.h"
#include "core/steering/steering_program.h"
#include "views/panels/steering/rule_drafts.h"

class QWidget;

namespace moescope::views {

class EditPopup;

/// Sentence on layers or experts that no router has; empty if all exist or no router is known.
QString missingIndices(const std::vector<std::int32_t>& layers, const std::vector<std::int32_t>& experts,
                       const std::vector<RouterSpec>& routers);

// Each returns a popup that is not shown yet; `apply` gets the changed rule.
using RuleCallback = std::function<void(const steering::Rule&)>;
EditPopup* layersPopup(const steering::Rule& rule, const std::vector<RouterSpec>& routers, RuleCallback apply,
                       QWidget* parent);
EditPopup* expertsPopup(const steering::Rule& rule, const std::vector<RouterSpec>& routers,
                        RuleCallback apply, QWidget* parent);
EditPopup* tokensPopup(const steering::Rule& rule, RuleCallback apply, QWidget* parent);

/// Fields of a new rule; experts and strength only where the verb has them.
struct NewRule {
  Verb verb = Verb::Ban;
  std::vector<std::int32_t> layers, experts;
  double value = 0.0;
  std::string router = {};  ///< kind, as in Rule
};
EditPopup* newRulePopup(const NewRule& first, const std::vector<RouterSpec>& routers,
                        std::function<void(const NewRule&)> apply, QWidget* parent);

}  // namespace moescope::views
