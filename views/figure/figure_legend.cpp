#include "views/figure/figure_legend.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>
#include <set>

#include "views/figure/line_look.h"
#include "views/figure/map_drawing.h"

namespace moescope::views {

namespace {

using figure::FigurePanel;
using figure::FigureSpec;
using Kind = LegendEntry::Kind;

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// Side of the box of a mark; a series has twice the width.
double boxSide(const FigureStyle& style) { return 0.85 * style.inside.pixelSize(); }

/// In rows of at most `room`, from (0, 0).
Legend placed(std::vector<LegendEntry> entries, const FigureStyle& style, double room) {
  Legend legend;
  const QFontMetricsF metrics(style.inside);
  const double side = boxSide(style);
  const double height = std::max(lineHeight(style.inside), side);
  double x = 0.0, y = 0.0;
  for (LegendEntry& entry : entries) {
    // A rule on a layer is marked left of its row, so its sample needs room there.
    const double wide =
        entry.kind == Kind::Series || entry.mark == figure::CellMark::LayerRule ? 2 * side : side;
    const double width = wide + 0.5 * style.gap + metrics.horizontalAdvance(entry.text);
    if (x > 0.0 && x + width > room) {
      x = 0.0;
      y += height + 0.3 * style.gap;
    }
    entry.box = QRectF(x, y + (height - side) / 2, wide, side);
    x += width + 2 * style.gap;
    legend.width = std::max(legend.width, x - 2 * style.gap);
  }
  if (!entries.empty()) legend.height = y + height;
  legend.entries = std::move(entries);
  return legend;
}

std::vector<LegendEntry> seriesOf(const FigureSpec& spec) {
  std::vector<LegendEntry> entries;
  std::set<std::string> seen;
  for (const FigurePanel& panel : figure::panelsOf(spec)) {
    for (const figure::Line& line : panel.lines) {
      if (line.named || line.name.empty() || !seen.insert(line.name).second) continue;
      LegendEntry& entry = entries.emplace_back();
      entry.text = qt(line.name);
      entry.panel = &panel;
      entry.line = &line;
    }
  }
  return entries;
}

std::vector<LegendEntry> groupsOf(const FigureSpec& spec) {
  std::set<int> used;
  for (const FigurePanel& panel : figure::panelsOf(spec)) {
    for (const figure::Line& line : panel.lines) used.insert(line.groups.begin(), line.groups.end());
  }
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < spec.groups.size(); ++i) {
    if (!used.contains(static_cast<int>(i)) || spec.groups[i].name.empty()) continue;
    LegendEntry& entry = entries.emplace_back();
    entry.kind = Kind::Group;
    entry.text = qt(spec.groups[i].name);
    entry.group = &spec.groups[i];
  }
  return entries;
}

std::vector<LegendEntry> bandsOf(const FigureSpec& spec) {
  std::vector<LegendEntry> entries;
  std::set<std::string> seen;
  for (const FigurePanel& panel : figure::panelsOf(spec)) {
    for (const figure::Band& band : panel.bands) {
      if (band.name.empty() || !seen.insert(band.name).second) continue;
      LegendEntry& entry = entries.emplace_back();
      entry.kind = Kind::Band;
      entry.text = qt(band.name);
      entry.band = &band;
    }
  }
  return entries;
}

bool hasMissing(const figure::HeatMap& map) {
  return !map.missingRows.empty() ||
         (!map.sparse && std::ranges::any_of(map.values, [](double v) { return std::isnan(v); }));
}

}  // namespace

void Legend::moveTo(QPointF topLeft) {
  for (LegendEntry& entry : entries) entry.box.translate(topLeft);
}

bool bandsInLegend(const FigureSpec& spec) { return spec.panels.size() > 1; }

Legend seriesLegend(const FigureSpec& spec, const FigureStyle& style, double room) {
  std::vector<LegendEntry> entries = seriesOf(spec);
  // One name tells nothing apart; the axis says what it is.
  if (entries.size() < 2) entries.clear();
  for (LegendEntry& entry : groupsOf(spec)) entries.push_back(std::move(entry));
  if (bandsInLegend(spec)) {
    for (LegendEntry& entry : bandsOf(spec)) entries.push_back(std::move(entry));
  }
  return placed(std::move(entries), style, room);
}

Legend markLegend(const FigureSpec& spec, const FigureStyle& style, double room) {
  using figure::CellMark;
  static const std::pair<CellMark, const char*> kTexts[]{{CellMark::Banned, "banned"},
                                                         {CellMark::Boosted, "boosted"},
                                                         {CellMark::Dampened, "dampened"},
                                                         {CellMark::Pinned, "pinned"},
                                                         {CellMark::LayerRule, "rule on the layer"}};
  std::vector<LegendEntry> entries;
  const auto add = [&](Kind kind, const QString& text, CellMark mark = {}) {
    const bool there = std::ranges::any_of(entries, [&](const auto& e) { return e.text == text; });
    if (there) return;
    LegendEntry& entry = entries.emplace_back();
    entry.kind = kind;
    entry.text = text;
    entry.mark = mark;
  };
  for (const FigurePanel& panel : figure::panelsOf(spec)) {
    if (!panel.map) continue;
    for (const auto& [mark, text] : kTexts) {
      const auto same = [m = mark](const auto& entry) { return entry.second == m; };
      if (std::ranges::any_of(panel.map->marks, same)) add(Kind::Mark, QString::fromLatin1(text), mark);
    }
    if (std::ranges::find(panel.map->indistinct, !panel.map->dotDistinct) != panel.map->indistinct.end()) {
      if (panel.map->dotDistinct)
        add(Kind::Distinct, QStringLiteral("distinguishable from chance"));
      else
        add(Kind::Indistinct, QStringLiteral("not distinguishable from chance"));
    }
    if (hasMissing(*panel.map)) add(Kind::Missing, qt(panel.map->missingText));
  }
  return placed(std::move(entries), style, room);
}

void drawLegend(QPainter& painter, const Legend& legend, const FigureStyle& style, const TextPen& text) {
  for (const LegendEntry& entry : legend.entries) {
    const QPointF centre = entry.box.center();
    switch (entry.kind) {
      case Kind::Series: {
        const LineLook look = lookOf(*entry.line, *entry.panel, style);
        if (entry.line->joined) {
          painter.setPen(look.pen);
          painter.drawLine(QPointF(entry.box.left(), centre.y()), QPointF(entry.box.right(), centre.y()));
        }
        // Points of groups have the markers of their groups.
        if (entry.line->groups.empty())
          drawMarker(painter, look.marker, centre, style.markerRadius, entry.line->colour, look.colour,
                     style);
        break;
      }
      case Kind::Group:
        drawMarker(painter, entry.group->marker, centre, style.markerRadius, entry.group->colour,
                   style.colour(entry.group->colour), style);
        break;
      case Kind::Band:
        painter.fillRect(entry.box, mixed(style.colour(entry.band->colour), style.ground, kBandStrength));
        break;
      case Kind::Mark:
        drawMark(painter, entry.mark,
                 entry.mark == figure::CellMark::LayerRule
                     ? QRectF(centre.x(), entry.box.top(), entry.box.height(), entry.box.height())
                     : entry.box,
                 style);
        break;
      case Kind::Missing: drawMissing(painter, entry.box, style); break;
      case Kind::Indistinct: painter.fillRect(entry.box, style.flat); break;
      case Kind::Distinct: drawDot(painter, centre, style); break;
    }
    text.writeCentred(painter, {entry.box.right() + 0.5 * style.gap, centre.y()}, entry.text, style.inside,
                      style.ink, TextPen::Anchor::Left);
  }
}

}  // namespace moescope::views
