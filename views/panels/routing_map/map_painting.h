// Map painting: a MapScene as a flat list of drawing calls: one texture for the data, quads for what can be
// pointed at. Not for events.
#pragma once

#include "views/api/cell_marks.h"
#include "views/panels/routing_map/map_scene.h"

namespace moescope::views {

/// The data of a picture as pixels, made anew only when picture, scale, order or theme change.
class MapTexture {
 public:
  explicit MapTexture(std::string key) : m_key(std::move(key)) {}

  void makeLayers(const MapScene& scene);
  void makeTokens(const MapScene& scene, const TokenPicture& picture, const figure::ColourScale& scale);
  void forget() { m_made = false; }
  [[nodiscard]] bool made() const { return m_made; }
  [[nodiscard]] ImageSource source() const { return {m_key, m_version, m_width, m_height, m_pixels}; }

 private:
  void begin(int width, int height);

  std::string m_key;
  std::uint64_t m_version = 0;
  int m_width = 0, m_height = 0;
  std::vector<Colour> m_pixels;
  bool m_made = false;
};

struct MapTextures {
  MapTexture map{"map"}, minimap{"minimap"};
};

/// Parts of the canvas.
struct MapLayout {
  Rect plot, minimap, bottom;
  float left = 0;  ///< x of the gutter
};
MapLayout layoutOf(const MapScene& scene, Rect area);

/// Colours of a minimap: its own range, since its cells are means.
figure::ColourScale overviewScale(const MapScene& scene);

/// Hit regions: cells while they are at least 6 px and not too many ("layer 3/expert 17", else "map"), rows
/// ("layer 3", "token 147"), "minimap", "colour bar…".
void paintLayerMap(MapScene& scene, MapTextures& textures, Rect area, CanvasPainter& painter);
void paintTokenMap(MapScene& scene, MapTextures& textures, Rect area, CanvasPainter& painter);

// Shared by both.
void paintGrid(const MapScene& scene, CanvasPainter& painter);
void paintCellRegions(const MapScene& scene, CanvasPainter& painter);
void paintColumnLabels(const MapScene& scene, CanvasPainter& painter, float y);
void paintColumnTicks(const MapScene& scene, CanvasPainter& painter, int column);
void paintOutlines(const MapScene& scene, CanvasPainter& painter);
void paintBottom(MapScene& scene, CanvasPainter& painter, Rect bottom, std::span<const LegendItem> legend);

}  // namespace moescope::views
