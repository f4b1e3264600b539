#include "views/figure/figure_painter.h"

#include <QFontMetricsF>

#include <algorithm>

#include "core/figure/colour_map.h"
#include "views/figure/panel_painter.h"

namespace moescope::views {

namespace {

using Anchor = TextPen::Anchor;

/// Steps of a printed colour bar; more cannot be told apart on its length and would only make files larger.
constexpr int kBarSteps = 128;

QString qt(const std::string& text) { return QString::fromStdString(text); }
QColor qt(const figure::Rgb& colour) { return {colour[0], colour[1], colour[2]}; }

}  // namespace

FigurePainter::FigurePainter(const figure::FigureSpec& spec, bool textAsPaths)
    : m_spec(spec), m_style(styleOf(spec)), m_layout(layOut(spec, m_style)), m_text(textAsPaths) {}

FigurePainter::FigurePainter(const figure::FigureSpec& spec, FigureStyle style)
    : m_spec(spec), m_style(std::move(style)), m_layout(layOut(spec, m_style)), m_text(false) {}

void FigurePainter::draw(QPainter& painter) const {
  painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing |
                         QPainter::LosslessImageRendering);
  painter.setFont(m_style.labels);  // SVG names the current font in every group, text or not
  painter.fillRect(m_layout.page, m_style.ground);
  for (const PanelLayout& panel : m_layout.panels) {
    PanelPainter(panel, m_spec.groups, m_style, m_text, bandsInLegend(m_spec)).draw(painter);
    if (panel.panel->map) {
      const bool own = !panel.colours.bar.isEmpty();
      if (own) drawColourBar(painter, panel.colours, panel.panel->map->colours);
    }
  }
  drawTitleAndSample(painter);
  drawSharedLabels(painter);
  const auto mapped =
      std::ranges::find_if(m_layout.panels, [](const auto& panel) { return panel.panel->map.has_value(); });
  if (mapped != m_layout.panels.end() && !m_layout.colours.bar.isEmpty())
    drawColourBar(painter, m_layout.colours, mapped->panel->map->colours);
  drawLegend(painter, m_layout.seriesLegend, m_style, m_text);
  drawLegend(painter, m_layout.markLegend, m_style, m_text);
}

void FigurePainter::drawTitleAndSample(QPainter& painter) const {
  if (!m_layout.title.isEmpty()) {
    const QFontMetricsF metrics(m_style.title);
    m_text.write(painter, {m_layout.title.left(), m_layout.title.top() + metrics.ascent()},
                 metrics.elidedText(qt(m_spec.title), Qt::ElideRight, m_layout.title.width()), m_style.title,
                 m_style.ink, Anchor::Left);
  }
  const QFontMetricsF inside(m_style.inside);
  double baseline = m_layout.sample.top() + inside.ascent();
  for (const QString& line : m_layout.sampleLines) {
    m_text.write(painter, {m_layout.sample.left(), baseline}, line, m_style.inside, m_style.secondary,
                 Anchor::Left);
    baseline += inside.ascent() + inside.descent();
  }
}

void FigurePainter::drawSharedLabels(QPainter& painter) const {
  const QFontMetricsF metrics(m_style.labels);
  const QRectF& x = m_layout.sharedXLabel;
  if (!x.isEmpty())
    m_text.write(painter, {x.center().x(), x.top() + metrics.ascent()}, qt(m_spec.x.label), m_style.labels,
                 m_style.ink, Anchor::Centre);
  const QRectF& y = m_layout.sharedYLabel;
  if (!y.isEmpty())
    m_text.write(painter, {y.left() + metrics.ascent(), y.center().y()}, qt(m_spec.y.label), m_style.labels,
                 m_style.ink, Anchor::Centre, 90.0);
}

void FigurePainter::drawColourBar(QPainter& painter, const ColourBarLayout& layout,
                                  const figure::ColourScale& scale) const {
  const QRectF& bar = layout.bar;
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
  for (const auto& [value, text] : layout.ticks) {
    const double x = bar.left() + figure::scalePosition(scale, value) * bar.width();
    painter.setPen(pen);
    painter.drawLine(QPointF(x, bar.bottom()), QPointF(x, bar.bottom() + 0.7 * m_style.tickLength));
    const double baseline = bar.bottom() + 0.7 * m_style.tickLength + m_style.gap * 0.3 + metrics.ascent();
    m_text.write(painter, {x, baseline}, qt(text), m_style.labels, m_style.ink, Anchor::Centre);
  }
  for (qsizetype i = 0; i < layout.labelAbove.size(); ++i) {
    const double baseline =
        layout.label.top() + lineHeight(m_style.labels) * static_cast<double>(i) + metrics.ascent();
    m_text.write(painter, {layout.label.left(), baseline},
                 metrics.elidedText(layout.labelAbove[i], Qt::ElideRight, layout.label.width()),
                 m_style.labels, m_style.ink, Anchor::Left);
  }
  if (!layout.labelAbove.isEmpty()) return;
  m_text.writeCentred(painter, {bar.left() - m_style.gap, bar.center().y()},
                      metrics.elidedText(qt(scale.label), Qt::ElideRight, layout.label.width()),
                      m_style.labels, m_style.ink, Anchor::Right);
}

}  // namespace moescope::views
