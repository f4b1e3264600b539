// RuleStrength: the one number of a rule that a slider can change, with its unit and its limits.
// Not for scopes.
#pragma once

#include <QString>

#include <optional>

#include "core/base/router_spec.h"
#include "core/steering/steering_program.h"

namespace moescope::views {

struct RuleStrength {
  double value = 0.0;
  double neutral = 0.0;  ///< where the rule changes nothing
  double sliderLow = 0, sliderHigh = 1;
  double least = 0, most = 1;  ///< of the field beside the slider
  double step = 0.05;          ///< of the slider
  double keyStep = 0.25;       ///< of arrow keys and of the field's buttons
  int decimals = 2;
  bool isSigned = false;  ///< "+1.50"
  QString unit;           ///< after the field: "logit", "×", "of 8"
  QString name;           ///< for screen readers: "Strength in logit"
};

/// The routers that a rule's layers and its kind of router name; all of them for a rule on all.
std::vector<RouterSpec> routersInScope(const steering::Rule& rule, const std::vector<RouterSpec>& routers);

/// Nothing for rules without such a number: bans, pins, uniform weights, rules with lists.
/// `routers` may be empty while no model is known.
std::optional<RuleStrength> ruleStrength(const steering::Rule& rule, const std::vector<RouterSpec>& routers);
void setStrength(steering::Rule& rule, double value);

}  // namespace moescope::views
