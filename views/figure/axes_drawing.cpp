#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

#include "core/figure/axis.h"
#include "views/figure/panel_painter.h"

namespace moescope::views {

namespace {

using Anchor = TextPen::Anchor;

QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

void PanelPainter::drawFrame(QPainter& painter) const {
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(m_style.frame, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap, Qt::MiterJoin));
  painter.drawRect(m_layout.frame);
  drawXNumbers(painter);
  drawYNumbers(painter);
  drawBreak(painter);
}

void PanelPainter::drawXNumbers(QPainter& painter) const {
  const QFontMetricsF metrics(m_style.labels);
  const double bottom = m_layout.frame.bottom();
  const double below = bottom + m_style.tickLength + m_style.gap * 0.5;
  for (const auto& [place, name] : m_layout.xTicks) {
    const double x = m_layout.x(place);
    painter.setPen(QPen(m_style.frame, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap));
    painter.drawLine(QPointF(x, bottom), QPointF(x, bottom + m_style.tickLength));
    if (!m_layout.xNumbers) continue;
    QString text = qt(name);
    if (m_layout.nameAngle == 0.0) {
      m_text.write(painter, {x, below + metrics.ascent()}, text, m_style.labels, m_style.ink, Anchor::Centre);
      continue;
    }
    text = metrics.elidedText(text, Qt::ElideRight, m_layout.xNameRoom + 1);
    const double down = 0.5 * metrics.capHeight() * std::cos(m_layout.nameAngle * M_PI / 180.0);
    m_text.writeCentred(painter, {x, below + down}, text, m_style.labels, m_style.ink, Anchor::Right,
                        m_layout.nameAngle);
  }
}

void PanelPainter::drawYNumbers(QPainter& painter) const {
  const QFontMetricsF metrics(m_style.labels);
  const double left = m_layout.frame.left();
  for (const auto& [place, text] : m_layout.yTicks) {
    const double y = m_layout.y(place);
    painter.setPen(QPen(m_style.frame, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap));
    painter.drawLine(QPointF(left - m_style.tickLength, y), QPointF(left, y));
    if (!m_layout.yNumbers) continue;
    const QPointF at(left - m_style.tickLength - m_style.gap * 0.5, y);
    m_text.writeCentred(painter, at, metrics.elidedText(qt(text), Qt::ElideRight, m_layout.yNameRoom + 1),
                        m_style.labels, m_style.ink, Anchor::Right);
  }
}

void PanelPainter::drawBreak(QPainter& painter) const {
  const QRectF& frame = m_layout.frame;
  const double half = 0.5 * m_style.tickLength;
  // A gap with two slanted strokes, on both sides of the frame that run along the axis.
  const auto stroke = [&](QPointF centre, QPointF along) {
    const QPointF across(-along.y(), along.x());
    painter.setPen(QPen(m_style.ground, 2.0 * m_style.frameWidth, Qt::SolidLine, Qt::FlatCap));
    painter.drawLine(centre - half * along, centre + half * along);
    painter.setPen(QPen(m_style.frame, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap));
    for (const double side : {-half, half}) {
      const QPointF at = centre + side * along;
      painter.drawLine(at - half * (0.6 * along + 1.4 * across), at + half * (0.6 * along + 1.4 * across));
    }
  };
  if (m_layout.xAxis->kind == figure::AxisKind::LogZero) {
    const double part = m_layout.xAxis->reversed ? 1.0 - figure::kBreakPart : figure::kBreakPart;
    const double x = frame.left() + part * frame.width();
    for (const double y : {frame.top(), frame.bottom()}) stroke({x, y}, {1, 0});
  }
  if (m_layout.yAxis->kind == figure::AxisKind::LogZero) {
    const double part = m_layout.yAxis->reversed ? figure::kBreakPart : 1.0 - figure::kBreakPart;
    const double y = frame.top() + part * frame.height();
    for (const double x : {frame.left(), frame.right()}) stroke({x, y}, {0, 1});
  }
}

void PanelPainter::drawHeading(QPainter& painter) const {
  if (m_layout.heading.isEmpty()) return;
  const QFontMetricsF bold(m_style.title), small(m_style.inside);
  const double baseline = m_layout.heading.top() + bold.ascent();
  QString heading = qt(m_panel.heading);
  if (!m_layout.letter.isEmpty())
    heading = heading.isEmpty() ? m_layout.letter : m_layout.letter + QStringLiteral("  ") + heading;
  const double room = m_layout.heading.width();
  m_text.write(painter, {m_layout.heading.left(), baseline},
               bold.elidedText(heading, Qt::ElideRight, room + 1), m_style.title, m_style.ink, Anchor::Left);
  const QString note = qt(m_panel.headingNote);
  const double taken = heading.isEmpty() ? 0.0 : bold.horizontalAdvance(heading) + m_style.gap;
  if (note.isEmpty() || taken + small.horizontalAdvance(note) > room) return;
  m_text.write(painter, {m_layout.heading.right(), baseline}, note, m_style.inside, m_style.secondary,
               Anchor::Right);
}

void PanelPainter::drawLabels(QPainter& painter) const {
  const QFontMetricsF metrics(m_style.labels);
  const auto shortened = [&](const std::string& text, double room) {
    return metrics.elidedText(qt(text), Qt::ElideRight, room + 1);
  };
  if (!m_layout.xLabel.isEmpty()) {
    const QRectF& box = m_layout.xLabel;
    m_text.write(painter, {box.center().x(), box.top() + metrics.ascent()},
                 shortened(m_layout.xAxis->label, box.width()), m_style.labels, m_style.ink, Anchor::Centre);
  }
  if (!m_layout.yLabel.isEmpty()) {
    const QRectF& box = m_layout.yLabel;
    m_text.write(painter, {box.left() + metrics.ascent(), box.center().y()},
                 shortened(m_layout.yAxis->label, box.height()), m_style.labels, m_style.ink, Anchor::Centre,
                 90.0);
  }
}

void PanelPainter::drawSideColumns(QPainter& painter) const {
  const QFontMetricsF metrics(m_style.inside);
  for (std::size_t c = 0; c < m_layout.sideColumns.size(); ++c) {
    const figure::SideColumn& column = m_panel.sideColumns[c];
    const QRectF& box = m_layout.sideColumns[c];
    const bool bars = !column.shares.empty();
    const double baseline = m_layout.frame.top() - 0.5 * m_style.gap - metrics.descent();
    m_text.write(painter, {bars ? box.left() : box.right(), baseline}, qt(column.heading), m_style.inside,
                 m_style.secondary, bars ? Anchor::Left : Anchor::Right);
    // Rows closer than a line of text have only their bars.
    const double pitch = std::abs(m_layout.y(1.0) - m_layout.y(0.0));
    for (std::size_t row = 0; row < column.shares.size(); ++row) {
      const double height = std::min(0.5 * pitch, 0.7 * m_style.inside.pixelSize());
      const double y = m_layout.y(static_cast<double>(row));
      if (y < box.top() || y > box.bottom()) continue;
      const QRectF track(box.left(), y - height / 2, box.width(), height);
      painter.fillRect(track, mixed(m_style.plain, m_style.ground, kIntervalStrength));
      const double share = std::isfinite(column.shares[row]) ? std::clamp(column.shares[row], 0.0, 1.0) : 0.0;
      painter.fillRect(QRectF(track.topLeft(), QSizeF(share * track.width(), height)), m_style.plain);
    }
    if (pitch < 0.9 * lineHeight(m_style.inside)) continue;
    for (std::size_t row = 0; row < column.texts.size(); ++row) {
      const double y = m_layout.y(static_cast<double>(row));
      if (y < box.top() || y > box.bottom()) continue;
      m_text.writeCentred(painter, {box.right(), y}, qt(column.texts[row]), m_style.inside, m_style.ink,
                          Anchor::Right);
    }
  }
}

}  // namespace moescope::views
