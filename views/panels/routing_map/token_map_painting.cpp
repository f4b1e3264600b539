// Painting of the maps of tokens: tokens x experts of a layer, tokens x layers, with their minimap.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/figure/number_text.h"
#include "core/figure/token_text.h"
#include "views/api/text_contrast.h"
#include "views/api/theme.h"
#include "views/panels/routing_map/map_painting.h"

namespace moescope::views {

namespace {

constexpr double kSmallestTextRow = 11.0;  // less is density only
constexpr float kIndexRight = 38.0F, kTokenLeft = 46.0F, kTokenWidth = 84.0F;
constexpr float kBarLeft = 136.0F, kBarWidth = 44.0F, kBarHeight = 5.0F;
constexpr double kFullBar = 8.0;  // nat: longer bars are cut
constexpr float kIndexRoom = 26.0F;
constexpr float kMinimapHeading = 80.0F;

Colour paint(ColourRole role) { return Theme::current().paint(role); }

void paintImage(MapScene& scene, MapTexture& texture, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  const TokenPicture& picture = *scene.tokens;
  if (picture.rows == 0) return;
  if (!texture.made()) texture.makeTokens(scene, picture, scene.colourBar.scale());
  const ImageSource image = texture.source();
  const double step = static_cast<double>(picture.request.step);
  const float top = g.yOf(static_cast<double>(picture.firstToken));
  painter.image(image,
                {g.xOf(0), top, static_cast<float>(g.cellWidth() * image.width),
                 static_cast<float>(g.cellHeight() * step * image.height)},
                {0, 0, static_cast<float>(image.width), static_cast<float>(image.height)});
  for (int row = 0; row < picture.rows; ++row) {
    if (picture.missing[static_cast<std::size_t>(row)] == 0) continue;
    int end = row + 1;
    while (end < picture.rows && picture.missing[static_cast<std::size_t>(end)] != 0) ++end;
    const float y = g.yOf(static_cast<double>(picture.firstToken) + row * step);
    const float bottom = g.yOf(static_cast<double>(picture.firstToken) + end * step);
    const Rect filled = g.filled();
    const float from = std::max(y, filled.y), to = std::min(bottom, filled.y + filled.height);
    if (to > from) drawMissing(painter, {filled.x, from, filled.width, to - from});
    row = end;
  }
}

/// A dot in the cell that was chosen first.
void paintRankOne(const MapScene& scene, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  const TokenPicture& picture = *scene.tokens;
  if (scene.settings.mode != MapMode::TokenExpert || picture.request.step != 1 ||
      std::min(g.cellWidth(), g.cellHeight()) < 8.0 ||
      scene.settings.expertValue == figure::TokenValue::Rank) {
    return;
  }
  const std::int64_t end = std::min(g.endRow(), picture.endToken);
  for (std::int64_t token = std::max(g.beginRow(), picture.firstToken); token < end; ++token) {
    const TokenChoice choice = choiceOf(picture, token, scene.settings.router, -1);
    if (choice.chosen.empty()) continue;
    const MapCell cell{token, scene.order.placeOf(0, choice.chosen.front())};
    const Rect rect = g.rectOf(cell);
    const double value = scene.valueAt(cell);
    if (std::isnan(value)) continue;
    painter.fillRect({std::round(rect.x + rect.width / 2.0F) - 2.0F,
                      std::round(rect.y + rect.height / 2.0F) - 2.0F, 3.0F, 3.0F},
                     textOn(dataColour(scene.colourBar.scale(), value)));
  }
}

void paintSteeredColumns(const MapScene& scene, CanvasPainter& painter) {
  const MapGeometry& g = scene.geometry;
  const Rect filled = g.filled();
  const Colour accent = paint(ColourRole::Accent);
  for (const auto& [expert, mark] : scene.marks.cells) {
    const auto cell = scene.cellOf(expert);
    if (!cell || cell->column < g.beginColumn() || cell->column >= g.endColumn()) continue;
    const float x = g.xOf(cell->column);
    painter.strokeRect(
        {x - 1.0F, filled.y - 1.0F, static_cast<float>(g.cellWidth()) + 1.0F, filled.height + 2.0F}, accent,
        2.0F);
    std::string text = fmt::format("E{}", expert.expert.value);
    const bool up = mark == figure::CellMark::Boosted;
    if (mark == figure::CellMark::Banned) text += " banned";
    if (mark == figure::CellMark::Pinned) text += " pinned";
    for (const steering::Rule& rule : scene.program.rules) {
      if (rule.enabled && rule.operation == steering::Operation::Add && rule.isOf(expert)) {
        text += (rule.operand.value > 0.0 ? " +" : " ") + figure::decimalText(rule.operand.value, 2);
      }
    }
    const float y = filled.y + filled.height + 12.0F;
    float at = x;
    if (up || mark == figure::CellMark::Dampened) {
      drawChevrons(painter, {x, y - 6.0F, 9.0F, 12.0F}, up, accent);
      at += 13.0F;
    }
    painter.text({at, y}, text, accent);
  }
  const auto shown = scene.routerAt({0, 0});
  if (scene.settings.mode == MapMode::TokenExpert && shown && scene.marks.routers.contains(*shown))
    drawCellMark(painter, {filled.x - 5.0F, filled.y, 3.0F, filled.height}, figure::CellMark::LayerRule);
  if (scene.settings.mode == MapMode::TokenLayer) {
    for (const RouterKey& steered : scene.marks.routers) {
      if (const auto router = scene.routerOf(steered))
        painter.fillRect({g.xOf(*router), filled.y - 4.0F, static_cast<float>(g.cellWidth()) - 1.0F, 3.0F},
                         accent);
    }
  }
}

void paintTokenRow(const MapScene& scene, CanvasPainter& painter, float left, std::int64_t token) {
  const MapGeometry& g = scene.geometry;
  const TokenPicture& picture = *scene.tokens;
  const auto at = static_cast<std::size_t>(token - picture.firstToken);
  const float middle = g.yOf(static_cast<double>(token) + 0.5);
  const bool selected = token >= scene.selectedTokens.begin && token < scene.selectedTokens.end;
  painter.text({left + kIndexRight, middle}, figure::countText(token),
               paint(selected ? ColourRole::Text : ColourRole::Text2),
               selected ? FontRole::SmallSemiBold : FontRole::Small, Align::Right);
  painter.pushClip({left + kTokenLeft, g.yOf(static_cast<double>(token)), kTokenWidth,
                    static_cast<float>(g.cellHeight())});
  painter.shapedText({left + kTokenLeft, middle}, figure::tokenText(picture.texts[at]),
                     paint(ColourRole::Text));
  painter.popClip();
  const Rect bar{left + kBarLeft, std::round(middle - kBarHeight / 2.0F), kBarWidth, kBarHeight};
  const float surprise = -picture.logProbs[at];
  if (std::isnan(surprise)) return;
  painter.fillRect(bar, paint(ColourRole::Track));
  const auto share = static_cast<float>(std::clamp(static_cast<double>(surprise) / kFullBar, 0.0, 1.0));
  painter.fillRect({bar.x, bar.y, std::max(1.0F, bar.width * share), bar.height}, paint(ColourRole::Text2));
}

void paintTokenRows(const MapScene& scene, CanvasPainter& painter, const MapLayout& layout) {
  const MapGeometry& g = scene.geometry;
  const Rect filled = g.filled();
  const bool texts = g.cellHeight() >= kSmallestTextRow && scene.tokens && scene.tokens->request.step == 1;
  std::int64_t stride = 1;
  while (!texts && static_cast<double>(stride) * g.cellHeight() < static_cast<double>(kIndexRoom))
    stride *= 2;
  painter.pushClip({layout.left, filled.y, filled.x - layout.left, filled.height});
  for (std::int64_t row = g.beginRow() / stride * stride; row < g.endRow(); row += stride) {
    if (texts && scene.tokens->contains(row)) {
      paintTokenRow(scene, painter, layout.left, row);
    } else {
      painter.text({layout.left + kIndexRight, g.yOf(static_cast<double>(row)) + 7.0F},
                   figure::countText(row), paint(ColourRole::Text2), FontRole::Small, Align::Right);
      painter.fillRect({layout.left + kTokenLeft, g.yOf(static_cast<double>(row)), 6.0F, 1.0F},
                       paint(ColourRole::Separator));
    }
  }
  painter.popClip();
  const Colour quiet = paint(ColourRole::Text2);
  const float head = filled.y - 15.0F;
  painter.text({layout.left + kIndexRight, head}, "index", quiet, FontRole::Small, Align::Right);
  if (!texts) return;
  painter.text({layout.left + kTokenLeft, head}, "token", quiet);
  painter.text({layout.left + kBarLeft, head}, "−log p", quiet);
  for (std::int64_t row = g.beginRow(); row < g.endRow(); ++row) {
    painter.hitRegion({layout.left, g.yOf(static_cast<double>(row)), filled.x - layout.left - 8.0F,
                       static_cast<float>(g.cellHeight())},
                      fmt::format("token {}", row));
  }
}

void paintSelectedRows(const MapScene& scene, CanvasPainter& painter, const MapLayout& layout) {
  const MapGeometry& g = scene.geometry;
  if (scene.selectedTokens.size() == 0) return;
  const Rect filled = g.filled();
  const float top = g.yOf(static_cast<double>(scene.selectedTokens.begin));
  const float bottom =
      std::min(g.yOf(static_cast<double>(scene.selectedTokens.end)), filled.y + filled.height + 3.0F);
  if (bottom < filled.y || top > filled.y + filled.height) return;
  painter.pushClip({layout.left - 4.0F, filled.y - 2.0F, filled.x + filled.width - layout.left + 8.0F,
                    filled.height + 4.0F});
  const float height = std::max(2.0F, bottom - top);
  for (const Rect& part : {Rect{layout.left, top, filled.x - layout.left - 8.0F, height},
                           Rect{filled.x - 1.0F, top, filled.width + 2.0F, height}}) {
    painter.strokeRect(grown(part, 1.0F), paint(ColourRole::Ink), 1.0F);
    painter.strokeRect(part, paint(ColourRole::InkBack), 1.0F);
  }
  painter.popClip();
}

void paintTokenAxis(const MapScene& scene, CanvasPainter& painter, Rect axis, double firstRow,
                    double rowHeight) {
  const auto yOf = [&](std::int64_t token) {
    return axis.y + static_cast<float>((static_cast<double>(token) - firstRow) * rowHeight);
  };
  for (const trace::TokenRange& prompt : scene.prompts) {
    const float top = std::max(axis.y, yOf(prompt.begin));
    const float bottom = std::min(axis.y + axis.height, yOf(prompt.end));
    if (bottom > top) painter.fillRect({axis.x, top, 3.0F, bottom - top}, paint(ColourRole::Text2));
  }
  for (const std::int64_t token : scene.ruleChanges) {
    const float y = yOf(token);
    if (y >= axis.y - 1.0F && y <= axis.y + axis.height) drawRuleTriangle(painter, {axis.x + 4.0F, y});
  }
}

void paintMinimap(MapScene& scene, MapTexture& texture, CanvasPainter& painter, Rect area) {
  const MapGeometry& g = scene.geometry;
  if (!scene.overview || scene.overview->rows == 0 || g.rows() == 0) return;
  if (!texture.made()) texture.makeTokens(scene, *scene.overview, overviewScale(scene));
  const ImageSource image = texture.source();
  const float height = area.height;
  painter.fillRect(area, paint(ColourRole::Empty));
  // The last row of the picture may stand for fewer tokens than the others.
  const double rows = static_cast<double>(scene.overview->endToken - scene.overview->firstToken) /
                      static_cast<double>(scene.overview->request.step);
  const double covered = static_cast<double>(scene.overview->endToken) / static_cast<double>(g.rows());
  painter.image(image, {area.x, area.y, area.width, static_cast<float>(covered) * height},
                {0, 0, static_cast<float>(image.width), static_cast<float>(rows)});
  const double scale = static_cast<double>(height) / static_cast<double>(g.rows());
  paintTokenAxis(scene, painter, {area.x - 6.0F, area.y, 4.0F, height}, 0.0, scale);
  const auto top = static_cast<float>(g.firstRow() * scale);
  const auto seen = static_cast<float>(std::min(g.rowsInSight(), static_cast<double>(g.rows())) * scale);
  const Rect view{area.x - 1.0F, area.y + top, area.width + 2.0F, std::max(4.0F, seen)};
  painter.strokeRect(grown(view, 1.0F), paint(ColourRole::InkBack), 1.0F);
  painter.strokeRect(view, paint(ColourRole::Ink), 1.5F);
  std::string heading = fmt::format("all {} tokens", figure::countText(g.rows()));
  if (painter.textWidth(heading, FontRole::Small) > kMinimapHeading)
    heading = "all " + figure::countText(g.rows());  // clear of the last column's label
  painter.text({area.x + area.width, area.y - 15.0F}, heading, paint(ColourRole::Text2), FontRole::Small,
               Align::Right);
  painter.hitRegion(grown(area, 2.0F), "minimap");
}

void paintLiveEdge(const MapScene& scene, CanvasPainter& painter, const MapLayout& layout) {
  const MapGeometry& g = scene.geometry;
  if (!scene.live || !g.atEnd()) return;
  const Rect filled = g.filled();
  const float y = filled.y + filled.height;
  painter.fillRect({layout.left, y, filled.x + filled.width - layout.left, 2.0F}, paint(ColourRole::Ink));
  painter.text({layout.left, y + 12.0F}, "live edge, newest token above", paint(ColourRole::Text));
}

}  // namespace

void paintTokenMap(MapScene& scene, MapTextures& textures, Rect area, CanvasPainter& painter) {
  const MapLayout layout = layoutOf(scene, area);
  scene.geometry.setPlot(layout.plot);
  const Rect filled = scene.geometry.filled();
  const bool layers = scene.settings.mode == MapMode::TokenLayer;
  if (scene.tokens) {
    painter.pushClip(filled);
    paintImage(scene, textures.map, painter);
    paintGrid(scene, painter);
    paintRankOne(scene, painter);
    painter.popClip();
  }
  paintCellRegions(scene, painter);
  paintTokenRows(scene, painter, layout);
  paintColumnLabels(scene, painter, filled.y - 15.0F);
  paintSteeredColumns(scene, painter);
  paintSelectedRows(scene, painter, layout);
  for (const ExpertCell& expert : scene.experts) {
    const auto cell = scene.cellOf(expert);
    if (!cell) continue;
    paintColumnTicks(scene, painter, cell->column);
    if (scene.selectedTokens.size() == 1) {
      painter.pushClip(grown(filled, 5.0F));
      drawSelection(painter, scene.geometry.rectOf({scene.selectedTokens.begin, cell->column}));
      painter.popClip();
    }
  }
  painter.pushClip(grown(filled, 5.0F));
  paintOutlines(scene, painter);
  painter.popClip();
  paintTokenAxis(scene, painter, {layout.left - 6.0F, filled.y, 4.0F, filled.height},
                 scene.geometry.firstRow(), scene.geometry.cellHeight());
  paintLiveEdge(scene, painter, layout);
  paintMinimap(scene, textures.minimap, painter, layout.minimap);
  static const std::vector<LegendItem> experts{{LegendMark::RankOne, "rank 1"},
                                               {LegendMark::NotChosen, "not chosen"},
                                               {LegendMark::SteeredColumn, "steered expert"},
                                               {LegendMark::RuleAdded, "rules changed"},
                                               {LegendMark::Prompt, "prompt"},
                                               {LegendMark::NoData, "no data"}};
  static const std::vector<LegendItem> layerItems{{LegendMark::LayerRule, "rule on the layer"},
                                                  {LegendMark::RuleAdded, "rules changed"},
                                                  {LegendMark::Prompt, "prompt"},
                                                  {LegendMark::NoData, "no data"}};
  paintBottom(scene, painter, layout.bottom, layers ? layerItems : experts);
}

}  // namespace moescope::views
