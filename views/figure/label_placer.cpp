#include "views/figure/label_placer.h"

#include <algorithm>

namespace moescope::views {

namespace {

bool crosses(const QLineF& line, const QRectF& box) {
  if (box.contains(line.p1()) || box.contains(line.p2())) return true;
  if (std::max(line.x1(), line.x2()) < box.left() || std::min(line.x1(), line.x2()) > box.right() ||
      std::max(line.y1(), line.y2()) < box.top() || std::min(line.y1(), line.y2()) > box.bottom()) {
    return false;
  }
  const QLineF diagonals[] = {{box.topLeft(), box.bottomRight()}, {box.topRight(), box.bottomLeft()}};
  return std::ranges::any_of(diagonals, [&](const QLineF& diagonal) {
    return line.intersects(diagonal) == QLineF::BoundedIntersection;
  });
}

}  // namespace

std::optional<QRectF> LabelPlacer::place(const QList<QRectF>& candidates, bool mayCross) {
  for (const bool strict : {true, false}) {
    if (!strict && !mayCross) break;
    for (const QRectF& box : candidates) {
      if (!free(box) || (strict && crossed(box))) continue;
      m_boxes << box;
      return box;
    }
  }
  return std::nullopt;
}

QList<QRectF> LabelPlacer::around(QPointF point, QSizeF size, double distance) {
  const double w = size.width(), h = size.height();
  // The corner of a label is farther from its text than its side is.
  const double slant = 0.75 * distance;
  const QPointF corners[] = {{distance, -h / 2},       {-distance - w, -h / 2}, {-w / 2, -distance - h},
                             {-w / 2, distance},       {slant, -slant - h},     {slant, slant},
                             {-slant - w, -slant - h}, {-slant - w, slant}};
  QList<QRectF> places;
  for (const QPointF& corner : corners) places << QRectF(point + corner, size);
  return places;
}

bool LabelPlacer::free(const QRectF& box) const {
  return m_area.contains(box) &&
         std::ranges::none_of(m_boxes, [&](const QRectF& other) { return other.intersects(box); });
}

bool LabelPlacer::crossed(const QRectF& box) const {
  return std::ranges::any_of(m_lines, [&](const QLineF& line) { return crosses(line, box); });
}

}  // namespace moescope::views
