// MapScene: all that one frame of the routing map shows: pictures, marks, selection, zoom.
// Not for drawing (map_painting.h) or for events (routing_map_canvas.h).
#pragma once

#include <memory>
#include <set>
#include <vector>

#include "core/figure/steering_marks.h"
#include "views/api/colour_bar.h"
#include "views/panels/routing_map/layer_picture.h"
#include "views/panels/routing_map/map_geometry.h"
#include "views/panels/routing_map/token_picture.h"

namespace moescope::views {

/// Which expert stands at which place: by id, or as the user had them sorted. Never changes by itself.
class ExpertOrder {
 public:
  void clear() { m_rows.clear(); }
  [[nodiscard]] bool byId() const { return m_rows.empty(); }
  /// By falling count, ties by id; one order a load.
  void sort(const std::vector<trace::LoadSummary>& loads);
  [[nodiscard]] int expertAt(std::size_t row, int place) const;
  [[nodiscard]] int placeOf(std::size_t row, int expert) const;

 private:
  std::vector<std::vector<int>> m_rows;
};

struct MapScene {
  MapSettings settings;
  std::vector<RouterSpec> routers;
  std::shared_ptr<const LayerPicture> layers;
  std::shared_ptr<const TokenPicture> tokens;    ///< around the rows in sight
  std::shared_ptr<const TokenPicture> overview;  ///< of the whole run, for the minimap
  ExpertOrder order;                             ///< layer mode: a row each; token x expert: row 0

  figure::SteeringMarks marks;
  steering::SteeringProgram program;       ///< for strengths beside marks
  std::vector<std::int64_t> ruleChanges;   ///< tokens at which rules changed
  std::vector<trace::TokenRange> prompts;  ///< of generated sequences
  bool live = false;

  std::set<ExpertCell> experts;
  trace::TokenRange selectedTokens;
  std::optional<RouterKey> lookedAt;  ///< the selection's router
  std::optional<MapCell> hover, cursor;
  std::optional<std::pair<MapCell, MapCell>> box;  ///< being dragged
  bool hasFocus = false;

  MapGeometry geometry;
  ColourBar colourBar;

  [[nodiscard]] bool tokenMode() const { return settings.mode != MapMode::LayerExpert; }
  /// None in token x layer, and right of the last expert of a smaller router.
  [[nodiscard]] std::optional<ExpertCell> expertAt(MapCell cell) const;
  [[nodiscard]] std::optional<RouterKey> routerAt(MapCell cell) const;
  [[nodiscard]] std::optional<int> routerOf(const RouterKey& router) const;
  [[nodiscard]] RouterKey keyOf(std::size_t router) const;
  /// Where an expert stands; none if it is not in the map. Row 0 in token x expert.
  [[nodiscard]] std::optional<MapCell> cellOf(const ExpertCell& expert) const;
  [[nodiscard]] bool isSelected(MapCell cell) const;
  /// "layer 3/expert 17", "layer 3 attention/expert 2", "token 147/expert 41", "token 147/layer 3".
  [[nodiscard]] std::string regionId(MapCell cell) const;
  /// Value of the picture at a cell; NaN where there is none.
  [[nodiscard]] double valueAt(MapCell cell) const;
};

/// The scale of the data before the user changes it. Ends are round and `last` never shrinks, so that
/// colours do not flicker while tokens arrive.
figure::ColourScale automaticScale(const MapScene& scene, const figure::ColourScale* last);

}  // namespace moescope::views
