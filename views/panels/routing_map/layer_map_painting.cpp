// Painting of the map of layers and experts.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"
#include "views/api/theme.h"
#include "views/panels/routing_map/map_painting.h"

namespace moescope::views {

namespace {

constexpr float kRowLabelRoom = 13.0F;
constexpr float kLabelGap = 12.0F;
constexpr float kLayerBarGap = 7.0F;
constexpr double kLeastMarked = 8.0;  // px of a cell that has room for the corner

Colour paint(ColourRole role) { return Theme::current().paint(role); }

void paintImage(MapScene& scene, MapTexture& texture, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  if (!texture.made()) texture.makeLayers(scene);
  const ImageSource image = texture.source();
  const Rect whole{g.xOf(0), g.yOf(0), static_cast<float>(g.cellWidth() * image.width),
                   static_cast<float>(g.cellHeight() * image.height)};
  painter.image(image, whole, {0, 0, static_cast<float>(image.width), static_cast<float>(image.height)});
}

void paintMarks(const MapScene& scene, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  for (int row = static_cast<int>(g.beginRow()); row < g.endRow(); ++row) {
    const RouterKey router = scene.keyOf(static_cast<std::size_t>(row));
    const trace::LoadSummary& load = scene.layers->loads[static_cast<std::size_t>(row)];
    if (load.tokens == 0) {
      const Rect first = g.rectOf({row, 0});
      drawMissing(painter, {first.x, first.y,
                            static_cast<float>(g.cellWidth()) *
                                static_cast<float>(scene.routers[static_cast<std::size_t>(row)].experts),
                            first.height - 1.0F});
    }
    const auto begin = scene.marks.cells.lower_bound({router.layer, {0}});
    for (auto mark = begin; mark != scene.marks.cells.end() && mark->first.layer == router.layer; ++mark) {
      const auto cell = scene.cellOf(mark->first);
      if (!cell || mark->first.router() != router) continue;
      Rect rect = g.rectOf(*cell);
      if (rect.width >= 6.0F) rect.width -= 1.0F;
      if (rect.height >= 6.0F) rect.height -= 1.0F;
      drawCellMark(painter, rect, mark->second);
    }
  }
}

/// While a model writes: the cells that the newest token changed.
void paintChanges(const MapScene& scene, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  if (!scene.live || g.cellWidth() < kLeastMarked || g.cellHeight() < kLeastMarked) return;
  for (int row = static_cast<int>(g.beginRow()); row < g.endRow(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    if (at >= scene.layers->newest.size()) return;
    const RouterKey router = scene.keyOf(at);
    for (const int expert : scene.layers->newest[at]) {
      const auto cell = scene.cellOf({router.layer, ExpertIndex{expert}, router.kind});
      if (cell) drawChanged(painter, g.rectOf(*cell));
    }
  }
}

void paintRows(const MapScene& scene, CanvasPainter& painter, const MapLayout& layout) {
  const MapGeometry& g = scene.geometry;
  const Rect filled = g.filled();
  int stride = 1;
  while (stride * g.cellHeight() < static_cast<double>(kRowLabelRoom)) stride *= 2;
  const float right = filled.x + filled.width;
  for (int row = static_cast<int>(g.beginRow()); row < g.endRow(); ++row) {
    const RouterKey router = scene.keyOf(static_cast<std::size_t>(row));
    const float middle = g.yOf(row + 0.5);
    if (middle < filled.y || middle > filled.y + filled.height) continue;
    const bool selected =
        scene.lookedAt == router ||
        std::ranges::any_of(scene.experts, [&](const ExpertCell& cell) { return cell.router() == router; });
    painter.hitRegion({layout.left, g.yOf(row), filled.x - layout.left, static_cast<float>(g.cellHeight())},
                      "layer " + routerLabel(router));
    if (scene.marks.routers.contains(router)) {
      drawCellMark(painter,
                   {filled.x - kLayerBarGap, g.yOf(row), 3.0F, static_cast<float>(g.cellHeight()) - 1.0F},
                   figure::CellMark::LayerRule);
    }
    if (row % stride != 0 && !selected) continue;
    painter.text({filled.x - kLabelGap, middle},
                 shortRouterLabel(scene.routers[static_cast<std::size_t>(row)]),
                 paint(selected ? ColourRole::Text : ColourRole::Text2),
                 selected ? FontRole::SmallSemiBold : FontRole::Small, Align::Right);
    painter.text({right + 54.0F, middle},
                 figure::decimalText(scene.layers->maxVio[static_cast<std::size_t>(row)], 2),
                 paint(selected ? ColourRole::Text : ColourRole::Text2),
                 selected ? FontRole::SmallSemiBold : FontRole::Small, Align::Right);
  }
  painter.text({right + 54.0F, filled.y + filled.height + 13.0F}, "MaxVio", paint(ColourRole::Text2),
               FontRole::Small, Align::Right);
}

}  // namespace

void paintLayerMap(MapScene& scene, MapTextures& textures, Rect area, CanvasPainter& painter) {
  const MapLayout layout = layoutOf(scene, area);
  scene.geometry.setPlot(layout.plot);
  if (!scene.layers) return;
  const Rect filled = scene.geometry.filled();
  painter.pushClip(filled);
  paintImage(scene, textures.map, painter);
  paintGrid(scene, painter);
  paintMarks(scene, painter);
  paintChanges(scene, painter);
  painter.popClip();
  paintCellRegions(scene, painter);
  paintRows(scene, painter, layout);
  paintColumnLabels(scene, painter, filled.y + filled.height + 13.0F);
  painter.pushClip(grown(filled, 5.0F));
  for (const ExpertCell& expert : scene.experts) {
    const auto cell = scene.cellOf(expert);
    if (cell) drawSelection(painter, scene.geometry.rectOf(*cell));
  }
  paintOutlines(scene, painter);
  painter.popClip();
  for (const ExpertCell& expert : scene.experts) {
    if (const auto cell = scene.cellOf(expert)) paintColumnTicks(scene, painter, cell->column);
  }
  static const std::vector<LegendItem> recorded{{LegendMark::Banned, "banned"},
                                                {LegendMark::Boosted, "boosted"},
                                                {LegendMark::Dampened, "dampened"},
                                                {LegendMark::Pinned, "pinned"},
                                                {LegendMark::LayerRule, "rule on the layer"},
                                                {LegendMark::NoData, "no data"}};
  static const std::vector<LegendItem> live = [] {
    std::vector<LegendItem> items{{LegendMark::Changed, "newest token"}};
    items.insert(items.end(), recorded.begin(), recorded.end());
    return items;
  }();
  paintBottom(scene, painter, layout.bottom, scene.live ? live : recorded);
}

}  // namespace moescope::views
