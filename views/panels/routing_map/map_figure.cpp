#include "views/panels/routing_map/map_figure.h"

#include <algorithm>
#include <utility>

#include "core/engine/generation/live_session.h"
#include "core/figure/figure_sample.h"
#include "views/api/view_context.h"

namespace moescope::views {

namespace {

/// Columns in the order in which the scene shows them.
void reorder(figure::FigureSpec& spec, const MapScene& scene) {
  if (scene.order.byId() || scene.settings.mode == MapMode::TokenLayer) return;
  figure::HeatMap& map = *spec.map;
  const bool byRow = scene.settings.mode == MapMode::LayerExpert;
  const std::vector<double> values = map.values;
  const auto columns = static_cast<std::size_t>(map.columns);
  for (int row = 0; row < map.rows; ++row) {
    for (int place = 0; place < map.columns; ++place) {
      const int expert = scene.order.expertAt(byRow ? static_cast<std::size_t>(row) : 0, place);
      const std::size_t start = static_cast<std::size_t>(row) * columns;
      map.values[start + static_cast<std::size_t>(place)] = values[start + static_cast<std::size_t>(expert)];
    }
  }
  map.columnNames.clear();
  for (int place = 0; place < map.columns; ++place)
    map.columnNames.push_back(std::to_string(byRow ? place + 1 : scene.order.expertAt(0, place)));
  spec.x.ticks.clear();
  for (int place = 0; place < map.columns; place += std::max(1, map.columns / 8))
    spec.x.ticks.emplace_back(place, map.columnNames[static_cast<std::size_t>(place)]);
  spec.x.label = byRow ? "Place by load in each layer" : spec.x.label + ", by load";
}

void applyMarks(figure::HeatMap& map, const MapScene& scene) {
  map.marks.clear();
  for (int row = 0; row < map.rows && row < static_cast<int>(scene.routers.size()); ++row) {
    if (scene.marks.routers.contains(scene.keyOf(static_cast<std::size_t>(row))))
      map.marks.push_back({{row, -1}, figure::CellMark::LayerRule});
  }
  for (const auto& [expert, mark] : scene.marks.cells) {
    if (const auto cell = scene.cellOf(expert))
      map.marks.push_back({{static_cast<int>(cell->row), cell->column}, mark});
  }
}

}  // namespace

MapMarks mapMarks(const trace::TraceStore& store, const trace::RunRecord& run, std::int64_t endToken,
                  const ViewContext& context) {
  MapMarks all;
  const std::vector<RouterSpec> routers = store.routers(run.id);
  for (const trace::SteeringEvent& event : store.steeringEvents(run.id)) all.changes.push_back(event.token);
  all.program = context.steering().effectiveProgram();
  all.marks = figure::steeringMarks(all.program, routers);
  const bool current = context.isLive(run.id);
  if (current) return all;
  const steering::SteeringProgram recorded = figure::programInForce({store, run.id, {}}, endToken - 1);
  figure::SteeringMarks before = figure::steeringMarks(recorded, routers);
  all.marks.cells.merge(before.cells);  // what is being edited wins
  all.marks.routers.merge(before.routers);
  if (all.program.rules.empty()) all.program = recorded;
  return all;
}

Result<figure::FigureSpec> mapFigure(const trace::TraceStore& store, trace::RunId run,
                                     const MapScene& scene) {
  const MapGeometry& g = scene.geometry;
  const figure::FigureSource rows{store, run, {g.beginRow(), g.endRow()}};
  Result<figure::FigureSpec> spec =
      fail("figure.no_routing", store.path().string(), "", "no tokens are in sight");
  switch (scene.settings.mode) {
    case MapMode::LayerExpert:
      if (scene.layers) spec = scene.layers->figure;
      break;
    case MapMode::TokenExpert: {
      const auto router = scene.routerAt({0, 0});
      if (router) spec = figure::tokenExpertFigure(rows, *router, scene.settings.expertValue);
      break;
    }
    case MapMode::TokenLayer: spec = figure::tokenLayerFigure(rows, scene.settings.layerValue); break;
  }
  if (!spec || !spec->map) return spec;
  // Ranks keep the figure's own scale: on paper rank 1 is the dark end.
  const figure::ColourScale& shown = scene.colourBar.scale();
  const bool meanRows = scene.tokenMode() && scene.tokens && scene.tokens->request.step > 1;
  if (shown.min < shown.max && !meanRows) {
    spec->map->colours.min = shown.min;
    spec->map->colours.max = shown.max;
  }
  if (scene.settings.mode == MapMode::LayerExpert) applyMarks(*spec->map, scene);
  reorder(*spec, scene);
  return spec;
}

}  // namespace moescope::views
