#include "views/figure/map_drawing.h"

#include <QImage>
#include <QPainterPath>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "core/figure/colour_map.h"

namespace moescope::views {

namespace {

using figure::CellMark;
using figure::FigureSpec;
using figure::HeatMap;

constexpr double kHatchStep = 30.0;  // 3 pt between lines
constexpr double kBanHatchStep = 18.0;
constexpr double kOverlap = 2.0;  // 0.2 pt: no hairline between neighbours in a viewer
constexpr int kImagePixels = 16'000'000;

QColor qt(const figure::Rgb& colour) { return {colour[0], colour[1], colour[2]}; }

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
  for (double at = std::ceil(low / step) * step; at < high; at += step) {
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
  const FigureSpec& spec;
  const FigureLayout& layout;

  [[nodiscard]] QRectF rect(int row, int column, int columns = 1) const {
    const double left = layout.x(spec.x, column - 0.5);
    const double right = layout.x(spec.x, column + columns - 0.5);
    const double top = layout.y(spec.y, row - 0.5);
    const double bottom = layout.y(spec.y, row + 0.5);
    return QRectF(QPointF(left, top), QPointF(right, bottom)).normalized();
  }
  [[nodiscard]] double value(int row, int column) const {
    return spec.map->values[static_cast<std::size_t>(row) * static_cast<std::size_t>(spec.map->columns) +
                            static_cast<std::size_t>(column)];
  }
  /// Entry of the colour table; empty if there is no value.
  [[nodiscard]] std::optional<std::size_t> entry(int row, int column) const {
    const double position = figure::scalePosition(spec.map->colours, value(row, column));
    if (std::isnan(position)) return std::nullopt;
    return static_cast<std::size_t>(std::lround(std::clamp(position, 0.0, 1.0) * 255.0));
  }
};

void drawVectorCells(QPainter& painter, const Cells& cells) {
  const HeatMap& map = *cells.spec.map;
  const QRectF frame = cells.layout.frame;
  // One path a colour: far smaller files than one rectangle with its own state a cell.
  std::array<QPainterPath, 256> paths;
  for (int row = 0; row < map.rows; ++row) {
    for (int column = 0; column < map.columns; ++column) {
      const auto entry = cells.entry(row, column);
      if (!entry) continue;
      int run = 1;
      while (column + run < map.columns && cells.entry(row, column + run) == entry) ++run;
      const QRectF rect = cells.rect(row, column, run).adjusted(0, 0, kOverlap, kOverlap) & frame;
      if (!rect.isEmpty()) paths[*entry].addRect(rect);
      column += run - 1;
    }
  }
  const auto table = figure::colourTable(map.colours.map, cells.spec.theme);
  painter.setRenderHint(QPainter::Antialiasing, false);
  painter.setPen(Qt::NoPen);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    paths[i].setFillRule(Qt::WindingFill);
    if (!paths[i].isEmpty()) painter.fillPath(paths[i], qt(table[i]));
  }
  painter.setRenderHint(QPainter::Antialiasing, true);
}

void drawImageCells(QPainter& painter, const Cells& cells, const FigureStyle& style) {
  const HeatMap& map = *cells.spec.map;
  const auto table = figure::colourTable(map.colours.map, cells.spec.theme);
  const QRgb empty = map.sparse ? style.empty.rgb() : style.secondary.rgb();
  QImage image(map.columns, map.rows, QImage::Format_RGB32);
  for (int row = 0; row < map.rows; ++row) {
    auto* line = reinterpret_cast<QRgb*>(image.scanLine(row));
    for (int column = 0; column < map.columns; ++column) {
      const auto entry = cells.entry(row, column);
      line[column] = entry ? qt(table[*entry]).rgb() : empty;
    }
  }
  // Viewers smooth images; several pixels a cell keep its edges sharp.
  const double room =
      std::sqrt(static_cast<double>(kImagePixels) / (static_cast<double>(map.rows) * map.columns));
  const int times = std::clamp(static_cast<int>(room), 1, 4);
  image = image.scaled(map.columns * times, map.rows * times, Qt::IgnoreAspectRatio, Qt::FastTransformation);
  image = image.mirrored(cells.spec.x.reversed, !cells.spec.y.reversed);
  const QRectF whole = cells.rect(0, 0) | cells.rect(map.rows - 1, map.columns - 1);
  painter.save();
  painter.setClipRect(cells.layout.frame);
  painter.setRenderHint(QPainter::SmoothPixmapTransform, false);
  painter.drawImage(whole, image);
  painter.restore();
}

void drawMissingCells(QPainter& painter, const Cells& cells, const FigureStyle& style) {
  const HeatMap& map = *cells.spec.map;
  if (map.sparse) {
    for (const int row : map.missingRows)
      drawMissing(painter, cells.rect(row, 0, map.columns) & cells.layout.frame, style);
    return;
  }
  for (int row = 0; row < map.rows; ++row) {
    for (int column = 0; column < map.columns; ++column) {
      int run = 0;
      while (column + run < map.columns && std::isnan(cells.value(row, column + run))) ++run;
      if (run == 0) continue;
      drawMissing(painter, cells.rect(row, column, run) & cells.layout.frame, style);
      column += run - 1;
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

void drawMap(QPainter& painter, const FigureSpec& spec, const FigureLayout& layout,
             const FigureStyle& style) {
  const Cells cells{spec, layout};
  const HeatMap& map = *spec.map;
  if (static_cast<double>(map.rows) * map.columns <= kMostVectorCells) {
    if (map.sparse) painter.fillRect(layout.frame, style.empty);
    drawVectorCells(painter, cells);
    drawMissingCells(painter, cells, style);
  } else {
    drawImageCells(painter, cells, style);
  }
  for (const auto& [place, mark] : map.marks) {
    const QRectF cell =
        mark == CellMark::LayerRule ? cells.rect(place.first, 0) : cells.rect(place.first, place.second);
    if (layout.frame.adjusted(-1, -1, 1, 1).contains(cell)) drawMark(painter, mark, cell, style);
  }
}

}  // namespace moescope::views
