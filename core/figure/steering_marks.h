// Steering marks: which cells of a map a program steers and how, for pictures of every kind.
// Not for what the rules did (effects come from the engine and the trace).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "core/base/router_spec.h"
#include "core/figure/figure_spec.h"
#include "core/steering/steering_program.h"

namespace moescope::figure {

struct SteeringMarks {
  std::map<ExpertCell, CellMark> cells;  ///< one mark a cell: a ban hides a pin, a pin hides a boost
  std::set<RouterKey> routers;           ///< rules on a whole layer: top-k, weights, noise
};

/// Marks of the enabled rules on these routers. Scopes of phase and position do not count.
SteeringMarks steeringMarks(const steering::SteeringProgram& program, std::span<const RouterSpec> routers);

/// What an edit did, for a label on the token axis: "boost added", "ban off", "rules changed".
std::string changeText(const steering::SteeringProgram& before, const steering::SteeringProgram& after);

}  // namespace moescope::figure
