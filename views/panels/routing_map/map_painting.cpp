#include "views/panels/routing_map/map_painting.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/base/router_label.h"
#include "core/figure/colour_map.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr double kSmallestGridCell = 6.0;
constexpr std::int64_t kMostRegions = 8192;
constexpr float kColumnLabelRoom = 34.0F;
constexpr float kBarWidth = 240.0F, kNarrowBarWidth = 140.0F;
constexpr float kNarrow = 720.0F;
constexpr float kBottom = 46.0F;

Colour paint(ColourRole role) { return Theme::current().paint(role); }

}  // namespace

void MapTexture::begin(int width, int height) {
  m_width = width;
  m_height = height;
  m_pixels.assign(static_cast<std::size_t>(width) * static_cast<std::size_t>(height),
                  paint(ColourRole::Empty));
  ++m_version;
  m_made = true;
}

void MapTexture::makeLayers(const MapScene& scene) {
  const figure::HeatMap& map = *scene.layers->figure.map;
  begin(map.columns, map.rows);
  for (int row = 0; row < map.rows; ++row) {
    for (int place = 0; place < map.columns; ++place) {
      const double value = scene.valueAt({row, place});
      const bool exists = scene.expertAt({row, place}).has_value();
      Colour& pixel = m_pixels[static_cast<std::size_t>(row) * static_cast<std::size_t>(map.columns) +
                               static_cast<std::size_t>(place)];
      if (!exists) {
        pixel = paint(ColourRole::Canvas);
      } else if (!std::isnan(value)) {
        pixel = dataColour(scene.colourBar.scale(), value);
      }
    }
  }
}

void MapTexture::makeTokens(const MapScene& scene, const TokenPicture& picture,
                            const figure::ColourScale& scale) {
  begin(picture.columns, picture.rows);
  const bool ordered = scene.settings.mode == MapMode::TokenExpert && !scene.order.byId();
  std::size_t at = 0;
  for (int row = 0; row < picture.rows; ++row) {
    for (int place = 0; place < picture.columns; ++place, ++at) {
      const float value = picture.value(row, ordered ? scene.order.expertAt(0, place) : place);
      if (!std::isnan(value)) m_pixels[at] = dataColour(scale, static_cast<double>(value));
    }
  }
}

MapLayout layoutOf(const MapScene& scene, Rect area) {
  MapLayout layout;
  layout.left = area.x + 8.0F;
  const bool tokens = scene.tokenMode();
  // Layers with two routers have longer names.
  const bool hasKinds =
      std::ranges::any_of(scene.routers, [](const RouterSpec& r) { return r.kind != "ffn"; });
  const float left = tokens ? 200.0F : hasKinds ? 78.0F : 46.0F;
  const float right = tokens ? 96.0F : 68.0F;
  const float top = tokens ? 28.0F : 14.0F;
  const float below = 24.0F;
  layout.bottom = {area.x + left, area.y + area.height - kBottom, area.width - left - 12.0F, kBottom};
  layout.plot = {area.x + left, area.y + top, std::max(1.0F, area.width - left - right),
                 std::max(1.0F, area.height - top - below - kBottom)};
  if (tokens) layout.minimap = {area.x + area.width - 72.0F, layout.plot.y, 60.0F, layout.plot.height};
  return layout;
}

figure::ColourScale overviewScale(const MapScene& scene) {
  figure::ColourScale scale = scene.colourBar.scale();
  if (scene.overview && scale.scale == figure::ScaleKind::Sqrt && scene.overview->largest > 0.0F)
    scale.max = static_cast<double>(scene.overview->largest);
  return scale;
}

void paintGrid(const MapScene& scene, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  const Rect filled = g.filled();
  const Colour line = paint(ColourRole::Canvas);
  if (g.cellWidth() >= kSmallestGridCell) {
    for (int column = g.beginColumn() + 1; column <= g.endColumn(); ++column)
      painter.fillRect({g.xOf(column) - 1.0F, filled.y, 1.0F, filled.height}, line);
  }
  if (g.cellHeight() >= kSmallestGridCell) {
    for (std::int64_t row = g.beginRow() + 1; row <= g.endRow(); ++row)
      painter.fillRect({filled.x, g.yOf(static_cast<double>(row)) - 1.0F, filled.width, 1.0F}, line);
  }
}

void paintCellRegions(const MapScene& scene, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  painter.hitRegion(g.filled(), "map");
  const std::int64_t cells = (g.endRow() - g.beginRow()) * (g.endColumn() - g.beginColumn());
  if (cells > kMostRegions || std::min(g.cellWidth(), g.cellHeight()) < kSmallestGridCell) return;
  for (std::int64_t row = g.beginRow(); row < g.endRow(); ++row) {
    for (int column = g.beginColumn(); column < g.endColumn(); ++column) {
      const MapCell cell{row, column};
      if (scene.settings.mode != MapMode::TokenLayer && !scene.expertAt(cell)) continue;
      painter.hitRegion(g.rectOf(cell), scene.regionId(cell));
    }
  }
}

void paintColumnLabels(const MapScene& scene, CanvasPainter& painter, float y) {
  const MapGeometry& g = scene.geometry;
  const bool layers = scene.settings.mode == MapMode::TokenLayer;
  std::set<int> bold;
  for (const ExpertCell& expert : scene.experts) {
    if (const auto cell = scene.cellOf(expert)) bold.insert(cell->column);
  }
  if (layers && scene.lookedAt) {
    if (const auto router = scene.routerOf(*scene.lookedAt)) bold.insert(*router);
  }
  int stride = 1;
  while (stride * g.cellWidth() < kColumnLabelRoom) stride *= 2;
  // Names of sorted columns: ids in a map of one layer, places where every layer has its own order.
  const bool places = scene.settings.mode == MapMode::LayerExpert && !scene.order.byId();
  const auto name = [&](int column) {
    if (layers) return shortRouterLabel(scene.routers[static_cast<std::size_t>(column)]);
    if (places) return fmt::format("{}", column + 1);
    return fmt::format(
        "{}", scene.settings.mode == MapMode::TokenExpert ? scene.order.expertAt(0, column) : column);
  };
  const auto centre = [&](int column) { return g.xOf(column + 0.5); };
  const auto nearBold = [&](int column) {
    return std::ranges::any_of(bold, [&](int b) {
      return b != column && std::abs(b - column) * g.cellWidth() < kColumnLabelRoom * 0.6;
    });
  };
  const bool fewBold = bold.size() <= 4;
  const int last = g.columns() - 1;
  for (int column = g.beginColumn(); column < g.endColumn(); ++column) {
    const bool isBold = bold.contains(column);
    const bool ticked = column % stride == 0 && (last - column) * g.cellWidth() >= kColumnLabelRoom * 0.7;
    const bool shown = (isBold && fewBold) || ((ticked || column == last) && !(fewBold && nearBold(column)));
    if (!shown) continue;
    painter.text({centre(column), y}, name(column), paint(isBold ? ColourRole::Text : ColourRole::Text2),
                 isBold ? FontRole::SmallSemiBold : FontRole::Small, Align::Centre);
  }
}

void paintColumnTicks(const MapScene& scene, CanvasPainter& painter, int column) {
  const Rect filled = scene.geometry.filled();
  const float x = std::round(scene.geometry.xOf(column + 0.5)) - 1.0F;
  if (x < filled.x || x > filled.x + filled.width) return;
  painter.fillRect({x, filled.y - 6.0F, 2.0F, 4.0F}, paint(ColourRole::Ink));
  painter.fillRect({x, filled.y + filled.height + 3.0F, 2.0F, 4.0F}, paint(ColourRole::Ink));
}

void paintOutlines(const MapScene& scene, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  if (scene.box) {
    const auto& [a, b] = *scene.box;
    const Rect first = g.rectOf({std::min(a.row, b.row), std::min(a.column, b.column)});
    const Rect last = g.rectOf({std::max(a.row, b.row), std::max(a.column, b.column)});
    drawSelection(painter, {first.x, first.y, last.x + last.width - first.x, last.y + last.height - first.y});
  }
  if (scene.hover && !scene.isSelected(*scene.hover)) drawHover(painter, g.rectOf(*scene.hover));
  if (scene.hasFocus && scene.cursor) drawCursor(painter, g.rectOf(*scene.cursor));
}

void paintBottom(MapScene& scene, CanvasPainter& painter, Rect bottom, std::span<const LegendItem> legend) {
  scene.colourBar.draw(painter, {bottom.x, bottom.y + 6.0F, bottom.width, bottom.height - 6.0F},
                       bottom.width < kNarrow ? kNarrowBarWidth : kBarWidth);
  const float x = scene.colourBar.right() + 28.0F;
  drawLegend(painter, {x, bottom.y + 13.0F}, bottom.x + bottom.width - x, legend);
}

}  // namespace moescope::views
