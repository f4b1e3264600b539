#include "views/figure/panel_painter.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

#include "core/figure/axis.h"
#include "core/figure/number_text.h"
#include "views/figure/map_drawing.h"

namespace moescope::views {

namespace {

using Anchor = TextPen::Anchor;
using figure::AxisKind;

/// More names above bars would run into each other.
constexpr int kMostBarNames = 4;
constexpr double kBarWidth = 0.8, kFaintStrength = 0.45;

QString qt(const std::string& text) { return QString::fromStdString(text); }

QRectF between(QPointF a, QPointF b) { return QRectF(a, b).normalized(); }

}  // namespace

PanelPainter::PanelPainter(const PanelLayout& layout, std::span<const figure::PointGroup> groups,
                           const FigureStyle& style, const TextPen& text, bool bandsInLegend)
    : m_layout(layout),
      m_panel(*layout.panel),
      m_groups(groups),
      m_style(style),
      m_text(text),
      m_bandsInLegend(bandsInLegend),
      m_placer(
          layout.frame.adjusted(style.frameWidth, style.frameWidth, -style.frameWidth, -style.frameWidth)) {}

void PanelPainter::draw(QPainter& painter) {
  drawBands(painter);
  drawGrid(painter);
  if (m_panel.map) drawMap(painter, m_layout, m_style);
  if (m_panel.bars) drawBars(painter);
  drawLines(painter);
  drawReferences(painter);
  if (m_panel.bars) drawBarNames(painter);
  for (const figure::Line& line : m_panel.lines) drawPointLabels(painter, line);
  if (!m_bandsInLegend) drawBandNames(painter);
  drawFrame(painter);
  drawHeading(painter);
  drawLabels(painter);
  drawSideColumns(painter);
  drawLineNames(painter);
}

void PanelPainter::drawBands(QPainter& painter) const {
  const QRectF& frame = m_layout.frame;
  for (const figure::Band& band : m_panel.bands) {
    const figure::Axis& axis = band.horizontal ? *m_layout.yAxis : *m_layout.xAxis;
    const double low = std::clamp(figure::axisPart(axis, band.low), 0.0, 1.0);
    const double high = std::clamp(figure::axisPart(axis, band.high), 0.0, 1.0);
    if (!(low < high)) continue;
    const bool falling = axis.reversed != band.horizontal;
    const double from = falling ? 1.0 - high : low, to = falling ? 1.0 - low : high;
    const QRectF rect = band.horizontal ? QRectF(frame.left(), frame.top() + from * frame.height(),
                                                 frame.width(), (to - from) * frame.height())
                                        : QRectF(frame.left() + from * frame.width(), frame.top(),
                                                 (to - from) * frame.width(), frame.height());
    const QColor colour = m_style.colour(band.colour);
    painter.fillRect(rect, mixed(colour, m_style.ground, kBandStrength));
    if (band.horizontal || m_style.theme == figure::Theme::Print) continue;
    painter.fillRect(QRectF(rect.left(), rect.top(), rect.width(), m_style.tickLength), colour);
  }
}

void PanelPainter::drawGrid(QPainter& painter) const {
  if (!m_style.grid.isValid() || m_panel.map) return;
  const QRectF& frame = m_layout.frame;
  painter.setPen(QPen(m_style.grid, m_style.frameWidth));
  const bool upright =
      m_layout.yAxis->kind == AxisKind::Category || (m_panel.bars && m_panel.bars->horizontal);
  if (upright) {
    for (const auto& tick : m_layout.xTicks) {
      const double x = m_layout.x(tick.first);
      painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()));
    }
    return;
  }
  for (const auto& tick : m_layout.yTicks) {
    const double y = m_layout.y(tick.first);
    painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y));
  }
}

void PanelPainter::drawBars(QPainter& painter) const {
  const figure::Bars& bars = *m_panel.bars;
  const figure::Axis& axis = bars.horizontal ? *m_layout.xAxis : *m_layout.yAxis;
  // The value runs along one axis and the bars stand along the other.
  const auto at = [&](double place, double value) {
    return bars.horizontal ? m_layout.at(value, place) : m_layout.at(place, value);
  };
  const auto clamped = [&](double value) { return std::clamp(value, axis.min, axis.max); };
  const QColor plain = bars.colour == figure::kPlainColour ? m_style.bar : m_style.colour(bars.colour);
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    if (!std::isfinite(bars.values[i])) continue;
    const bool highlighted = i < bars.highlighted.size() && bars.highlighted[i];
    const bool faint = i < bars.faint.size() && bars.faint[i];
    const QColor colour = highlighted ? m_style.accent : plain;
    const double place = static_cast<double>(i);
    const QRectF rect =
        between(at(place - kBarWidth / 2, clamped(bars.values[i])), at(place + kBarWidth / 2, clamped(0.0)));
    painter.fillRect(rect & m_layout.frame, faint ? mixed(colour, m_style.ground, kFaintStrength) : colour);
    if (i >= bars.low.size() || !std::isfinite(bars.low[i]) || !std::isfinite(bars.high[i])) continue;
    painter.setPen(QPen(m_style.ink, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap));
    drawErrorBar(painter, at(place, clamped(bars.low[i])), at(place, clamped(bars.high[i])));
  }
}

void PanelPainter::drawErrorBar(QPainter& painter, QPointF from, QPointF to) const {
  const bool upright = std::abs(from.x() - to.x()) < std::abs(from.y() - to.y());
  const double half = 0.9 * m_style.markerRadius;
  const QPointF cap = upright ? QPointF(half, 0) : QPointF(0, half);
  painter.drawLine(from, to);
  painter.drawLine(from - cap, from + cap);
  painter.drawLine(to - cap, to + cap);
}

void PanelPainter::drawBarNames(QPainter& painter) const {
  const figure::Bars& bars = *m_panel.bars;
  const auto count = std::ranges::count(bars.highlighted, true);
  if (count == 0 || count > kMostBarNames || bars.names.empty() || bars.horizontal) return;
  const QFontMetricsF metrics(m_style.inside);
  double clear = m_layout.frame.left();
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    if (!bars.highlighted[i] || !std::isfinite(bars.values[i])) continue;
    const QString text =
        qt(bars.names[i] + " " + figure::decimalText(bars.values[i], 2) + m_layout.yAxis->suffix);
    const double width = metrics.horizontalAdvance(text);
    const double most = m_layout.frame.right() - width - m_style.gap * 0.5;
    const double left =
        std::min(most, std::max(m_layout.x(static_cast<double>(i)) - width / 2, clear + m_style.gap * 0.5));
    const double top = m_layout.y(std::min(bars.values[i], m_layout.yAxis->max)) - m_style.gap * 0.5;
    const double baseline = std::max(top, m_layout.frame.top() + metrics.ascent());
    m_text.write(painter, {left, baseline}, text, m_style.inside, m_style.accent, Anchor::Left);
    clear = left + width;
  }
}

void PanelPainter::drawReferences(QPainter& painter) {
  const QFontMetricsF metrics(m_style.inside);
  const QRectF& frame = m_layout.frame;
  const double height = lineHeight(m_style.inside), pad = 0.5 * m_style.gap;
  for (const figure::ReferenceLine& line : m_panel.references) {
    if (!figure::onAxis(line.horizontal ? *m_layout.yAxis : *m_layout.xAxis, line.value)) continue;
    const bool level = line.horizontal || line.level;
    const QColor colour = level ? m_style.secondary : m_style.accent;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(
        QPen(colour, m_style.frameWidth, line.horizontal ? Qt::SolidLine : Qt::DashLine, Qt::FlatCap));
    const QSizeF size(metrics.horizontalAdvance(qt(line.label)), height);
    QList<QRectF> places;
    if (line.horizontal) {
      const double y = m_layout.y(line.value);
      painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y));
      for (const double left : {frame.right() - pad - size.width(), frame.left() + pad}) {
        places << QRectF({left, y - height}, size) << QRectF({left, y}, size);
      }
    } else {
      const double x = m_layout.x(line.value);
      painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()));
      // Rules stand at the top; a level of horizontal bars has its room at the bottom.
      const double top = frame.top() + m_style.frameWidth, foot = frame.bottom() - height - pad;
      const double tops[] = {level ? foot : top, level ? top : foot};
      for (const double y : tops) {
        places << QRectF({x + pad, y}, size) << QRectF({x - pad - size.width(), y}, size);
      }
    }
    if (line.label.empty()) continue;
    // A level without its name would say nothing: better upon a line than nowhere.
    const QRectF box = m_placer.place(places, true).value_or(places.front());
    m_text.write(painter, {box.left(), box.top() + metrics.ascent()}, qt(line.label), m_style.inside, colour,
                 Anchor::Left);
  }
}

void PanelPainter::drawBandNames(QPainter& painter) {
  const QFontMetricsF metrics(m_style.inside);
  const QRectF& frame = m_layout.frame;
  const double height = lineHeight(m_style.inside), pad = 0.4 * m_style.gap;
  for (const figure::Band& band : m_panel.bands) {
    if (band.name.empty() || band.horizontal) continue;
    const double a = std::clamp(m_layout.x(band.low), frame.left(), frame.right());
    const double b = std::clamp(m_layout.x(band.high), frame.left(), frame.right());
    const double left = std::min(a, b), width = std::abs(b - a);
    const double nameWidth = metrics.horizontalAdvance(qt(band.name));
    const double noteWidth = metrics.horizontalAdvance(qt(band.note));
    const double top = frame.top() + m_style.tickLength + pad;
    const bool noted = !band.note.empty() && noteWidth + 2 * pad <= width;
    QList<QRectF> flat, upright;
    if (nameWidth + 2 * pad <= width) {
      const double wide = noted ? std::max(nameWidth, noteWidth) : nameWidth;
      flat << QRectF(left + (width - wide) / 2, top, wide, noted ? 2 * height : height);
      flat << QRectF(left + (width - nameWidth) / 2, frame.bottom() - height - pad, nameWidth, height);
    }
    for (const double y : {frame.bottom() - pad - nameWidth, top}) {
      if (height + 2 * pad > width) break;
      upright << QRectF(left + pad, y, height, nameWidth);
      upright << QRectF(left + width - pad - height, y, height, nameWidth);
    }
    const auto box = m_placer.place(flat, upright.isEmpty());
    if (box) {
      const double baseline = box->top() + metrics.ascent();
      m_text.write(painter, {box->center().x(), baseline}, qt(band.name), m_style.inside, m_style.ink,
                   Anchor::Centre);
      if (box->height() > 1.5 * height)
        m_text.write(painter, {box->center().x(), baseline + height}, qt(band.note), m_style.inside,
                     m_style.secondary, Anchor::Centre);
      continue;
    }
    if (const auto tall = m_placer.place(upright, true)) {
      m_text.write(painter, {tall->left() + metrics.ascent(), tall->bottom()}, qt(band.name), m_style.inside,
                   m_style.ink, Anchor::Left, 90.0);
    }
  }
}

}  // namespace moescope::views
