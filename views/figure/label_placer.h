// LabelPlacer: finds free places for small labels among the points and lines of a panel. Not for axis numbers
// (panel_arranger.h).
#pragma once

#include <QLineF>
#include <QList>
#include <QRectF>

#include <optional>

namespace moescope::views {

class LabelPlacer {
 public:
  /// Labels stay inside `area`.
  explicit LabelPlacer(QRectF area) : m_area(area) {}

  void addLine(const QLineF& line) { m_lines << line; }
  void addBox(const QRectF& box) { m_boxes << box; }

  /// The first of the candidates that is free, which is then taken. A label that `mayCross` lies on a line
  /// rather than nowhere, never on a box.
  std::optional<QRectF> place(const QList<QRectF>& candidates, bool mayCross);
  /// Eight places for a label of `size` around a point, `distance` away.
  static QList<QRectF> around(QPointF point, QSizeF size, double distance);

 private:
  [[nodiscard]] bool free(const QRectF& box) const;
  [[nodiscard]] bool crossed(const QRectF& box) const;

  QRectF m_area;
  QList<QLineF> m_lines;
  QList<QRectF> m_boxes;
};

}  // namespace moescope::views
