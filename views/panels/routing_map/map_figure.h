// Map figure: what a routing map shows now as a figure, and the marks that it carries. Not for drawing.
#pragma once

#include <vector>

#include "views/panels/routing_map/map_scene.h"

namespace moescope::views {

class ViewContext;

struct MapMarks {
  figure::SteeringMarks marks;
  steering::SteeringProgram program;  ///< for strengths beside marks
  std::vector<std::int64_t> changes;  ///< tokens at which rules changed
};

/// Marks of the rules that were recorded before `endToken` and of those being edited: a picture of an old run
/// shows both, one of the run being written only the latter. GUI thread.
MapMarks mapMarks(const trace::TraceStore& store, const trace::RunRecord& run, std::int64_t endToken,
                  const ViewContext& context);

/// The figure of a scene: its rows in sight, order, colour range and marks. Errors: those of the builders.
Result<figure::FigureSpec> mapFigure(const trace::TraceStore& store, trace::RunId run, const MapScene& scene);

}  // namespace moescope::views
