#include "views/figure/figure_hits.h"

#include <algorithm>
#include <cmath>

namespace moescope::views {

namespace {

using Kind = FigureHit::Kind;

bool isPoint(const PanelLayout& panel, const figure::Line& line, std::size_t i) {
  const QPointF at = panel.at(line.x[i], line.y[i]);
  return std::isfinite(at.x()) && std::isfinite(at.y()) && panel.frame.adjusted(-1, -1, 1, 1).contains(at);
}

/// Column or bar at a place of an axis that counts from 0.
std::optional<int> indexAt(double from, double to, double position, int count) {
  // `from` is where 0 stands, `to` where 1 does.
  const double at = (position - from) / (to - from);
  const int index = static_cast<int>(std::lround(std::clamp(at, -1.0, static_cast<double>(count))));
  if (index < 0 || index >= count) return std::nullopt;
  return index;
}

std::optional<FigureHit> pointAt(const PanelLayout& panel, int index, QPointF position, double reach) {
  std::optional<FigureHit> nearest;
  double least = reach;
  for (std::size_t l = 0; l < panel.panel->lines.size(); ++l) {
    const figure::Line& line = panel.panel->lines[l];
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      if (!isPoint(panel, line, i)) continue;
      const double distance = QLineF(position, panel.at(line.x[i], line.y[i])).length();
      if (distance > least) continue;
      least = distance;
      nearest = FigureHit{Kind::Point, index, static_cast<int>(l), static_cast<int>(i)};
    }
  }
  return nearest;
}

int lastOf(std::size_t count) { return static_cast<int>(count) - 1; }

/// The next point of a line that can be seen, from `start` on in steps; -1 if there is none.
int seenPoint(const PanelLayout& panel, const figure::Line& line, int start, int step) {
  for (int i = start; i >= 0 && i <= lastOf(line.x.size()); i += step) {
    if (isPoint(panel, line, static_cast<std::size_t>(i))) return i;
  }
  return -1;
}

FigureHit movedPoint(const PanelLayout& panel, FigureHit hit, int right, int down) {
  const auto& lines = panel.panel->lines;
  const figure::Line& line = lines[static_cast<std::size_t>(hit.row)];
  if (right != 0) {
    const int next = seenPoint(panel, line, hit.column + right, right);
    if (next >= 0) hit.column = next;
    return hit;
  }
  const QPointF here =
      panel.at(line.x[static_cast<std::size_t>(hit.column)], line.y[static_cast<std::size_t>(hit.column)]);
  for (int l = hit.row + down; l >= 0 && l <= lastOf(lines.size()); l += down) {
    // The point of the other line that stands nearest in x.
    const figure::Line& other = lines[static_cast<std::size_t>(l)];
    int best = -1;
    double least = 0.0;
    for (int i = seenPoint(panel, other, 0, 1); i >= 0; i = seenPoint(panel, other, i + 1, 1)) {
      const double distance = std::abs(panel.x(other.x[static_cast<std::size_t>(i)]) - here.x());
      if (best >= 0 && distance >= least) continue;
      best = i;
      least = distance;
    }
    if (best >= 0) return {Kind::Point, hit.panel, l, best};
  }
  return hit;
}

}  // namespace

std::optional<FigureHit> figureHitAt(const FigureLayout& layout, QPointF position, double reach) {
  for (std::size_t p = 0; p < layout.panels.size(); ++p) {
    const PanelLayout& panel = layout.panels[p];
    if (!panel.frame.adjusted(-reach, -reach, reach, reach).contains(position)) continue;
    const int index = static_cast<int>(p);
    if (const auto point = pointAt(panel, index, position, reach)) return point;
    if (!panel.frame.contains(position)) continue;
    if (panel.panel->map) {
      const figure::HeatMap& map = *panel.panel->map;
      const auto row = indexAt(panel.y(0), panel.y(1), position.y(), map.rows);
      const auto column = indexAt(panel.x(0), panel.x(1), position.x(), map.columns);
      if (row && column) return FigureHit{Kind::Cell, index, *row, *column};
    }
    if (panel.panel->bars) {
      const figure::Bars& bars = *panel.panel->bars;
      const int count = static_cast<int>(bars.values.size());
      const auto bar = bars.horizontal ? indexAt(panel.y(0), panel.y(1), position.y(), count)
                                       : indexAt(panel.x(0), panel.x(1), position.x(), count);
      if (bar) return FigureHit{Kind::Bar, index, 0, *bar};
    }
  }
  return std::nullopt;
}

QRectF figureHitBox(const FigureLayout& layout, const FigureHit& hit, double radius) {
  if (hit.panel < 0 || hit.panel > lastOf(layout.panels.size()) || hit.row < 0 || hit.column < 0) return {};
  const PanelLayout& panel = layout.panels[static_cast<std::size_t>(hit.panel)];
  const auto between = [](QPointF a, QPointF b) { return QRectF(a, b).normalized(); };
  const auto row = static_cast<std::size_t>(hit.row), column = static_cast<std::size_t>(hit.column);
  switch (hit.kind) {
    case Kind::Point: {
      if (row >= panel.panel->lines.size()) return {};
      const figure::Line& line = panel.panel->lines[row];
      if (column >= line.x.size() || !isPoint(panel, line, column)) return {};
      const QPointF at = panel.at(line.x[column], line.y[column]);
      return {at - QPointF(radius, radius), at + QPointF(radius, radius)};
    }
    case Kind::Cell:
      if (!panel.panel->map || hit.row >= panel.panel->map->rows || hit.column >= panel.panel->map->columns)
        return {};
      return between(panel.at(hit.column - 0.5, hit.row - 0.5), panel.at(hit.column + 0.5, hit.row + 0.5)) &
             panel.frame;
    case Kind::Bar: {
      if (!panel.panel->bars || column >= panel.panel->bars->values.size()) return {};
      // The whole place of the bar: a small one could not be pointed at.
      const QRectF& frame = panel.frame;
      if (panel.panel->bars->horizontal)
        return between({frame.left(), panel.y(hit.column - 0.5)},
                       {frame.right(), panel.y(hit.column + 0.5)}) &
               frame;
      return between({panel.x(hit.column - 0.5), frame.top()}, {panel.x(hit.column + 0.5), frame.bottom()}) &
             frame;
    }
  }
  return {};
}

std::optional<FigureHit> firstHit(const FigureLayout& layout, int panel) {
  if (panel < 0 || panel > lastOf(layout.panels.size())) return std::nullopt;
  const PanelLayout& there = layout.panels[static_cast<std::size_t>(panel)];
  if (there.panel->map) return FigureHit{Kind::Cell, panel, 0, 0};
  if (there.panel->bars && !there.panel->bars->values.empty()) return FigureHit{Kind::Bar, panel, 0, 0};
  for (std::size_t l = 0; l < there.panel->lines.size(); ++l) {
    const int point = seenPoint(there, there.panel->lines[l], 0, 1);
    if (point >= 0) return FigureHit{Kind::Point, panel, static_cast<int>(l), point};
  }
  return std::nullopt;
}

FigureHit movedHit(const FigureLayout& layout, const FigureHit& hit, int right, int down) {
  if (figureHitBox(layout, hit, 1.0).isNull()) return hit;
  const PanelLayout& panel = layout.panels[static_cast<std::size_t>(hit.panel)];
  // Rows of a map that is not reversed are counted upwards.
  const int along = panel.xAxis->reversed ? -right : right;
  const int across = panel.yAxis->reversed ? down : -down;
  FigureHit moved = hit;
  switch (hit.kind) {
    case Kind::Point: return movedPoint(panel, hit, right, down);
    case Kind::Cell:
      moved.row = std::clamp(hit.row + across, 0, panel.panel->map->rows - 1);
      moved.column = std::clamp(hit.column + along, 0, panel.panel->map->columns - 1);
      return moved;
    case Kind::Bar:
      moved.column = std::clamp(hit.column + (panel.panel->bars->horizontal ? across : along), 0,
                                lastOf(panel.panel->bars->values.size()));
      return moved;
  }
  return hit;
}

}  // namespace moescope::views
