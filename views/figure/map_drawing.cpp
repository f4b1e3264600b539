#include "views/figure/map_drawing.h"

#include <QImage>
#include <QPainterPath>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>

#include "core/figure/colour_map.h"

namespace moescope::views {

namespace {

using figure::CellMark;
using figure::HeatMap;

constexpr double kHatchStep = 30.0;  // 3 pt between lines
constexpr double kBanHatchStep = 18.0;
constexpr double kOverlap = 2.0;  // 0.2 pt: no hairline between neighbours in a viewer
constexpr int kImagePixels = 16'000'000;

QColor qt(const figure::Rgb& colour) { return {colour[0], colour[1], colour[2]}; }

constexpr double kMostHatchLines = 1e5;

/// Lines at 45° through a rectangle, on a grid that neighbouring rectangles share.
QList<QLineF> hatchLines(QRectF rect, double step, bool rising) {
  QList<QLineF> lines;
  // A rising line has x + y constant (y points down), a falling one x - y.
  const double sign = rising ? 1.0 : -1.0;
  const double a = rect.left() + sign * rect.top();
  const double b = rect.right() + sign * rect.bottom();
  const double c = rect.right() + sign * rect.top();
  const double d = rect.left() + sign * rect.bottom();
  const double low = std::min({a, b, c, d});
  const double high = std::max({a, b, c, d});
  if (!(high - low < kMostHatchLines * step)) return lines;  // nor where a side is not a number
  const auto first = static_cast<std::int64_t>(std::ceil(low / step));
  const auto end = static_cast<std::int64_t>(std::ceil(high / step));
  for (std::int64_t i = first; i < end; ++i) {
    const double at = static_cast<double>(i) * step;
    const auto yAt = [&](double x) { return sign * (at - x); };
    const double edgeTop = at - sign * rect.top();
    const double edgeBottom = at - sign * rect.bottom();
    const double x0 = std::max(rect.left(), std::min(edgeTop, edgeBottom));
    const double x1 = std::min(rect.right(), std::max(edgeTop, edgeBottom));
    if (x1 > x0) lines << QLineF(x0, yAt(x0), x1, yAt(x1));
  }
  return lines;
}

struct Cells {
  const PanelLayout& layout;
  const FigureStyle& style;

  [[nodiscard]] const HeatMap& map() const { return *layout.panel->map; }
  [[nodiscard]] QRectF rect(int row, int column, int columns = 1) const {
    return QRectF(layout.at(column - 0.5, row - 0.5), layout.at(column + columns - 0.5, row + 0.5))
        .normalized();
  }
  [[nodiscard]] std::size_t index(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(map().columns) +
           static_cast<std::size_t>(column);
  }
  [[nodiscard]] double value(int row, int column) const { return map().values[index(row, column)]; }
  /// Not distinguishable from the baseline; false where that is not known.
  [[nodiscard]] bool indistinct(int row, int column) const {
    const std::size_t at = index(row, column);
    return at < map().indistinct.size() && map().indistinct[at];
  }
  [[nodiscard]] bool flat(int row, int column) const {
    return !map().dotDistinct && indistinct(row, column) && !std::isnan(value(row, column));
  }
  /// Entry of the colour table; empty if there is no value to show.
  [[nodiscard]] std::optional<std::size_t> entry(int row, int column) const {
    if (flat(row, column)) return std::nullopt;
    const double position = figure::scalePosition(map().colours, value(row, column));
    if (std::isnan(position)) return std::nullopt;
    return static_cast<std::size_t>(std::lround(std::clamp(position, 0.0, 1.0) * 255.0));
  }
};

void drawVectorCells(QPainter& painter, const Cells& cells) {
  const HeatMap& map = cells.map();
  const QRectF frame = cells.layout.frame;
  // One path a colour: far smaller files than one rectangle with its own state a cell.
  std::array<QPainterPath, 256> paths;
  QPainterPath flats;
  const auto covered = [&](int row, int column, int run) {
    return cells.rect(row, column, run).adjusted(0, 0, kOverlap, kOverlap) & frame;
  };
  for (int row = 0; row < map.rows; ++row) {
    for (int column = 0; column < map.columns; ++column) {
      const auto entry = cells.entry(row, column);
      if (cells.flat(row, column)) flats.addRect(covered(row, column, 1));
      if (!entry) continue;
      int run = 1;
      while (column + run < map.columns && cells.entry(row, column + run) == entry) ++run;
      const QRectF rect = covered(row, column, run);
      if (!rect.isEmpty()) paths[*entry].addRect(rect);
      column += run - 1;
    }
  }
  const auto table = figure::colourTable(map.colours.map, cells.style.theme);
  painter.setRenderHint(QPainter::Antialiasing, false);
  painter.setPen(Qt::NoPen);
  flats.setFillRule(Qt::WindingFill);
  painter.fillPath(flats, cells.style.flat);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    paths[i].setFillRule(Qt::WindingFill);
    if (!paths[i].isEmpty()) painter.fillPath(paths[i], qt(table[i]));
  }
  painter.setRenderHint(QPainter::Antialiasing, true);
}

void drawImageCells(QPainter& painter, const Cells& cells) {
  const HeatMap& map = cells.map();
  const auto table = figure::colourTable(map.colours.map, cells.style.theme);
  const QRgb empty = map.sparse ? cells.style.empty.rgb() : cells.style.secondary.rgb();
  QImage image(map.columns, map.rows, QImage::Format_RGB32);
  for (int row = 0; row < map.rows; ++row) {
    auto* line = reinterpret_cast<QRgb*>(image.scanLine(row));
    for (int column = 0; column < map.columns; ++column) {
      const auto entry = cells.entry(row, column);
      line[column] = entry                     ? qt(table[*entry]).rgb()
                     : cells.flat(row, column) ? cells.style.flat.rgb()
                                               : empty;
    }
  }
  // Viewers smooth images; several pixels a cell keep its edges sharp.
  const double room =
      std::sqrt(static_cast<double>(kImagePixels) / (static_cast<double>(map.rows) * map.columns));
  const int times = std::clamp(static_cast<int>(room), 1, 4);
  image = image.scaled(map.columns * times, map.rows * times, Qt::IgnoreAspectRatio, Qt::FastTransformation);
  image = image.mirrored(cells.layout.xAxis->reversed, !cells.layout.yAxis->reversed);
  const QRectF whole = cells.rect(0, 0) | cells.rect(map.rows - 1, map.columns - 1);
  painter.save();
  painter.setClipRect(cells.layout.frame);
  painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
  painter.drawImage(whole, image);
  painter.restore();
}

void drawMissingCells(QPainter& painter, const Cells& cells) {
  const HeatMap& map = cells.map();
  for (const int row : map.missingRows)
    drawMissing(painter, cells.rect(row, 0, map.columns) & cells.layout.frame, cells.style);
  if (map.sparse) return;
  for (int row = 0; row < map.rows; ++row) {
    for (int column = 0; column < map.columns; ++column) {
      int run = 0;
      while (column + run < map.columns && std::isnan(cells.value(row, column + run))) ++run;
      if (run == 0) continue;
      drawMissing(painter, cells.rect(row, column, run) & cells.layout.frame, cells.style);
      column += run - 1;
    }
  }
}

void drawDots(QPainter& painter, const Cells& cells) {
  const HeatMap& map = cells.map();
  const std::set<int> missing(map.missingRows.begin(), map.missingRows.end());
  for (int row = 0; row < map.rows; ++row) {
    for (int column = 0; column < map.columns; ++column) {
      const bool shown = !missing.contains(row) && !std::isnan(cells.value(row, column));
      const QPointF centre = cells.rect(row, column).center();
      if (shown && !cells.indistinct(row, column) && cells.layout.frame.contains(centre))
        drawDot(painter, centre, cells.style);
    }
  }
}

void drawArrow(QPainter& painter, QRectF cell, bool up, const FigureStyle& style) {
  const double half = 0.32 * std::min(cell.width(), cell.height());
  const double tip = up ? -half : half;
  const QPointF c = cell.center();
  const QPolygonF arrow{{c.x() - half, c.y() - tip}, {c.x() + half, c.y() - tip}, {c.x(), c.y() + tip}};
  // A light edge keeps the arrow visible on dark data colours.
  painter.setPen(QPen(style.ground, 0.5 * style.frameWidth));
  painter.setBrush(style.accent);
  painter.drawPolygon(arrow);
}

}  // namespace

void drawMissing(QPainter& painter, QRectF rect, const FigureStyle& style) {
  if (rect.isEmpty()) return;
  painter.fillRect(rect, style.empty);
  painter.setPen(QPen(style.secondary, 0.5 * style.frameWidth));
  painter.drawLines(hatchLines(rect, kHatchStep, false));
}

void drawMark(QPainter& painter, CellMark mark, QRectF cell, const FigureStyle& style) {
  painter.setBrush(Qt::NoBrush);
  const double inset = 0.5 * style.frameWidth;
  const QRectF inner = cell.adjusted(inset, inset, -inset, -inset);
  switch (mark) {
    case CellMark::Banned:
      painter.fillRect(cell, style.ground);
      painter.setPen(QPen(style.accent, 0.7 * style.frameWidth));
      painter.drawLines(hatchLines(inner, kBanHatchStep, true));
      painter.drawRect(inner);
      return;
    case CellMark::Boosted:
    case CellMark::Dampened:
    case CellMark::Pinned:
      painter.setPen(QPen(style.ground, 2.0 * style.frameWidth));
      painter.drawRect(inner.adjusted(inset, inset, -inset, -inset));
      painter.setPen(QPen(style.accent, style.frameWidth));
      painter.drawRect(inner);
      if (mark == CellMark::Pinned) {
        const double half = 0.2 * std::min(cell.width(), cell.height());
        painter.fillRect(QRectF(cell.center() - QPointF(half, half), QSizeF(2 * half, 2 * half)),
                         style.accent);
      } else {
        drawArrow(painter, cell, mark == CellMark::Boosted, style);
      }
      return;
    case CellMark::LayerRule:
      painter.fillRect(
          QRectF(cell.left() - 0.9 * style.tickLength, cell.top(), 0.6 * style.tickLength, cell.height()),
          style.accent);
      return;
  }
}

void drawDot(QPainter& painter, QPointF at, const FigureStyle& style) {
  // The edge keeps it visible on dark data colours.
  painter.setPen(QPen(style.ground, 0.5 * style.frameWidth));
  painter.setBrush(style.ink);
  painter.drawEllipse(at, 0.5 * style.markerRadius, 0.5 * style.markerRadius);
}

void drawMap(QPainter& painter, const PanelLayout& layout, const FigureStyle& style) {
  const Cells cells{layout, style};
  const HeatMap& map = cells.map();
  if (static_cast<double>(map.rows) * map.columns <= kMostVectorCells) {
    if (map.sparse) painter.fillRect(layout.frame, style.empty);
    drawVectorCells(painter, cells);
    drawMissingCells(painter, cells);
    if (map.dotDistinct && !map.indistinct.empty()) drawDots(painter, cells);
  } else {
    drawImageCells(painter, cells);
    for (const int row : map.missingRows)
      drawMissing(painter, cells.rect(row, 0, map.columns) & layout.frame, style);
  }
  for (const auto& [place, mark] : map.marks) {
    const QRectF cell =
        mark == CellMark::LayerRule ? cells.rect(place.first, 0) : cells.rect(place.first, place.second);
    if (layout.frame.adjusted(-1, -1, 1, 1).contains(cell)) drawMark(painter, mark, cell, style);
  }
}

}  // namespace moescope::views
