#include "views/figure/line_look.h"

#include <array>
#include <cmath>

namespace moescope::views {

namespace {

using figure::Dash;
using figure::Marker;

/// Up to here each point of a line has a marker.
constexpr std::size_t kMostMarkers = 30;
/// Markers and dashes that go with the seven colours.
constexpr std::array<Marker, 7> kMarkers{Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond,
                                         Marker::Down,   Marker::Cross,  Marker::Ring};
const std::array<QList<qreal>, 7>& dashes() {
  static const std::array<QList<qreal>, 7> kDashes{
      {{}, {5, 2}, {1, 1.6}, {6, 2, 1, 2}, {10, 3}, {6, 2, 1, 2, 1, 2}, {2.5, 2.5}}};
  return kDashes;
}

Marker resolved(Marker marker, const figure::Line& line, bool alone) {
  if (marker != Marker::Automatic) return marker;
  if (line.x.size() > kMostMarkers || (line.colour == figure::kPlainColour && line.joined))
    return Marker::None;
  return alone || line.colour < 0 ? Marker::Circle : kMarkers[static_cast<std::size_t>(line.colour) % 7];
}

QList<qreal> patternOf(Dash dash, const figure::Line& line, bool plain) {
  switch (dash) {
    case Dash::Automatic:
      return plain || line.colour < 0 ? QList<qreal>() : dashes()[static_cast<std::size_t>(line.colour) % 7];
    case Dash::Solid: return {};
    case Dash::Dashed: return dashes()[1];
    case Dash::Dotted: return dashes()[2];
    case Dash::DashDotted: return dashes()[3];
  }
  return {};
}

QPolygonF corners(QPointF at, std::initializer_list<QPointF> offsets, double radius) {
  QPolygonF polygon;
  for (const QPointF& offset : offsets) polygon << at + radius * offset;
  return polygon;
}

}  // namespace

LineLook lookOf(const figure::Line& line, const figure::FigurePanel& panel, const FigureStyle& style) {
  const bool alone = panel.lines.size() == 1;
  LineLook look;
  look.colour = alone && line.colour >= 0 ? style.ink : style.colour(line.colour);
  look.marker = resolved(line.marker, line, alone);
  const double width = line.colour == figure::kPlainColour ? 0.7 * style.dataWidth : style.dataWidth;
  look.pen = QPen(look.colour, width, Qt::SolidLine, Qt::FlatCap, Qt::RoundJoin);
  const QList<qreal> pattern = patternOf(line.dash, line, alone || look.marker != Marker::None);
  if (!pattern.isEmpty()) look.pen.setDashPattern(pattern);
  return look;
}

void drawMarker(QPainter& painter, Marker marker, QPointF at, double radius, int colourIndex,
                const QColor& colour, const FigureStyle& style) {
  // Orange and sky do not stand out from white by lightness.
  const bool outlined = (colourIndex == 5 || colourIndex == 6) && style.theme != figure::Theme::Dark;
  const double edge = 0.6 * style.frameWidth;
  painter.setPen(
      QPen(outlined ? style.ink : style.ground, edge, Qt::SolidLine, Qt::SquareCap, Qt::MiterJoin));
  painter.setBrush(colour);
  switch (marker) {
    case Marker::Automatic:
    case Marker::Circle: painter.drawEllipse(at, radius, radius); return;
    case Marker::None: return;
    case Marker::Square:
      painter.drawRect(QRectF(at - QPointF(0.88, 0.88) * radius, at + QPointF(0.88, 0.88) * radius));
      return;
    case Marker::Triangle:
      painter.drawPolygon(corners(at, {{0, -1.15}, {1.1, 0.8}, {-1.1, 0.8}}, radius));
      return;
    case Marker::Down:
      painter.drawPolygon(corners(at, {{0, 1.15}, {1.1, -0.8}, {-1.1, -0.8}}, radius));
      return;
    case Marker::Diamond:
      painter.drawPolygon(corners(at, {{0, -1.25}, {1.25, 0}, {0, 1.25}, {-1.25, 0}}, radius));
      return;
    case Marker::Cross: {
      painter.setPen(QPen(colour, 1.4 * style.frameWidth, Qt::SolidLine, Qt::FlatCap));
      const double arm = 0.85 * radius;
      painter.drawLine(at - QPointF(arm, arm), at + QPointF(arm, arm));
      painter.drawLine(at + QPointF(-arm, arm), at + QPointF(arm, -arm));
      return;
    }
    case Marker::Ring:
      painter.setPen(QPen(colour, 1.2 * style.frameWidth));
      painter.setBrush(style.ground);
      painter.drawEllipse(at, 0.9 * radius, 0.9 * radius);
      return;
    case Marker::Tick:
      painter.setPen(QPen(colour, 1.6 * style.frameWidth, Qt::SolidLine, Qt::FlatCap));
      painter.drawLine(at - QPointF(0, 1.7 * radius), at + QPointF(0, 1.7 * radius));
      return;
  }
}

void drawArrowHead(QPainter& painter, const QLineF& segment, const QColor& colour, const FigureStyle& style) {
  const double length = segment.length();
  if (length <= 0.0) return;
  const QPointF along(segment.dx() / length, segment.dy() / length);
  const QPointF across(-along.y(), along.x());
  const double size = 1.9 * style.markerRadius;
  const QPointF tip = segment.center() + 0.6 * size * along;
  const QPointF foot = tip - 1.2 * size * along;
  painter.setPen(Qt::NoPen);
  painter.setBrush(colour);
  painter.drawPolygon(QPolygonF{tip, foot + 0.45 * size * across, foot - 0.45 * size * across});
}

}  // namespace moescope::views
