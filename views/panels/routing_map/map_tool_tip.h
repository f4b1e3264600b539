// Map tool tips: the exact numbers of one cell of a routing map, in words. Not for placing them.
#pragma once

#include "views/api/canvas.h"
#include "views/panels/routing_map/cell_detail.h"
#include "views/panels/routing_map/map_scene.h"

namespace moescope::views {

/// `detail` may be null while it is being counted. None outside the data.
std::optional<ToolTipContent> mapToolTip(const MapScene& scene, MapCell cell, const CellDetail* detail);

/// "Layer 2 · expert 44 · m 1.95 %, 1.25 × uniform": the heading of the context menu.
QString cellHeading(const MapScene& scene, MapCell cell);
/// One line for the clipboard and for screen readers.
QString cellText(const MapScene& scene, MapCell cell);

}  // namespace moescope::views
