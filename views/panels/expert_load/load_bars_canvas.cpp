#include "views/panels/expert_load/load_bars_canvas.h"

#include <QKeyEvent>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/router_label.h"
#include "core/figure/number_text.h"
#include "views/api/cell_marks.h"
#include "views/api/plot_area.h"
#include "views/api/router_text.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kMostTicks = 5;
constexpr float kGappedBar = 3.0F;  ///< narrower bars touch
constexpr float kHalfLabel = 7.0F;  // of a line of small text
constexpr float kTick = 3.0F;       ///< of a steered expert, below the axis
constexpr float kCaption = 12.0F;
constexpr std::string_view kRegion = "expert ";

Colour paint(ColourRole role) { return Theme::current().paint(role); }

QString qt(const std::string& text) { return QString::fromStdString(text); }

}  // namespace

QString markText(figure::CellMark mark) {
  switch (mark) {
    case figure::CellMark::Banned: return QObject::tr("banned");
    case figure::CellMark::Boosted: return QObject::tr("boosted");
    case figure::CellMark::Dampened: return QObject::tr("dampened");
    case figure::CellMark::Pinned: return QObject::tr("pinned");
    case figure::CellMark::LayerRule: break;
  }
  return QObject::tr("steered");
}

void LoadBarsCanvas::setPicture(std::shared_ptr<const LoadPicture> picture) {
  m_picture = std::move(picture);
  m_hovered.reset();
  Q_EMIT changed();
}

void LoadBarsCanvas::setSelected(std::set<ExpertCell> cells) {
  if (m_selected == cells) return;
  m_selected = std::move(cells);
  Q_EMIT changed();
}

ExpertCell LoadBarsCanvas::cellOf(std::size_t bar) const {
  const RouterKey router = routerKey(m_picture->routers, m_picture->router);
  return {router.layer, ExpertIndex{m_picture->experts[bar]}, router.kind};
}

std::optional<std::size_t> LoadBarsCanvas::barOf(const std::string& region) const {
  if (!m_picture || !region.starts_with(kRegion)) return std::nullopt;
  std::int32_t expert = -1;
  std::from_chars(region.data() + kRegion.size(), region.data() + region.size(), expert);
  const auto found = std::ranges::find(m_picture->experts, expert);
  if (found == m_picture->experts.end()) return std::nullopt;
  return static_cast<std::size_t>(found - m_picture->experts.begin());
}

Rect LoadBarsCanvas::barRect(std::size_t bar) const {
  const float count = static_cast<float>(m_picture->experts.size());
  const float step = m_width / count;
  const float left = std::round(m_left + step * static_cast<float>(bar));
  const float right = std::round(m_left + step * static_cast<float>(bar + 1));
  const float gap = step >= kGappedBar ? 1.0F : 0.0F;
  const double value = m_picture->bars.bars->values[bar];
  const float height = std::isfinite(value) ? static_cast<float>(value / m_most) * m_height : 0.0F;
  return {left, m_bottom - height, std::max(1.0F, right - left - gap), height};
}

void LoadBarsCanvas::build(Rect area, CanvasPainter& painter) {
  m_area = area;
  painter.fillRect(area, paint(ColourRole::Canvas));
  if (!m_picture) return;
  const figure::FigureSpec& spec = m_picture->bars;
  const PlotArea plot = plotArea(area, spec.x, spec.y);
  m_left = plot.frame.x;
  m_width = plot.frame.width;
  m_bottom = plot.frame.y + plot.frame.height;
  m_height = plot.frame.height;
  m_most = spec.y.max;
  drawYAxis(painter, plot, spec.y, kMostTicks);
  drawBars(painter);
  drawUniformLine(painter);
  drawPeakLabel(painter, plot);
  drawOutlines(painter);
  painter.text({m_left, m_bottom + kCaption}, spec.x.label, paint(ColourRole::Text2), FontRole::Small);
}

void LoadBarsCanvas::drawBars(CanvasPainter& painter) const {
  const figure::Bars& bars = *m_picture->bars.bars;
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    const Rect bar = barRect(i);
    const bool steered = bars.highlighted[i];
    painter.fillRect(bar, paint(steered ? ColourRole::Accent : ColourRole::Text2));
    // A banned expert has no bar: the tick under the axis shows where it stands.
    if (steered)
      painter.fillRect({bar.x, m_bottom + 1.0F, std::max(2.0F, bar.width), kTick}, paint(ColourRole::Accent));
    painter.hitRegion(
        {bar.x, m_bottom - m_height, m_width / static_cast<float>(bars.values.size()), m_height + kTick},
        std::string(kRegion) + std::to_string(m_picture->experts[i]));
  }
}

void LoadBarsCanvas::drawUniformLine(CanvasPainter& painter) const {
  for (const figure::ReferenceLine& line : m_picture->bars.references) {
    const float at = std::round(m_bottom - static_cast<float>(line.value / m_most) * m_height);
    painter.fillRect({m_left, at, m_width, 1.0F}, paint(ColourRole::Text));
    painter.text({m_left + m_width, at - 8.0F}, line.label, paint(ColourRole::Text2), FontRole::Small,
                 Align::Right);
  }
}

void LoadBarsCanvas::drawPeakLabel(CanvasPainter& painter, const PlotArea& plot) const {
  const figure::Bars& bars = *m_picture->bars.bars;
  if (bars.values.empty() || !std::isfinite(bars.values.front())) return;
  const Rect bar = barRect(0);
  float middle = std::max(m_area.y + kHalfLabel, bar.y - kHalfLabel - 1.0F);
  for (const float line : gridLines(plot, m_picture->bars.y, kMostTicks)) {
    // No line runs through the text.
    if (line > middle - kHalfLabel - 1.0F && line < middle + kHalfLabel) middle = line - kHalfLabel;
  }
  painter.text({bar.x + bar.width + 5.0F, middle},
               bars.names.front() + " " + figure::ratioText(bars.values.front()),
               paint(bars.highlighted.front() ? ColourRole::Accent : ColourRole::Text2), FontRole::Small);
}

void LoadBarsCanvas::drawOutlines(CanvasPainter& painter) const {
  for (std::size_t i = 0; i < m_picture->experts.size(); ++i) {
    const Rect bar = barRect(i);
    // A bar of no height still has to show its outline.
    const Rect shown{bar.x, std::min(bar.y, m_bottom - 2.0F), bar.width, std::max(2.0F, bar.height)};
    if (m_selected.contains(cellOf(i))) drawSelection(painter, shown);
    if (m_hovered == i) drawHover(painter, shown);
    if (m_focused && m_cursor == m_picture->experts[i]) drawCursor(painter, shown);
  }
}

void LoadBarsCanvas::press(const CanvasEvent& event) {
  const auto bar = barOf(event.region);
  if (!bar || event.button != Qt::LeftButton) return;
  const ExpertCell cell = cellOf(*bar);
  m_cursor = cell.expert.value;
  std::set<ExpertCell> cells{cell};
  if ((event.modifiers & Qt::ControlModifier) != 0) {
    cells = m_selected;
    if (!cells.erase(cell)) cells.insert(cell);
  } else if (m_selected == cells) {
    cells.clear();
  }
  Q_EMIT cursorMoved();
  Q_EMIT selected(cells);
  Q_EMIT changed();
}

void LoadBarsCanvas::move(const CanvasEvent& event) {
  const auto bar = barOf(event.region);
  if (bar == m_hovered) return;
  m_hovered = bar;
  Q_EMIT changed();
}

void LoadBarsCanvas::leave() {
  if (!m_hovered) return;
  m_hovered.reset();
  Q_EMIT changed();
}

void LoadBarsCanvas::contextMenu(const CanvasEvent& event) {
  auto bar = barOf(event.region);
  if (!bar && m_cursor && m_picture) bar = barOf(std::string(kRegion) + std::to_string(*m_cursor));
  if (bar) Q_EMIT menuRequested(cellOf(*bar), event.globalAt);
}

bool LoadBarsCanvas::key(const QKeyEvent& event) {
  if (!m_picture) return false;
  const bool extend = (event.modifiers() & Qt::ShiftModifier) != 0;
  const auto all = static_cast<std::int64_t>(m_picture->experts.size());
  switch (event.key()) {
    case Qt::Key_Left: moveCursor(-1, extend); return true;
    case Qt::Key_Right: moveCursor(1, extend); return true;
    case Qt::Key_Home: moveCursor(-all, extend); return true;
    case Qt::Key_End: moveCursor(all, extend); return true;
    default: break;
  }
  bool used = false;
  Q_EMIT verbKey(event, m_selected, &used);
  return used;
}

void LoadBarsCanvas::moveCursor(std::int64_t step, bool extend) {
  const auto& experts = m_picture->experts;
  if (experts.empty()) return;
  std::int64_t place = step > 0 ? -1 : static_cast<std::int64_t>(experts.size());
  if (m_cursor) {
    const auto found = std::ranges::find(experts, *m_cursor);
    if (found != experts.end()) place = found - experts.begin();
  }
  place = std::clamp<std::int64_t>(place + step, 0, static_cast<std::int64_t>(experts.size()) - 1);
  m_cursor = experts[static_cast<std::size_t>(place)];
  std::set<ExpertCell> cells = extend ? m_selected : std::set<ExpertCell>{};
  cells.insert(cellOf(static_cast<std::size_t>(place)));
  Q_EMIT cursorMoved();
  Q_EMIT selected(cells);
  Q_EMIT changed();
}

void LoadBarsCanvas::focusChanged(bool hasFocus) {
  m_focused = hasFocus;
  Q_EMIT changed();
}

std::optional<ToolTipContent> LoadBarsCanvas::toolTip(const CanvasEvent& event) {
  const auto bar = barOf(event.region);
  if (!bar) return std::nullopt;
  const LoadPicture& picture = *m_picture;
  const auto expert = static_cast<std::size_t>(picture.experts[*bar]);
  const double share = picture.load.slots > 0 ? static_cast<double>(picture.load.counts[expert]) /
                                                    static_cast<double>(picture.load.slots)
                                              : 0.0;
  ToolTipContent tip;
  tip.heading = tr("%1 · expert %2").arg(routerHeading(picture.router)).arg(expert);
  if (const auto mark = picture.marks.find(picture.experts[*bar]); mark != picture.marks.end()) {
    tip.tag = markText(mark->second);
  }
  tip.rows.push_back({tr("load share m"), tr("%1, %2 uniform")
                                              .arg(qt(figure::percentText(share)),
                                                   qt(figure::ratioText(picture.bars.bars->values[*bar])))});
  tip.rows.push_back({tr("chosen by"), tr("%1 of %2 tokens")
                                           .arg(qt(figure::countText(picture.load.counts[expert])),
                                                qt(figure::countText(picture.load.tokens)))});
  tip.rows.push_back({tr("place"), tr("%1 of %2 by load").arg(*bar + 1).arg(picture.experts.size())});
  double mass = 0.0;
  for (const double of : picture.load.gateMass) mass += of;
  if (mass > 0.0) {
    tip.rows.push_back({tr("gate mass"), qt(figure::percentText(picture.load.gateMass[expert] / mass))});
  }
  tip.footer = tr("click selects · B bans · + − strength");
  tip.clearOf = barRect(*bar);
  return tip;
}

QString LoadBarsCanvas::cursorText() const {
  if (!m_picture || !m_cursor) return {};
  const auto bar = barOf(std::string(kRegion) + std::to_string(*m_cursor));
  if (!bar) return {};
  const double share =
      m_picture->load.slots > 0
          ? static_cast<double>(m_picture->load.counts[static_cast<std::size_t>(*m_cursor)]) /
                static_cast<double>(m_picture->load.slots)
          : 0.0;
  QString text =
      tr("%1, expert %2, load share %3, %4 uniform")
          .arg(routerHeading(m_picture->router))
          .arg(*m_cursor)
          .arg(qt(figure::percentText(share)), qt(figure::ratioText(m_picture->bars.bars->values[*bar])));
  if (const auto mark = m_picture->marks.find(*m_cursor); mark != m_picture->marks.end()) {
    text += QStringLiteral(", ") + markText(mark->second);
  }
  return text;
}

}  // namespace moescope::views
