#include "views/figure/panel_arranger.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

#include "core/figure/axis.h"
#include "core/figure/colour_map.h"

namespace moescope::views {

namespace {

using figure::AxisKind;
using figure::Tick;

constexpr double kTurnedAngle = 45.0, kUprightAngle = 90.0;
/// Parts of the room of a panel that names and side columns may take at most.
/// Of a strip with a colour bar, for a label beside the bar.
constexpr double kLabelPart = 0.6;
constexpr double kNamesPart = 0.32, kSidePart = 0.34;

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// Whether neighbours keep `room` apart.
template <class Place, class Room>
bool clear(const std::vector<Tick>& ticks, Place place, Room room) {
  for (std::size_t i = 1; i < ticks.size(); ++i) {
    if (std::abs(place(ticks[i]) - place(ticks[i - 1])) < room(ticks[i - 1], ticks[i])) return false;
  }
  return true;
}

/// Every n-th tick, n of 1, 2, 5, 10, 20 …, so that neighbours keep `room` (in the units of `place`) apart.
template <class Place, class Room>
std::vector<Tick> thinned(const std::vector<Tick>& ticks, Place place, Room room) {
  for (std::size_t decade = 1; decade < std::max<std::size_t>(2, ticks.size()); decade *= 10) {
    for (const std::size_t factor : {1, 2, 5}) {
      std::vector<Tick> kept;
      for (std::size_t i = 0; i < ticks.size(); i += decade * factor) kept.push_back(ticks[i]);
      if (clear(kept, place, room)) return kept;
    }
  }
  return ticks.empty() ? ticks : std::vector<Tick>{ticks.front()};
}

/// The most ticks that an axis has room for; those given are thinned, chosen ones chosen anew.
template <class Place, class Room>
std::vector<Tick> fitting(const figure::Axis& axis, int most, bool whole, Place place, Room room) {
  for (int count = most; axis.ticks.empty() && count >= 2; --count) {
    std::vector<Tick> ticks = figure::axisTicks(axis, count, whole);
    if (axis.kind == AxisKind::LogZero && !ticks.empty()) {
      // The zero stands apart; numbers that would touch it give way.
      const Tick zero = ticks.front();
      std::erase_if(ticks, [&](const Tick& tick) {
        return tick != zero && std::abs(place(tick) - place(zero)) < room(zero, tick);
      });
    }
    if (ticks.size() >= 2 && clear(ticks, place, room)) return ticks;
  }
  return thinned(figure::axisTicks(axis, most, whole), place, room);
}

}  // namespace

PanelArranger::PanelArranger(PanelLayout& layout, const FigureStyle& style, bool ownXLabel, bool ownYLabel,
                             bool ownColours)
    : m_layout(layout),
      m_panel(*layout.panel),
      m_style(style),
      m_ownXLabel(ownXLabel && !layout.xAxis->label.empty()),
      m_ownYLabel(ownYLabel && !layout.yAxis->label.empty()),
      m_ownColours(ownColours && layout.panel->map),
      m_labels(style.labels),
      m_inside(style.inside) {}

QMarginsF PanelArranger::arrange(QSizeF axes, QSizeF cell) {
  m_axes = axes;
  m_cell = cell;
  if (m_ownColours) m_labelAbove = labelAboveBar(m_panel.map->colours, m_style, cell.width());
  m_layout.yNameRoom = std::max(4.0 * m_labels.averageCharWidth(), kNamesPart * cell.width());
  chooseYTicks(axes.height());
  chooseXTicks(axes.width());
  chooseNames(axes.width());
  double side = 0.0;
  m_layout.sideColumns.clear();
  for (std::size_t i = 0; i < m_panel.sideColumns.size(); ++i) {
    side += sideWidth(i) + 2 * m_style.gap;
    if (side > kSidePart * cell.width()) break;
    m_layout.sideColumns.emplace_back();
  }
  return {leftMargin(), topMargin(), rightMargin(axes.width()), bottomMargin()};
}

void PanelArranger::chooseYTicks(double height) {
  m_layout.yTicks.clear();
  if (barsWithoutTicks(true)) return;
  const figure::Axis& axis = *m_layout.yAxis;
  const double text = lineHeight(m_style.labels);
  const int most = std::clamp(static_cast<int>(height / (2.4 * text)) + 1, 2, 9);
  m_layout.yTicks = fitting(
      axis, most, m_panel.map.has_value(),
      [&](const Tick& tick) { return figure::axisPart(axis, tick.first) * height; },
      [&](const Tick&, const Tick&) { return 0.95 * text; });
}

void PanelArranger::chooseXTicks(double width) {
  m_layout.xTicks.clear();
  if (barsWithoutTicks(false)) return;
  const figure::Axis& axis = *m_layout.xAxis;
  const double typical = m_labels.horizontalAdvance(QStringLiteral("0000")) + m_style.gap;
  const int most = std::clamp(static_cast<int>(width / typical), 2, axis.kind == AxisKind::Linear ? 9 : 12);
  const bool turnable = axis.kind == AxisKind::Category;
  const auto room = [&](const Tick& a, const Tick& b) {
    if (turnable) return 0.95 * lineHeight(m_style.labels);
    return (textWidth(a.second) + textWidth(b.second)) / 2 + m_style.gap;
  };
  const bool whole = m_panel.map.has_value() || axis.max - axis.min >= 4;
  m_layout.xTicks = fitting(
      axis, most, whole, [&](const Tick& tick) { return figure::axisPart(axis, tick.first) * width; }, room);
}

void PanelArranger::chooseNames(double width) {
  m_layout.nameAngle = m_layout.xNameRoom = 0.0;
  if (m_layout.xAxis->kind != AxisKind::Category || m_layout.xTicks.size() < 2) return;
  const auto part = [&](std::size_t i) {
    return figure::axisPart(*m_layout.xAxis, m_layout.xTicks[i].first) * width;
  };
  double spacing = width;
  for (std::size_t i = 1; i < m_layout.xTicks.size(); ++i) spacing = std::min(spacing, part(i) - part(i - 1));
  double longest = 0.0;
  for (const auto& tick : m_layout.xTicks) longest = std::max(longest, textWidth(tick.second));
  if (longest + 0.5 * m_style.gap <= spacing) return;
  const bool slanted = spacing >= 1.45 * lineHeight(m_style.labels);
  m_layout.nameAngle = slanted ? kTurnedAngle : kUprightAngle;
  m_layout.xNameRoom =
      std::min(longest, std::max(kNamesPart * m_cell.height(), 6.0 * m_labels.averageCharWidth()));
}

double PanelArranger::namesHeight() const {
  if (m_layout.nameAngle == 0.0) return lineHeight(m_style.labels);
  const double angle = m_layout.nameAngle * M_PI / 180.0;
  return m_layout.xNameRoom * std::sin(angle) + m_labels.ascent() * std::cos(angle);
}

double PanelArranger::leftMargin() const {
  double numbers = 0.0;
  for (const auto& tick : m_layout.yTicks) numbers = std::max(numbers, textWidth(tick.second));
  numbers = std::min(numbers, m_layout.yNameRoom);
  double left = 0.0;
  if (m_layout.yNumbers && !m_layout.yTicks.empty()) left = numbers + m_style.tickLength + 0.5 * m_style.gap;
  if (m_ownYLabel) left += lineHeight(m_style.labels) + m_style.gap;
  if (!m_layout.xNumbers || m_layout.xTicks.empty()) return left;
  // The first number or a slanted name may reach beyond the axes.
  double beyond = 0.0;
  for (const auto& tick : m_layout.xTicks) {
    const double at = figure::axisPart(*m_layout.xAxis, tick.first) * m_axes.width();
    const double reach = m_layout.nameAngle == kTurnedAngle
                             ? std::min(textWidth(tick.second), m_layout.xNameRoom) * std::sqrt(0.5)
                             : textWidth(tick.second) / 2;
    if (m_layout.nameAngle != kUprightAngle) beyond = std::max(beyond, reach - at);
  }
  return std::max(left, beyond);
}

double PanelArranger::rightMargin(double width) const {
  double right = 0.0;
  // The last number of an axis or of the colour bar may reach beyond the axes.
  if (m_layout.xNumbers && !m_layout.xTicks.empty() && m_layout.nameAngle == 0.0) {
    const Tick& last = m_layout.xTicks.back();
    right = figure::axisPart(*m_layout.xAxis, last.first) * width + textWidth(last.second) / 2 - width;
  }
  if (m_panel.map) {
    const auto ticks = figure::scaleTicks(m_panel.map->colours, 6, false);
    if (!ticks.empty()) right = std::max(right, textWidth(ticks.back().second) / 2);
  }
  for (const figure::Line& line : m_panel.lines) {
    if (line.named) right = std::max(right, m_inside.horizontalAdvance(qt(line.name)) + m_style.gap);
  }
  double side = 0.0;
  for (std::size_t i = 0; i < m_layout.sideColumns.size(); ++i) side += sideWidth(i) + 2 * m_style.gap;
  return std::max({0.0, right, side});
}

double PanelArranger::topMargin() const {
  // Numbers of the y axis reach half a line above the frame.
  double top = m_layout.yNumbers && !m_layout.yTicks.empty() ? lineHeight(m_style.labels) / 2 : 0.0;
  const auto headed = [&](std::size_t i) { return !m_panel.sideColumns[i].heading.empty(); };
  for (std::size_t i = 0; i < m_layout.sideColumns.size(); ++i) {
    if (headed(i)) top = std::max(top, lineHeight(m_style.inside) + 0.5 * m_style.gap);
  }
  const bool heading = !m_panel.heading.empty() || !m_panel.headingNote.empty() || !m_layout.letter.isEmpty();
  return heading ? std::max(top, lineHeight(m_style.title) + 0.3 * m_style.gap) : top;
}

double PanelArranger::bottomMargin() const {
  double bottom = 0.0;
  if (m_layout.xNumbers && !m_layout.xTicks.empty())
    bottom += namesHeight() + m_style.tickLength + 0.5 * m_style.gap;
  if (m_ownXLabel) bottom += lineHeight(m_style.labels) + 0.5 * m_style.gap;
  // Half of the lowest number of the y axis may hang below the frame.
  if (m_layout.yNumbers && !m_layout.yTicks.empty())
    bottom = std::max(bottom, lineHeight(m_style.labels) / 2);
  if (m_ownColours) {
    bottom +=
        colourBarHeight(m_style) + lineHeight(m_style.labels) * static_cast<double>(m_labelAbove.size());
  }
  return bottom;
}

void PanelArranger::place(QRectF frame) {
  m_layout.frame = frame;
  const double line = lineHeight(m_style.labels);
  const double headingHeight = lineHeight(m_style.title);
  if (!m_panel.heading.empty() || !m_panel.headingNote.empty() || !m_layout.letter.isEmpty()) {
    m_layout.heading =
        QRectF(frame.left(), frame.top() - 0.3 * m_style.gap - headingHeight, frame.width(), headingHeight);
  }
  double bottom = frame.bottom();
  if (m_layout.xNumbers && !m_layout.xTicks.empty())
    bottom += m_style.tickLength + 0.5 * m_style.gap + namesHeight();
  if (m_ownXLabel) {
    m_layout.xLabel = QRectF(frame.left(), bottom, frame.width(), line);
    // A long label uses what stands beside the axes as well.
    if (textWidth(m_layout.xAxis->label) > frame.width())
      m_layout.xLabel.adjust(-leftMargin(), 0, rightMargin(frame.width()), 0);
    bottom += line + 0.5 * m_style.gap;
  }
  if (m_ownYLabel) {
    m_layout.yLabel = QRectF(frame.left() - leftMargin(), frame.top(), line, frame.height());
    // A long label uses what stands above and below the axes as well.
    const double more = textWidth(m_layout.yAxis->label) - frame.height();
    const double above = std::min(topMargin(), std::max(0.0, more)),
                 below = std::clamp(more - above, 0.0, bottomMargin());
    m_layout.yLabel.adjust(0, -above, 0, below);
  }
  double x = frame.right();
  for (std::size_t i = 0; i < m_layout.sideColumns.size(); ++i) {
    m_layout.sideColumns[i] = QRectF(x + 2 * m_style.gap, frame.top(), sideWidth(i), frame.height());
    x = m_layout.sideColumns[i].right();
  }
  if (!m_layout.heading.isEmpty()) m_layout.heading.setRight(headingEnd());
  if (m_ownColours) {
    const double above = lineHeight(m_style.labels) * static_cast<double>(m_labelAbove.size());
    const double top = bottom + above + colourBarHeight(m_style) - lineHeight(m_style.labels) -
                       m_style.tickLength - 0.5 * m_style.gap - 0.8 * line;
    m_layout.colours = colourBarIn(m_panel.map->colours, m_style, frame.left() - leftMargin(), frame.left(),
                                   frame.right(), top, m_labelAbove);
  }
}

/// A long heading reaches over the columns beside the axes that have none; a note stands at the axes' end.
double PanelArranger::headingEnd() const {
  const QRectF& frame = m_layout.frame;
  if (!m_panel.headingNote.empty() || m_layout.sideColumns.empty()) return frame.right();
  for (std::size_t i = 0; i < m_layout.sideColumns.size(); ++i) {
    if (!m_panel.sideColumns[i].heading.empty()) return m_layout.sideColumns[i].left() - m_style.gap;
  }
  return m_layout.sideColumns.back().right();
}

double PanelArranger::sideWidth(std::size_t column) const {
  const figure::SideColumn& side = m_panel.sideColumns[column];
  double width = m_inside.horizontalAdvance(qt(side.heading));
  for (const std::string& text : side.texts) width = std::max(width, m_inside.horizontalAdvance(qt(text)));
  // Bars of shares are as long as eight figures.
  if (!side.shares.empty()) width = std::max(width, 8.0 * m_inside.horizontalAdvance(QLatin1Char('0')));
  return width;
}

bool PanelArranger::barsWithoutTicks(bool horizontal) const {
  const figure::Axis& axis = horizontal ? *m_layout.yAxis : *m_layout.xAxis;
  return m_panel.bars && m_panel.bars->horizontal == horizontal && axis.ticks.empty();
}

double PanelArranger::textWidth(const std::string& text) const {
  return m_labels.horizontalAdvance(qt(text));
}

double colourBarHeight(const FigureStyle& style) {
  return 1.8 * lineHeight(style.labels) + style.tickLength + 2.0 * style.gap;
}

QStringList wrappedText(const QString& text, const QFontMetricsF& metrics, double width) {
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

QStringList labelAboveBar(const figure::ColourScale& scale, const FigureStyle& style, double width) {
  const QFontMetricsF metrics(style.labels);
  const QString label = qt(scale.label);
  if (metrics.horizontalAdvance(label) <= kLabelPart * width) return {};
  return wrappedText(label, metrics, width);
}

ColourBarLayout colourBarIn(const figure::ColourScale& scale, const FigureStyle& style, double start,
                            double left, double right, double top, const QStringList& labelAbove) {
  const QFontMetricsF metrics(style.labels);
  ColourBarLayout layout;
  const double wide = metrics.horizontalAdvance(qt(scale.label)) + 1.5 * style.gap;
  const double height = 0.8 * lineHeight(style.labels);
  const double first = start;
  // The label stands left of the bar and may begin under the axis numbers.
  start = std::max(start, std::min(left, right - wide - 0.65 * (right - left)));
  const double barLeft = std::min(start + wide, right - 0.25 * (right - left));
  layout.bar = QRectF(barLeft, top, right - barLeft, height);
  layout.label = QRectF(start, top, barLeft - start, height);
  if (!labelAbove.isEmpty()) {
    double longest = 0.0;
    for (const QString& line : labelAbove) longest = std::max(longest, metrics.horizontalAdvance(line));
    const double lines = lineHeight(style.labels) * static_cast<double>(labelAbove.size());
    const double begin = std::max(first, std::min(left, right - longest));
    layout.bar = QRectF(left, top, right - left, height);
    // Wrapped to the strip, which may reach beyond the bar.
    layout.label =
        QRectF(begin, top - lines - 0.3 * style.gap, std::max(right - begin, longest + 1.0), lines);
    layout.labelAbove = labelAbove;
  }
  const auto place = [&](const Tick& tick) {
    return figure::scalePosition(scale, tick.first) * layout.bar.width();
  };
  const auto room = [&](const Tick& a, const Tick& b) {
    return (metrics.horizontalAdvance(qt(a.second)) + metrics.horizontalAdvance(qt(b.second))) / 2 +
           style.gap;
  };
  layout.ticks = thinned(figure::scaleTicks(scale, 6, false), place, room);
  return layout;
}

}  // namespace moescope::views
