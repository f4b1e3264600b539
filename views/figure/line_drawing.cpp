#include <QFontMetricsF>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

#include "core/figure/axis.h"
#include "views/figure/panel_painter.h"

namespace moescope::views {

namespace {

using Anchor = TextPen::Anchor;
using figure::AxisKind;
using figure::Line;
using figure::Marker;

/// An arrow head needs this many marker radii of line.
constexpr double kArrowRoom = 7.0;
/// Size of the dot of a point apart in a line without markers, as a part of a marker.
constexpr double kDotPart = 0.6;

QString qt(const std::string& text) { return QString::fromStdString(text); }

bool acrossBreak(const figure::Axis& axis, double a, double b) {
  return axis.kind == AxisKind::LogZero && (a == 0.0) != (b == 0.0);
}

}  // namespace

bool PanelPainter::known(const Line& line, std::size_t i) const {
  const QPointF at = pointAt(line, i);
  return std::isfinite(at.x()) && std::isfinite(at.y());
}

QPointF PanelPainter::pointAt(const Line& line, std::size_t i) const {
  return m_layout.at(line.x[i], line.y[i]);
}

bool PanelPainter::joins(const Line& line, std::size_t i) const {
  return line.joined && i > 0 && known(line, i - 1) && known(line, i) &&
         !acrossBreak(*m_layout.xAxis, line.x[i - 1], line.x[i]) &&
         !acrossBreak(*m_layout.yAxis, line.y[i - 1], line.y[i]);
}

void PanelPainter::drawLines(QPainter& painter) {
  if (m_panel.lines.empty()) return;
  painter.save();
  painter.setClipRect(m_layout.frame);
  std::vector<LineLook> looks;
  for (const Line& line : m_panel.lines) looks.push_back(lookOf(line, m_panel, m_style));
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (!m_panel.lines[i].whiskers) drawInterval(painter, m_panel.lines[i], looks[i].colour);
  }
  for (std::size_t i = 0; i < looks.size(); ++i) {
    const Line& line = m_panel.lines[i];
    drawWhiskers(painter, line, looks[i].colour);
    drawPath(painter, line, looks[i]);
    if (line.arrows) drawArrows(painter, line, looks[i]);
    addObstacles(line, looks[i]);
  }
  painter.restore();
  // Markers at the very edge are whole.
  for (std::size_t i = 0; i < looks.size(); ++i) drawMarkers(painter, m_panel.lines[i], looks[i]);
}

void PanelPainter::drawInterval(QPainter& painter, const Line& line, const QColor& colour) const {
  QPolygonF upper, lower;
  const auto flush = [&] {
    std::reverse(lower.begin(), lower.end());
    if (upper.size() > 1) {
      painter.setPen(Qt::NoPen);
      painter.setBrush(mixed(colour, m_style.ground, kIntervalStrength));
      painter.drawPolygon(upper + lower);
    } else if (upper.size() == 1) {
      // A point apart has no neighbour to make a band with.
      painter.setPen(QPen(colour, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap));
      drawErrorBar(painter, upper.front(), lower.front());
    }
    upper.clear();
    lower.clear();
  };
  for (std::size_t i = 0; i < line.x.size() && i < line.low.size(); ++i) {
    if (i > 0 && acrossBreak(*m_layout.xAxis, line.x[i - 1], line.x[i])) flush();
    const QPointF high = m_layout.at(line.x[i], line.high[i]);
    const QPointF low = m_layout.at(line.x[i], line.low[i]);
    if (!std::isfinite(high.x()) || !std::isfinite(high.y()) || !std::isfinite(low.y())) {
      flush();
      continue;
    }
    upper << high;
    lower << low;
  }
  flush();
}

void PanelPainter::drawWhiskers(QPainter& painter, const Line& line, const QColor& colour) const {
  painter.setPen(QPen(colour, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap));
  const auto bar = [&](QPointF from, QPointF to) {
    if (std::isfinite(from.x() + from.y() + to.x() + to.y())) drawErrorBar(painter, from, to);
  };
  for (std::size_t i = 0; i < line.x.size(); ++i) {
    if (line.whiskers && i < line.low.size())
      bar(m_layout.at(line.x[i], line.low[i]), m_layout.at(line.x[i], line.high[i]));
    if (i < line.xLow.size())
      bar(m_layout.at(line.xLow[i], line.y[i]), m_layout.at(line.xHigh[i], line.y[i]));
  }
}

void PanelPainter::drawPath(QPainter& painter, const Line& line, const LineLook& look) const {
  if (!line.joined) return;
  QPainterPath path;
  for (std::size_t i = 0; i < line.x.size(); ++i) {
    if (!known(line, i)) continue;
    if (joins(line, i))
      path.lineTo(pointAt(line, i));
    else
      path.moveTo(pointAt(line, i));
  }
  painter.setBrush(Qt::NoBrush);
  painter.setPen(look.pen);
  painter.drawPath(path);
}

void PanelPainter::drawArrows(QPainter& painter, const Line& line, const LineLook& look) const {
  QLineF longest;
  bool any = false;
  for (std::size_t i = 1; i < line.x.size(); ++i) {
    if (!joins(line, i)) continue;
    const QLineF segment(pointAt(line, i - 1), pointAt(line, i));
    if (segment.length() > longest.length()) longest = segment;
    if (segment.length() < kArrowRoom * m_style.markerRadius) continue;
    drawArrowHead(painter, segment, look.colour, m_style);
    any = true;
  }
  // A short course has a direction all the same.
  if (!any) drawArrowHead(painter, longest, look.colour, m_style);
}

void PanelPainter::drawMarkers(QPainter& painter, const Line& line, const LineLook& look) const {
  for (std::size_t i = 0; i < line.x.size(); ++i) {
    if (!known(line, i)) continue;
    const QPointF at = pointAt(line, i);
    if (!m_layout.frame.adjusted(-1, -1, 1, 1).contains(at)) continue;
    const auto group = static_cast<std::size_t>(i < line.groups.size() ? line.groups[i] : -1);
    if (group < m_groups.size()) {
      drawMarker(painter, m_groups[group].marker, at, m_style.markerRadius, m_groups[group].colour,
                 m_style.colour(m_groups[group].colour), m_style);
    } else {
      // A point that no line reaches would be lost without a dot.
      const bool alone = line.joined && !joins(line, i) && (i + 1 >= line.x.size() || !joins(line, i + 1));
      const bool dot = alone && look.marker == Marker::None;
      drawMarker(painter, dot ? Marker::Circle : look.marker, at,
                 (dot ? kDotPart : 1.0) * m_style.markerRadius, line.colour, look.colour, m_style);
    }
    if (static_cast<int>(i) != line.ringed) continue;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(m_style.ink, 1.4 * m_style.frameWidth));
    painter.drawEllipse(at, 2.1 * m_style.markerRadius, 2.1 * m_style.markerRadius);
  }
}

void PanelPainter::addObstacles(const Line& line, const LineLook& look) {
  const bool marked = look.marker != Marker::None || !line.groups.empty();
  for (std::size_t i = 0; i < line.x.size(); ++i) {
    if (!known(line, i)) continue;
    const QPointF at = pointAt(line, i);
    if (joins(line, i)) m_placer.addLine({pointAt(line, i - 1), at});
    const double radius = m_style.markerRadius * (static_cast<int>(i) == line.ringed ? 2.2 : 1.1);
    if (line.whiskers && i < line.low.size())
      m_placer.addLine({m_layout.at(line.x[i], line.low[i]), m_layout.at(line.x[i], line.high[i])});
    if (i < line.xLow.size())
      m_placer.addLine({m_layout.at(line.xLow[i], line.y[i]), m_layout.at(line.xHigh[i], line.y[i])});
    if (marked) m_placer.addBox(QRectF(at - QPointF(radius, radius), at + QPointF(radius, radius)));
  }
}

void PanelPainter::drawPointLabels(QPainter& painter, const Line& line) {
  if (line.labels.empty()) return;
  const QFontMetricsF metrics(m_style.inside);
  // The ends and the ringed point first: they say most.
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < line.labels.size() && i < line.x.size(); ++i) {
    if (!line.labels[i].empty() && known(line, i)) order.push_back(i);
  }
  const auto first = order.empty() ? 0 : order.front(), last = order.empty() ? 0 : order.back();
  const auto important = [&](std::size_t i) {
    return i == first || i == last || static_cast<int>(i) == line.ringed;
  };
  std::stable_partition(order.begin(), order.end(), important);
  for (const std::size_t i : order) {
    const QString text = qt(line.labels[i]);
    const QSizeF size(metrics.horizontalAdvance(text), lineHeight(m_style.inside));
    const double distance =
        m_style.markerRadius * (static_cast<int>(i) == line.ringed ? 2.2 : 1.1) + 0.35 * m_style.gap;
    const auto box = m_placer.place(LabelPlacer::around(pointAt(line, i), size, distance), important(i));
    if (!box) continue;
    m_text.write(painter, {box->left(), box->top() + metrics.ascent()}, text, m_style.inside, m_style.ink,
                 Anchor::Left);
  }
}

void PanelPainter::drawLineNames(QPainter& painter) const {
  struct Name {
    double y;
    QString text;
  };
  std::vector<Name> names;
  for (const Line& line : m_panel.lines) {
    if (!line.named) continue;
    for (std::size_t i = line.x.size(); i-- > 0;) {
      if (!known(line, i)) continue;
      names.push_back({pointAt(line, i).y(), qt(line.name)});
      break;
    }
  }
  std::ranges::sort(names, {}, &Name::y);
  const double height = lineHeight(m_style.inside);
  double free = m_layout.frame.top() + height / 2;
  for (Name& name : names) {
    name.y = std::max(name.y, free);
    free = name.y + height;
  }
  // What was pushed over the lower edge goes back up.
  double floor = m_layout.frame.bottom() - height / 2;
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    name->y = std::min(name->y, floor);
    floor = name->y - height;
  }
  for (const Name& name : names) {
    m_text.writeCentred(painter, {m_layout.frame.right() + 0.7 * m_style.gap, name.y}, name.text,
                        m_style.inside, m_style.ink, Anchor::Left);
  }
}

}  // namespace moescope::views
