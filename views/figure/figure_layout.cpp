#include "views/figure/figure_layout.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

#include "core/figure/colour_map.h"

namespace moescope::views {

namespace {

using figure::FigureSpec;
using figure::Tick;

QString qt(const std::string& text) { return QString::fromStdString(text); }

double lineHeight(const QFont& font) {
  const QFontMetricsF metrics(font);
  return metrics.ascent() + metrics.descent();
}

double widest(const std::vector<Tick>& ticks, const QFontMetricsF& metrics) {
  double most = 0.0;
  for (const auto& [place, text] : ticks) most = std::max(most, metrics.horizontalAdvance(qt(text)));
  return most;
}

/// Every n-th tick, n of 1, 2, 5, 10, 20 …, so that neighbours keep `room` (in the units of `place`) apart.
template <class Place, class Room>
std::vector<Tick> thinned(const std::vector<Tick>& ticks, Place place, Room room) {
  for (std::size_t decade = 1; decade < std::max<std::size_t>(2, ticks.size()); decade *= 10) {
    for (const std::size_t factor : {1, 2, 5}) {
      std::vector<Tick> kept;
      bool clear = true;
      for (std::size_t i = 0; i < ticks.size(); i += decade * factor) {
        if (!kept.empty() && std::abs(place(ticks[i]) - place(kept.back())) < room(kept.back(), ticks[i]))
          clear = false;
        kept.push_back(ticks[i]);
      }
      if (clear) return kept;
    }
  }
  return ticks.empty() ? ticks : std::vector<Tick>{ticks.front()};
}

QStringList wrapped(const QString& text, const QFontMetricsF& metrics, double width) {
  QStringList lines;
  QString line;
  for (const QString& word : text.split(QLatin1Char(' '), Qt::SkipEmptyParts)) {
    const QString longer = line.isEmpty() ? word : line + QLatin1Char(' ') + word;
    if (!line.isEmpty() && metrics.horizontalAdvance(longer) > width) {
      lines << line;
      line = word;
    } else {
      line = longer;
    }
  }
  if (!line.isEmpty()) lines << line;
  return lines;
}

/// Lays the figure out from the outside to the inside.
class Arranger {
 public:
  Arranger(const FigureSpec& spec, const FigureStyle& style)
      : m_spec(spec), m_style(style), m_labels(style.labels), m_inside(style.inside) {}

  FigureLayout arrange() {
    m_layout.page = QRectF(0, 0, std::round(m_spec.widthInches * kUnitsPerInch),
                           std::round(m_spec.heightInches * kUnitsPerInch));
    m_top = m_style.margin;
    m_bottom = m_layout.page.height() - m_style.margin;
    m_right = m_layout.page.width() - m_style.margin;
    takeTitle();
    takeSampleLine();
    takeLegend();
    takeColourBar();
    takeXAxis();
    takeYAxis();
    placeFrame();
    return std::move(m_layout);
  }

 private:
  void takeTitle() {
    if (!m_spec.drawTitle || m_spec.title.empty()) return;
    const double height = lineHeight(m_style.title);
    m_layout.title = QRectF(m_style.margin, m_top, m_right - m_style.margin, height);
    m_top += height + m_style.gap;
  }

  void takeSampleLine() {
    if (!m_spec.drawSampleLine) return;
    QString text = qt(m_spec.sampleLine);
    if (!m_spec.baseline.empty()) text += QStringLiteral(" · baseline: ") + qt(m_spec.baseline);
    m_layout.sampleLines = wrapped(text, m_inside, m_right - m_style.margin);
    const double height = lineHeight(m_style.inside) * static_cast<double>(m_layout.sampleLines.size());
    m_layout.sample = QRectF(m_style.margin, m_bottom - height, m_right - m_style.margin, height);
    m_bottom -= height + m_style.gap;
  }

  void takeLegend() {
    const double height = std::max(lineHeight(m_style.inside), legendBox(m_style));
    const QRectF line(m_style.margin, 0, m_right - m_style.margin, height);
    if (m_spec.lines.size() > 1) {
      m_layout.legend = line.translated(0, m_top);
      m_top += height + m_style.gap;
    } else if (!markSamples(m_spec).empty()) {
      m_layout.legend = line.translated(0, m_bottom - height);
      m_bottom -= height + m_style.gap;
    }
  }

  void takeColourBar() {
    if (!m_spec.map) return;
    // Label, bar and numbers of the bar; its width is known once the frame stands.
    const double text = lineHeight(m_style.labels);
    const double bar = 0.8 * text;
    m_bottom -= text + m_style.tickLength + m_style.gap * 0.5;
    m_layout.colourBar = QRectF(0, m_bottom - bar, 0, bar);
    m_bottom -= bar + m_style.gap * 1.5;
  }

  void takeXAxis() {
    const double text = lineHeight(m_style.labels);
    if (!m_spec.x.label.empty()) {
      m_layout.xLabel = QRectF(0, m_bottom - text, 0, text);
      m_bottom -= text + m_style.gap * 0.5;
    }
    if (!barsWithoutTicks()) m_bottom -= text + m_style.tickLength + m_style.gap * 0.5;
    // Half of the lowest number of the y axis may hang below the frame.
    m_bottom = std::min(m_bottom, m_layout.page.height() - m_style.margin - text / 2);
  }

  void takeYAxis() {
    const double text = lineHeight(m_style.labels);
    // Numbers of the y axis reach half a line above the frame.
    m_top += text / 2;
    m_left = m_style.margin;
    if (!m_spec.y.label.empty()) {
      m_layout.yLabel = QRectF(m_left, 0, text, 0);
      m_left += text + m_style.gap;
    }
    const double height = std::max(1.0, m_bottom - m_top);
    const int most = std::clamp(static_cast<int>(height / (2.4 * text)) + 1, 2, 9);
    m_layout.yTicks = m_spec.y.ticks.empty() ? chosenTicks(m_spec.y, most) : m_spec.y.ticks;
    const figure::Axis& axis = m_spec.y;
    const auto place = [&](const Tick& tick) {
      return (tick.first - axis.min) / (axis.max - axis.min) * height;
    };
    m_layout.yTicks =
        thinned(inside(m_layout.yTicks, axis), place, [&](const Tick&, const Tick&) { return 0.95 * text; });
    // A long token text may take a third of the width at most.
    const double numbers = std::min(widest(m_layout.yTicks, m_labels), m_layout.page.width() / 3);
    m_left += numbers + m_style.tickLength + m_style.gap * 0.5;
  }

  void placeFrame() {
    const figure::Axis& axis = m_spec.x;
    const auto place = [&](const Tick& tick) {
      return (tick.first - axis.min) / (axis.max - axis.min) * (m_right - m_left);
    };
    const auto width = [&](const Tick& tick) { return m_labels.horizontalAdvance(qt(tick.second)); };
    const auto room = [&](const Tick& a, const Tick& b) { return (width(a) + width(b)) / 2 + m_style.gap; };
    if (!barsWithoutTicks()) {
      const double typical = m_labels.horizontalAdvance(QStringLiteral("0000")) + m_style.gap;
      const int most = std::clamp(static_cast<int>((m_right - m_left) / typical), 2, 9);
      m_layout.xTicks =
          thinned(inside(axis.ticks.empty() ? chosenTicks(axis, most) : axis.ticks, axis), place, room);
    }
    if (m_spec.map) m_layout.colourTicks = figure::scaleTicks(m_spec.map->colours, 6, false);
    // The last number of an axis or of the colour bar may reach beyond the frame.
    double beyond = 0.0;
    if (!m_layout.xTicks.empty()) {
      beyond = place(m_layout.xTicks.back()) + width(m_layout.xTicks.back()) / 2 - (m_right - m_left);
    }
    if (!m_layout.colourTicks.empty()) beyond = std::max(beyond, width(m_layout.colourTicks.back()) / 2);
    m_right -= std::max(0.0, beyond);
    m_layout.frame = QRectF(m_left, m_top, std::max(1.0, m_right - m_left), std::max(1.0, m_bottom - m_top));
    m_layout.xLabel.setLeft(m_left);
    m_layout.xLabel.setWidth(m_layout.frame.width());
    m_layout.yLabel.setTop(m_top);
    m_layout.yLabel.setHeight(m_layout.frame.height());
    if (m_spec.map) placeColourBar();
  }

  void placeColourBar() {
    const double wide = m_labels.horizontalAdvance(qt(m_spec.map->colours.label)) + 1.5 * m_style.gap;
    QRectF& bar = m_layout.colourBar;
    // The label stands left of the bar and may begin under the axis numbers.
    const double start =
        std::max(m_style.margin, std::min(m_left, m_right - wide - 0.65 * (m_right - m_left)));
    bar.setLeft(std::min(start + wide, m_right - 0.25 * (m_right - m_left)));
    bar.setRight(m_right);
    m_layout.colourLabel = QRectF(start, bar.top(), bar.left() - start, bar.height());
    const auto place = [&](const Tick& tick) {
      return figure::scalePosition(m_spec.map->colours, tick.first) * bar.width();
    };
    const auto room = [&](const Tick& a, const Tick& b) {
      return (m_labels.horizontalAdvance(qt(a.second)) + m_labels.horizontalAdvance(qt(b.second))) / 2 +
             m_style.gap;
    };
    m_layout.colourTicks = thinned(m_layout.colourTicks, place, room);
  }

  [[nodiscard]] bool barsWithoutTicks() const { return m_spec.bars && m_spec.x.ticks.empty(); }

  [[nodiscard]] std::vector<Tick> chosenTicks(const figure::Axis& axis, int most) const {
    const bool whole = m_spec.map.has_value() || (&axis == &m_spec.x && axis.max - axis.min >= 4);
    return whole ? figure::wholeTicks(axis.min, axis.max, most)
                 : figure::labelledTicks(axis.min, axis.max, most, axis.suffix);
  }

  static std::vector<Tick> inside(std::vector<Tick> ticks, const figure::Axis& axis) {
    const double slack = 1e-9 * (axis.max - axis.min);
    std::erase_if(ticks,
                  [&](const Tick& t) { return t.first < axis.min - slack || t.first > axis.max + slack; });
    return ticks;
  }

  const FigureSpec& m_spec;
  const FigureStyle& m_style;
  QFontMetricsF m_labels, m_inside;
  FigureLayout m_layout;
  double m_top = 0, m_bottom = 0, m_left = 0, m_right = 0;
};

}  // namespace

double FigureLayout::x(const figure::Axis& axis, double value) const {
  const double part = (value - axis.min) / (axis.max - axis.min);
  return frame.left() + (axis.reversed ? 1.0 - part : part) * frame.width();
}

double FigureLayout::y(const figure::Axis& axis, double value) const {
  const double part = (value - axis.min) / (axis.max - axis.min);
  return frame.top() + (axis.reversed ? part : 1.0 - part) * frame.height();
}

FigureLayout layOut(const FigureSpec& spec, const FigureStyle& style) {
  return Arranger(spec, style).arrange();
}

double legendBox(const FigureStyle& style) { return 0.85 * style.inside.pixelSize(); }

std::vector<MarkSample> markSamples(const FigureSpec& spec) {
  std::vector<MarkSample> samples;
  if (!spec.map) return samples;
  using figure::CellMark;
  static const std::pair<CellMark, const char*> kTexts[]{{CellMark::Banned, "banned"},
                                                         {CellMark::Boosted, "boosted"},
                                                         {CellMark::Dampened, "dampened"},
                                                         {CellMark::Pinned, "pinned"},
                                                         {CellMark::LayerRule, "rule on the layer"}};
  for (const auto& [mark, text] : kTexts) {
    const bool occurs =
        std::ranges::any_of(spec.map->marks, [m = mark](const auto& entry) { return entry.second == m; });
    if (occurs) samples.push_back({false, mark, QString::fromLatin1(text)});
  }
  const bool missing = spec.map->sparse
                           ? !spec.map->missingRows.empty()
                           : std::ranges::any_of(spec.map->values, [](double v) { return std::isnan(v); });
  if (missing) samples.push_back({true, {}, QStringLiteral("no data")});
  return samples;
}

}  // namespace moescope::views
