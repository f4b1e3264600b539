// Steering edits: what the verbs of a picture (ban, boost, pin, release) do to a program, as pure functions.
// Not for undo (SteeringDocument) or for menus (expert_actions.h).
#pragma once

#include <optional>
#include <set>

#include "core/steering/steering_program.h"

namespace moescope::views {

using ExpertCells = std::set<ExpertCell>;

/// Bans; a pin of the same cell alone is taken away, since the ban would win anyway.
steering::SteeringProgram banned(steering::SteeringProgram program, const ExpertCells& cells);
/// Pins; a ban of the same cell alone is taken away.
steering::SteeringProgram pinned(steering::SteeringProgram program, const ExpertCells& cells);
steering::SteeringProgram releasedAll(steering::SteeringProgram program, const ExpertCells& cells);
/// Adds `delta` to the logit of each cell: changes the cell's own rule or makes one. A rule that comes to
/// 0.00 is removed.
steering::SteeringProgram strengthened(steering::SteeringProgram program, const ExpertCells& cells,
                                       double delta);
/// Sets the logit that is added to each cell.
steering::SteeringProgram withStrength(steering::SteeringProgram program, const ExpertCells& cells,
                                       double value);

/// What the cell's own enabled rule adds to its logit; none if it has no such rule.
std::optional<double> strengthOf(const steering::SteeringProgram& program, const ExpertCell& cell);
/// Whether an enabled rule acts on the cell or on its whole layer.
bool isSteered(const steering::SteeringProgram& program, const ExpertCell& cell);

/// "L10 E41", or "3 experts".
std::string cellsText(const ExpertCells& cells);

}  // namespace moescope::views
