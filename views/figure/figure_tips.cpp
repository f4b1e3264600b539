#include <QObject>

#include <algorithm>
#include <cmath>

#include "core/figure/number_text.h"
#include "views/figure/figure_hits.h"

namespace moescope::views {

namespace {

using figure::FigurePanel;
using figure::FigureSpec;

QString qt(const std::string& text) { return QString::fromStdString(text); }

/// Four figures, or all of a whole number.
QString numberText(double value) {
  if (std::isfinite(value) && value == std::floor(value) && std::abs(value) < 1e15)
    return qt(figure::countText(static_cast<std::int64_t>(value)));
  const double size = std::abs(value);
  const int power = size > 0.0 && std::isfinite(size) ? static_cast<int>(std::floor(std::log10(size))) : 0;
  return qt(figure::decimalText(value, std::clamp(3 - power, 0, 9)));
}

QString valueText(const figure::Axis& axis, double value) {
  const auto named = std::ranges::find_if(axis.ticks, [&](const auto& tick) { return tick.first == value; });
  if (axis.kind == figure::AxisKind::Category && named != axis.ticks.end()) return qt(named->second);
  return numberText(value) + qt(axis.suffix);
}

/// "37.3 (34.2 to 40.3)".
QString withInterval(const QString& value, const std::vector<double>& low, const std::vector<double>& high,
                     std::size_t i) {
  if (i >= low.size() || i >= high.size() || !std::isfinite(low[i]) || !std::isfinite(high[i])) return value;
  return QObject::tr("%1 (%2 to %3)").arg(value, numberText(low[i]), numberText(high[i]));
}

QString labelOr(const std::string& label, const QString& otherwise) {
  return label.empty() ? otherwise : qt(label);
}

/// "Expert 41", "code": a row or column by its name, its tick or its number.
QString placeText(const figure::Axis& axis, const std::vector<std::string>& names, std::size_t index) {
  const QString name = index < names.size() ? qt(names[index]) : valueText(axis, static_cast<double>(index));
  return axis.label.empty() ? name : qt(axis.label) + QLatin1Char(' ') + name;
}

FigureTip cellTip(const FigureSpec& spec, const FigurePanel& panel, const FigureHit& hit) {
  const figure::HeatMap& map = *panel.map;
  const auto row = static_cast<std::size_t>(hit.row), column = static_cast<std::size_t>(hit.column);
  const std::size_t at = row * static_cast<std::size_t>(map.columns) + column;
  FigureTip tip;
  tip.heading = placeText(figure::yAxisOf(spec, panel), map.rowNames, row) + QStringLiteral(" · ") +
                placeText(figure::xAxisOf(spec, panel), map.columnNames, column);
  const double value = map.values[at];
  const bool missing = std::ranges::find(map.missingRows, hit.row) != map.missingRows.end();
  if (missing || (std::isnan(value) && !map.sparse)) {
    tip.footer = qt(map.missingText);
    return tip;
  }
  if (std::isnan(value)) {
    tip.footer = QObject::tr("not chosen");
    return tip;
  }
  const bool ratio = map.colours.scale == figure::ScaleKind::Log2;
  tip.rows.emplace_back(labelOr(map.colours.label, QObject::tr("value")),
                        ratio ? qt(figure::ratioText(value)) : numberText(value));
  if (at < map.indistinct.size()) {
    tip.footer = map.indistinct[at] ? QObject::tr("not distinguishable from chance")
                                    : QObject::tr("distinguishable from chance");
  }
  return tip;
}

FigureTip pointTip(const FigureSpec& spec, const FigurePanel& panel, const FigureHit& hit) {
  const figure::Line& line = panel.lines[static_cast<std::size_t>(hit.row)];
  const auto i = static_cast<std::size_t>(hit.column);
  const figure::Axis& x = figure::xAxisOf(spec, panel);
  const figure::Axis& y = figure::yAxisOf(spec, panel);
  FigureTip tip;
  const QString label = i < line.labels.size() ? qt(line.labels[i]) : QString();
  const QString name = line.name.empty() ? qt(panel.heading) : qt(line.name);
  tip.heading = label.isEmpty() ? name : name.isEmpty() ? label : label + QStringLiteral(" · ") + name;
  tip.rows.emplace_back(labelOr(x.label, QObject::tr("x")),
                        withInterval(valueText(x, line.x[i]), line.xLow, line.xHigh, i));
  tip.rows.emplace_back(labelOr(y.label, QObject::tr("y")),
                        withInterval(valueText(y, line.y[i]), line.low, line.high, i));
  const auto group = static_cast<std::size_t>(i < line.groups.size() ? line.groups[i] : -1);
  if (group < spec.groups.size()) tip.footer = qt(spec.groups[group].name);
  return tip;
}

FigureTip barTip(const FigureSpec& spec, const FigurePanel& panel, const FigureHit& hit) {
  const figure::Bars& bars = *panel.bars;
  const auto i = static_cast<std::size_t>(hit.column);
  const figure::Axis& x = figure::xAxisOf(spec, panel);
  const figure::Axis& y = figure::yAxisOf(spec, panel);
  const figure::Axis& value = bars.horizontal ? x : y;
  FigureTip tip;
  tip.heading =
      i < bars.names.size() ? qt(bars.names[i]) : valueText(bars.horizontal ? y : x, static_cast<double>(i));
  tip.rows.emplace_back(labelOr(value.label, QObject::tr("value")),
                        withInterval(valueText(value, bars.values[i]), bars.low, bars.high, i));
  if (i < bars.faint.size() && bars.faint[i]) tip.footer = QObject::tr("not distinguishable from chance");
  return tip;
}

}  // namespace

FigureTip figureTip(const FigureSpec& spec, const FigureHit& hit) {
  const FigurePanel& panel = figure::panelsOf(spec)[static_cast<std::size_t>(hit.panel)];
  switch (hit.kind) {
    case FigureHit::Kind::Point: return pointTip(spec, panel, hit);
    case FigureHit::Kind::Cell: return cellTip(spec, panel, hit);
    case FigureHit::Kind::Bar: return barTip(spec, panel, hit);
  }
  return {};
}

}  // namespace moescope::views
