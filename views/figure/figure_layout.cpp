#include "views/figure/figure_layout.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

#include "core/figure/axis.h"
#include "views/figure/panel_arranger.h"

namespace moescope::views {

namespace {

using figure::FigurePanel;
using figure::FigureSpec;

/// Width to height that a panel of a grid should have when the columns are not given.
constexpr double kPanelShape = 1.5;
/// From this width on, in inches, a short legend of marks stands beside the colour bar.
constexpr double kWideInches = 7.5;
constexpr double kBarPart = 0.55, kLegendPart = 0.42;

/// Sizes and ticks depend on each other; the second pass is within a few units of the third.
constexpr int kPasses = 3;

/// Painters do not bear any coordinate; so far off the page a line has the same direction.
double within(double part) { return std::clamp(part, -1e4, 1e4); }

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// The scale of all maps, if there is one for all.
const figure::ColourScale* commonScale(const FigureSpec& spec) {
  const figure::ColourScale* common = nullptr;
  for (const FigurePanel& panel : figure::panelsOf(spec)) {
    if (!panel.map) continue;
    if (common != nullptr && !(*common == panel.map->colours)) return nullptr;
    common = &panel.map->colours;
  }
  return common;
}

/// Lays the figure out from the outside to the inside.
class Arranger {
 public:
  Arranger(const FigureSpec& spec, const FigureStyle& style)
      : m_spec(spec), m_style(style), m_inside(style.inside), m_scale(commonScale(spec)) {}

  FigureLayout arrange() {
    m_layout.page = QRectF(0, 0, std::round(m_spec.widthInches * kUnitsPerInch),
                           std::round(m_spec.heightInches * kUnitsPerInch));
    m_left = m_top = m_style.margin;
    m_bottom = m_layout.page.height() - m_style.margin;
    m_right = m_layout.page.width() - m_style.margin;
    takeTitle();
    takeSampleLine();
    takeLegends();
    takeColourBar();
    takeSharedLabels();
    placePanels();
    placeAroundPanels();
    return std::move(m_layout);
  }

 private:
  void takeTitle() {
    if (!m_spec.drawTitle || m_spec.title.empty()) return;
    const double height = lineHeight(m_style.title);
    m_layout.title = QRectF(m_left, m_top, m_right - m_left, height);
    m_top += height + m_style.gap;
  }

  void takeSampleLine() {
    if (!m_spec.drawSampleLine) return;
    QString text = qt(m_spec.sampleLine);
    if (!m_spec.baseline.empty()) text += QStringLiteral(" · baseline: ") + qt(m_spec.baseline);
    m_layout.sampleLines = wrappedText(text, m_inside, m_right - m_left);
    const double height = lineHeight(m_style.inside) * static_cast<double>(m_layout.sampleLines.size());
    m_layout.sample = QRectF(m_left, m_bottom - height, m_right - m_left, height);
    m_bottom -= height + m_style.gap;
  }

  void takeLegends() {
    m_layout.seriesLegend = seriesLegend(m_spec, m_style, m_right - m_left);
    m_legendTop = m_top;
    if (!m_layout.seriesLegend.entries.empty()) m_top += m_layout.seriesLegend.height + m_style.gap;
    m_layout.markLegend = markLegend(m_spec, m_style, m_right - m_left);
    if (m_layout.markLegend.entries.empty()) return;
    m_beside = m_scale != nullptr && m_spec.widthInches >= kWideInches &&
               m_layout.markLegend.width <= kLegendPart * (m_right - m_left);
    if (m_beside) return;
    m_bottom -= m_layout.markLegend.height;
    m_layout.markLegend.moveTo({m_left, m_bottom});
    m_bottom -= m_style.gap;
  }

  void takeColourBar() {
    if (m_scale == nullptr) return;
    // Label, bar and numbers of the bar; its width is known once the panels stand.
    m_bottom -= lineHeight(m_style.labels) + m_style.tickLength + 0.5 * m_style.gap +
                0.8 * lineHeight(m_style.labels);
    m_barTop = m_bottom;
    const double width = (m_beside ? kBarPart : 1.0) * (m_right - m_left);
    m_labelAbove = labelAboveBar(*m_scale, m_style, width);
    m_bottom -= m_style.gap * 1.5 + lineHeight(m_style.labels) * static_cast<double>(m_labelAbove.size());
  }

  void takeSharedLabels() {
    if (m_spec.panels.empty()) return;
    const double line = lineHeight(m_style.labels);
    if (m_spec.sharedX && !m_spec.x.label.empty()) {
      m_layout.sharedXLabel = QRectF(0, m_bottom - line, 0, line);
      m_bottom -= line + 0.5 * m_style.gap;
    }
    if (m_spec.sharedY && !m_spec.y.label.empty()) {
      m_layout.sharedYLabel = QRectF(m_left, 0, line, 0);
      m_left += line + m_style.gap;
    }
  }

  void placePanels() {
    const auto panels = figure::panelsOf(m_spec);
    const int count = static_cast<int>(panels.size());
    m_columns = gridColumns(m_spec);
    m_rows = (count + m_columns - 1) / m_columns;
    m_layout.panels.resize(panels.size());
    std::vector<PanelArranger> arrangers;
    for (int i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      PanelLayout& panel = m_layout.panels[at];
      panel.panel = &panels[at];
      panel.xAxis = &figure::xAxisOf(m_spec, panels[at]);
      panel.yAxis = &figure::yAxisOf(m_spec, panels[at]);
      if (m_spec.letters && !m_spec.panels.empty()) panel.letter = qt(figure::panelLetter(at));
      const bool grid = !m_spec.panels.empty();
      panel.xNumbers = !(grid && m_spec.sharedX) || i + m_columns >= count;
      panel.yNumbers = !(grid && m_spec.sharedY) || i % m_columns == 0;
      arrangers.emplace_back(panel, m_style, !(grid && m_spec.sharedX), !(grid && m_spec.sharedY),
                             m_scale == nullptr);
    }
    placeGrid(arrangers);
  }

  /// All axes of a grid have one size; what stands around them is as wide as the widest of its column and as
  /// high as the highest of its row.
  void placeGrid(std::vector<PanelArranger>& arrangers) {
    const double gap = m_style.gap * (m_columns * m_rows > 1 ? 2.0 : 0.0);
    const double roomX = std::max(1.0, m_right - m_left - gap * (m_columns - 1));
    const double roomY = std::max(1.0, m_bottom - m_top - gap * (m_rows - 1));
    const QSizeF cell(roomX / m_columns, roomY / m_rows);
    QSizeF axes = 0.75 * cell;
    std::vector<QMarginsF> columns, rows;
    for (int pass = 0; pass < kPasses; ++pass) {
      columns.assign(static_cast<std::size_t>(m_columns), {});
      rows.assign(static_cast<std::size_t>(m_rows), {});
      for (std::size_t i = 0; i < arrangers.size(); ++i) {
        const QMarginsF around = arrangers[i].arrange(axes, cell);
        QMarginsF& column = columns[i % columns.size()];
        column = column | around;
        QMarginsF& row = rows[i / columns.size()];
        row = row | around;
      }
      double takenX = 0.0, takenY = 0.0;
      for (const QMarginsF& column : columns) takenX += column.left() + column.right();
      for (const QMarginsF& row : rows) takenY += row.top() + row.bottom();
      axes = QSizeF(std::max(1.0, (roomX - takenX) / m_columns), std::max(1.0, (roomY - takenY) / m_rows));
    }
    double y = m_top;
    std::size_t i = 0;
    for (const QMarginsF& row : rows) {
      double x = m_left;
      y += row.top();
      for (std::size_t c = 0; c < columns.size() && i < arrangers.size(); ++c, ++i) {
        x += columns[c].left();
        arrangers[i].place(QRectF(QPointF(x, y), axes));
        x += axes.width() + columns[c].right() + gap;
      }
      y += axes.height() + row.bottom() + gap;
    }
  }

  void placeAroundPanels() {
    QRectF all;
    for (const PanelLayout& panel : m_layout.panels) all |= panel.frame;
    m_layout.sharedXLabel.setLeft(all.left());
    m_layout.sharedXLabel.setWidth(all.width());
    m_layout.sharedYLabel.setTop(all.top());
    m_layout.sharedYLabel.setHeight(all.height());
    if (m_scale != nullptr) {
      const double right = m_beside ? m_style.margin + kBarPart * (m_right - m_style.margin) : all.right();
      m_layout.colours =
          colourBarIn(*m_scale, m_style, m_style.margin, all.left(), right, m_barTop, m_labelAbove);
    }
    if (m_beside) {
      const QRectF& bar = m_layout.colours.bar;
      const double top = std::max(bar.center().y() - m_layout.markLegend.height / 2, bar.top() - m_style.gap);
      m_layout.markLegend.moveTo({m_right - m_layout.markLegend.width, top});
    }
    // A short legend begins where the axes do.
    const bool shorter = all.left() + m_layout.seriesLegend.width <= m_right;
    m_layout.seriesLegend.moveTo({shorter ? all.left() : m_style.margin, m_legendTop});
  }

  const FigureSpec& m_spec;
  const FigureStyle& m_style;
  QFontMetricsF m_inside;
  const figure::ColourScale* m_scale;
  FigureLayout m_layout;
  double m_top = 0, m_bottom = 0, m_left = 0, m_right = 0;
  double m_legendTop = 0, m_barTop = 0;
  int m_columns = 1, m_rows = 1;
  QStringList m_labelAbove;
  bool m_beside = false;  // the legend of marks stands beside the colour bar
};

}  // namespace

double PanelLayout::x(double value) const {
  const double part = within(figure::axisPart(*xAxis, value));
  return frame.left() + (xAxis->reversed ? 1.0 - part : part) * frame.width();
}

double PanelLayout::y(double value) const {
  const double part = within(figure::axisPart(*yAxis, value));
  return frame.top() + (yAxis->reversed ? part : 1.0 - part) * frame.height();
}

FigureLayout layOut(const FigureSpec& spec, const FigureStyle& style) {
  return Arranger(spec, style).arrange();
}

int gridColumns(const FigureSpec& spec) {
  const int count = static_cast<int>(figure::panelsOf(spec).size());
  if (spec.columns > 0) return std::min(spec.columns, count);
  const double shape = spec.widthInches / spec.heightInches;
  return std::clamp(static_cast<int>(std::lround(std::sqrt(count * shape / kPanelShape))), 1, count);
}

}  // namespace moescope::views
