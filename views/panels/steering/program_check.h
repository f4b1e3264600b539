// ProgramCheck: what is wrong with a program for these routers, before the engine meets it, and which row of
// the panel has to say so. Not the rules themselves (core/steering compiles them).
#pragma once

#include <QString>
#include <QStringList>

#include <map>
#include <vector>

#include "core/base/router_spec.h"
#include "core/steering/steering_program.h"

namespace moescope::views {

struct RuleProblem {
  QString text;    ///< "Pins L7 E23, which is banned. The ban wins."
  QString detail;  ///< for the tool tip; may be empty
};

struct ProgramCheck {
  QString error;         ///< why the engine would refuse the program; empty if it would not
  QStringList warnings;  ///< what does not stop it: more pins than top-k
  std::map<std::int64_t, RuleProblem> problems;  ///< by rule id
};

/// Nothing is wrong while no router is known. A rule that is off shows the conflicts that it would have.
ProgramCheck checkProgram(const steering::SteeringProgram& program, const std::vector<RouterSpec>& routers);

}  // namespace moescope::views
