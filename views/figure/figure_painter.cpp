#include "views/figure/figure_painter.h"

#include <QFontMetricsF>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

#include "core/figure/colour_map.h"
#include "core/figure/number_text.h"
#include "views/figure/map_drawing.h"

namespace moescope::views {

namespace {

/// Up to here each point of a line has a marker.
constexpr std::size_t kMostMarkers = 30;
/// More names above bars would run into each other.
constexpr int kMostBarNames = 4;
constexpr double kBarWidth = 0.8;
/// Steps of a printed colour bar; more cannot be told apart on its length and would only make files larger.
constexpr int kBarSteps = 128;
constexpr double kBandStrength = 0.25;

QString qt(const std::string& text) { return QString::fromStdString(text); }
QColor qt(const figure::Rgb& colour) { return {colour[0], colour[1], colour[2]}; }

/// Opaque, because print files with transparency give trouble.
QColor mixed(const QColor& colour, const QColor& ground, double part) {
  const auto mix = [part](int a, int b) { return qRound(part * a + (1.0 - part) * b); };
  return {mix(colour.red(), ground.red()), mix(colour.green(), ground.green()),
          mix(colour.blue(), ground.blue())};
}

}  // namespace

FigurePainter::FigurePainter(const figure::FigureSpec& spec, bool textAsPaths)
    : m_spec(spec), m_style(styleOf(spec)), m_layout(layOut(spec, m_style)), m_textAsPaths(textAsPaths) {}

void FigurePainter::draw(QPainter& painter) const {
  painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing |
                         QPainter::LosslessImageRendering);
  painter.setFont(m_style.labels);  // SVG names the current font in every group, text or not
  painter.fillRect(m_layout.page, m_style.ground);
  if (m_spec.map) drawMap(painter, m_spec, m_layout, m_style);
  if (m_spec.bars) drawBars(painter);
  drawLines(painter);
  drawReferences(painter);
  if (m_spec.bars) drawBarNames(painter);
  drawFrame(painter);
  drawLabels(painter);
  if (m_spec.map) drawColourBar(painter);
  if (m_spec.lines.size() > 1) drawSeriesLegend(painter);
  drawMarkLegend(painter);
}

void FigurePainter::drawText(QPainter& painter, QPointF baseline, const QString& text, const QFont& font,
                             const QColor& colour, Anchor anchor, bool upwards) const {
  if (text.isEmpty()) return;
  const double width = QFontMetricsF(font).horizontalAdvance(text);
  const double shift = anchor == Anchor::Left ? 0.0 : (anchor == Anchor::Right ? width : width / 2);
  painter.save();
  painter.translate(baseline);
  if (upwards) painter.rotate(-90);
  if (m_textAsPaths) {
    QPainterPath path;
    path.addText(-shift, 0, font, text);
    painter.fillPath(path, colour);
  } else {
    painter.setFont(font);
    painter.setPen(colour);
    painter.drawText(QPointF(-shift, 0), text);
  }
  painter.restore();
}

void FigurePainter::drawCentredText(QPainter& painter, QPointF at, const QString& text, const QFont& font,
                                    const QColor& colour, Anchor anchor) const {
  const double middle = QFontMetricsF(font).capHeight() / 2;
  drawText(painter, at + QPointF(0, middle), text, font, colour, anchor);
}

void FigurePainter::drawBars(QPainter& painter) const {
  const figure::Bars& bars = *m_spec.bars;
  painter.setPen(Qt::NoPen);
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    if (!std::isfinite(bars.values[i])) continue;
    const bool highlighted = i < bars.highlighted.size() && bars.highlighted[i];
    const double at = static_cast<double>(i);
    const double top = std::clamp(bars.values[i], m_spec.y.min, m_spec.y.max);
    const double foot = std::clamp(0.0, m_spec.y.min, m_spec.y.max);
    const QRectF rect(QPointF(m_layout.x(m_spec.x, at - kBarWidth / 2), m_layout.y(m_spec.y, top)),
                      QPointF(m_layout.x(m_spec.x, at + kBarWidth / 2), m_layout.y(m_spec.y, foot)));
    painter.fillRect(rect.normalized(), highlighted ? m_style.accent : m_style.bar);
  }
}

void FigurePainter::drawBarNames(QPainter& painter) const {
  const figure::Bars& bars = *m_spec.bars;
  const auto count = std::ranges::count(bars.highlighted, true);
  if (count == 0 || count > kMostBarNames || bars.names.empty()) return;
  const QFontMetricsF metrics(m_style.inside);
  double clear = m_layout.frame.left();
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    if (!bars.highlighted[i] || !std::isfinite(bars.values[i])) continue;
    const QString text = qt(bars.names[i] + " " + figure::decimalText(bars.values[i], 2) + m_spec.y.suffix);
    const double width = metrics.horizontalAdvance(text);
    const double left =
        std::clamp(m_layout.x(m_spec.x, static_cast<double>(i)) - width / 2, clear + m_style.gap * 0.5,
                   m_layout.frame.right() - width - m_style.gap * 0.5);
    const double top = m_layout.y(m_spec.y, std::min(bars.values[i], m_spec.y.max)) - m_style.gap * 0.5;
    const double baseline = std::max(top, m_layout.frame.top() + metrics.ascent());
    drawText(painter, {left, baseline}, text, m_style.inside, m_style.accent, Anchor::Left);
    clear = left + width;
  }
}

void FigurePainter::drawBand(QPainter& painter, const figure::Line& line, const QColor& colour) const {
  QPolygonF upper, lower;
  const auto flush = [&] {
    std::reverse(lower.begin(), lower.end());
    if (upper.size() > 1) {
      painter.setPen(Qt::NoPen);
      painter.setBrush(mixed(colour, m_style.ground, kBandStrength));
      painter.drawPolygon(upper + lower);
    }
    upper.clear();
    lower.clear();
  };
  for (std::size_t i = 0; i < line.x.size() && i < line.low.size(); ++i) {
    if (!std::isfinite(line.low[i]) || !std::isfinite(line.high[i]) || !std::isfinite(line.x[i])) {
      flush();
      continue;
    }
    upper << QPointF(m_layout.x(m_spec.x, line.x[i]), m_layout.y(m_spec.y, line.high[i]));
    lower << QPointF(m_layout.x(m_spec.x, line.x[i]), m_layout.y(m_spec.y, line.low[i]));
  }
  flush();
}

void FigurePainter::drawLines(QPainter& painter) const {
  painter.save();
  if (!m_spec.lines.empty()) painter.setClipRect(m_layout.frame);
  for (const figure::Line& line : m_spec.lines) {
    // A single series needs no colour of its own.
    const QColor colour =
        m_spec.lines.size() == 1 ? m_style.ink : qt(figure::categoryColour(line.colour, m_spec.theme));
    drawBand(painter, line, colour);
    QPainterPath path;
    bool open = false;
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      const bool known = std::isfinite(line.x[i]) && std::isfinite(line.y[i]);
      const QPointF at(m_layout.x(m_spec.x, line.x[i]), m_layout.y(m_spec.y, line.y[i]));
      if (known && open) path.lineTo(at);
      if (known && !open) path.moveTo(at);
      open = known;
      if (known && line.x.size() <= kMostMarkers) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(colour);
        painter.drawEllipse(at, 1.8 * m_style.dataWidth, 1.8 * m_style.dataWidth);
      }
    }
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(colour, m_style.dataWidth, Qt::SolidLine, Qt::FlatCap, Qt::RoundJoin));
    painter.drawPath(path);
  }
  painter.restore();
}

void FigurePainter::drawReferences(QPainter& painter) const {
  const QFontMetricsF metrics(m_style.inside);
  const QRectF& frame = m_layout.frame;
  for (const figure::ReferenceLine& line : m_spec.references) {
    const figure::Axis& axis = line.horizontal ? m_spec.y : m_spec.x;
    if (line.value < axis.min || line.value > axis.max) continue;
    const QString text = qt(line.label);
    const double width = metrics.horizontalAdvance(text);
    const QColor colour = line.horizontal ? m_style.secondary : m_style.accent;
    painter.setBrush(Qt::NoBrush);
    painter.setPen(
        QPen(colour, m_style.frameWidth, line.horizontal ? Qt::SolidLine : Qt::DashLine, Qt::FlatCap));
    if (line.horizontal) {
      const double y = m_layout.y(m_spec.y, line.value);
      painter.drawLine(QPointF(frame.left(), y), QPointF(frame.right(), y));
      const double above = y - m_style.gap * 0.4;
      const double below = y + metrics.ascent() + m_style.gap * 0.2;
      const double baseline = above - metrics.ascent() < frame.top() ? below : above;
      drawText(painter, {frame.right() - m_style.gap * 0.5, baseline}, text, m_style.inside, colour,
               Anchor::Right);
    } else {
      const double x = m_layout.x(m_spec.x, line.value);
      painter.drawLine(QPointF(x, frame.top()), QPointF(x, frame.bottom()));
      const bool right = x + m_style.gap + width < frame.right();
      const QPointF at(right ? x + m_style.gap * 0.5 : x - m_style.gap * 0.5, frame.top() + metrics.ascent());
      drawText(painter, at, text, m_style.inside, colour, right ? Anchor::Left : Anchor::Right);
    }
  }
}

void FigurePainter::drawFrame(QPainter& painter) const {
  const QRectF& frame = m_layout.frame;
  const QFontMetricsF metrics(m_style.labels);
  painter.setBrush(Qt::NoBrush);
  const QPen pen(m_style.frame, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap, Qt::MiterJoin);
  painter.setPen(pen);
  painter.drawRect(frame);
  for (const auto& [place, text] : m_layout.xTicks) {
    const double x = m_layout.x(m_spec.x, place);
    painter.setPen(pen);
    painter.drawLine(QPointF(x, frame.bottom()), QPointF(x, frame.bottom() + m_style.tickLength));
    const double baseline = frame.bottom() + m_style.tickLength + m_style.gap * 0.5 + metrics.ascent();
    drawText(painter, {x, baseline}, qt(text), m_style.labels, m_style.ink, Anchor::Centre);
  }
  const double room = m_layout.page.width() / 3;
  for (const auto& [place, text] : m_layout.yTicks) {
    const double y = m_layout.y(m_spec.y, place);
    painter.setPen(pen);
    painter.drawLine(QPointF(frame.left() - m_style.tickLength, y), QPointF(frame.left(), y));
    const QPointF at(frame.left() - m_style.tickLength - m_style.gap * 0.5, y);
    drawCentredText(painter, at, metrics.elidedText(qt(text), Qt::ElideRight, room + 1), m_style.labels,
                    m_style.ink, Anchor::Right);
  }
}

void FigurePainter::drawLabels(QPainter& painter) const {
  const QFontMetricsF labels(m_style.labels);
  drawText(painter, {m_layout.xLabel.center().x(), m_layout.xLabel.top() + labels.ascent()},
           qt(m_spec.x.label), m_style.labels, m_style.ink, Anchor::Centre);
  drawText(painter, {m_layout.yLabel.left() + labels.ascent(), m_layout.yLabel.center().y()},
           qt(m_spec.y.label), m_style.labels, m_style.ink, Anchor::Centre, true);
  if (!m_layout.title.isEmpty()) {
    const QFontMetricsF metrics(m_style.title);
    drawText(painter, {m_layout.title.left(), m_layout.title.top() + metrics.ascent()},
             metrics.elidedText(qt(m_spec.title), Qt::ElideRight, m_layout.title.width()), m_style.title,
             m_style.ink, Anchor::Left);
  }
  const QFontMetricsF inside(m_style.inside);
  double baseline = m_layout.sample.top() + inside.ascent();
  for (const QString& line : m_layout.sampleLines) {
    drawText(painter, {m_layout.sample.left(), baseline}, line, m_style.inside, m_style.secondary,
             Anchor::Left);
    baseline += inside.ascent() + inside.descent();
  }
}

void FigurePainter::drawColourBar(QPainter& painter) const {
  const figure::ColourScale& scale = m_spec.map->colours;
  const QRectF& bar = m_layout.colourBar;
  const auto table = figure::colourTable(scale.map, m_spec.theme);
  painter.setRenderHint(QPainter::Antialiasing, false);
  const double step = bar.width() / kBarSteps;
  for (int i = 0; i < kBarSteps; ++i) {
    // Each step reaches under the next, so that no viewer shows a gap between two.
    const double left = bar.left() + i * step;
    const auto entry = static_cast<std::size_t>(i * 255 / (kBarSteps - 1));
    painter.fillRect(
        QRectF(QPointF(left, bar.top()), QPointF(std::min(bar.right(), left + 2 * step), bar.bottom())),
        qt(table[entry]));
  }
  painter.setRenderHint(QPainter::Antialiasing, true);
  const QPen pen(m_style.frame, m_style.frameWidth, Qt::SolidLine, Qt::FlatCap, Qt::MiterJoin);
  painter.setPen(pen);
  painter.setBrush(Qt::NoBrush);
  painter.drawRect(bar);
  const QFontMetricsF metrics(m_style.labels);
  for (const auto& [value, text] : m_layout.colourTicks) {
    const double x = bar.left() + figure::scalePosition(scale, value) * bar.width();
    painter.setPen(pen);
    painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + 0.7 * m_style.tickLength));
    const double baseline = bar.bottom() + 0.7 * m_style.tickLength + m_style.gap * 0.3 + metrics.ascent();
    drawText(painter, {x, baseline}, qt(text), m_style.labels, m_style.ink, Anchor::Centre);
  }
  const double room = m_layout.colourLabel.width();
  drawCentredText(painter, {bar.left() - m_style.gap, bar.center().y()},
                  metrics.elidedText(qt(scale.label), Qt::ElideRight, room), m_style.labels, m_style.ink,
                  Anchor::Right);
}

void FigurePainter::drawSeriesLegend(QPainter& painter) const {
  const QFontMetricsF metrics(m_style.inside);
  double x = m_layout.frame.left();
  const double y = m_layout.legend.center().y();
  for (const figure::Line& line : m_spec.lines) {
    const double length = 2.0 * legendBox(m_style);
    painter.setPen(QPen(qt(figure::categoryColour(line.colour, m_spec.theme)), m_style.dataWidth));
    painter.drawLine(QPointF(x, y), QPointF(x + length, y));
    x += length + m_style.gap * 0.5;
    drawCentredText(painter, {x, y}, qt(line.name), m_style.inside, m_style.ink, Anchor::Left);
    x += metrics.horizontalAdvance(qt(line.name)) + 2 * m_style.gap;
  }
}

void FigurePainter::drawMarkLegend(QPainter& painter) const {
  const std::vector<MarkSample> samples = markSamples(m_spec);
  if (samples.empty()) return;
  const QFontMetricsF metrics(m_style.inside);
  const double side = legendBox(m_style);
  double x = m_layout.legend.left();
  const double y = m_layout.legend.center().y();
  for (const MarkSample& sample : samples) {
    const QRectF box(x, y - side / 2, side, side);
    if (sample.missing) {
      drawMissing(painter, box, m_style);
    } else {
      drawMark(painter, sample.mark,
               sample.mark == figure::CellMark::LayerRule ? box.translated(m_style.tickLength, 0) : box,
               m_style);
    }
    x += side + m_style.gap * 0.5;
    drawCentredText(painter, {x, y}, sample.text, m_style.inside, m_style.ink, Anchor::Left);
    x += metrics.horizontalAdvance(sample.text) + 2 * m_style.gap;
  }
}

}  // namespace moescope::views
