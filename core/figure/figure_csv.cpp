#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "core/figure/figure_spec.h"

namespace moescope::figure {

namespace {

constexpr const char* kLineEnd = "\r\n";  // RFC 4180

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

/// Shortest decimal that reads back as the same number; empty for a missing one.
std::string field(double value) { return std::isfinite(value) ? fmt::format("{}", value) : std::string(); }

std::string nameAt(const std::vector<std::string>& names, std::size_t at) {
  return at < names.size() ? names[at] : std::to_string(at);
}

std::string orElse(const std::string& text, const char* otherwise) { return text.empty() ? otherwise : text; }

/// The numbers of one kind in one panel; lines without their ends.
struct PanelTable {
  std::string header;
  std::vector<std::string> rows;
};

PanelTable mapTable(const HeatMap& map, const Axis& x, const Axis& y) {
  PanelTable table;
  table.header = field(orElse(y.label, "row")) + ',' + field(orElse(x.label, "column")) + ',' +
                 field(orElse(map.colours.label, "value"));
  for (std::size_t row = 0; row < static_cast<std::size_t>(map.rows); ++row) {
    for (std::size_t column = 0; column < static_cast<std::size_t>(map.columns); ++column) {
      const double value = map.values[row * static_cast<std::size_t>(map.columns) + column];
      table.rows.push_back(field(nameAt(map.rowNames, row)) + ',' + field(nameAt(map.columnNames, column)) +
                           ',' + field(value));
    }
  }
  return table;
}

PanelTable barTable(const Bars& bars, const Axis& x, const Axis& y) {
  PanelTable table;
  const bool ends = !bars.low.empty();
  table.header = "rank,name," + field(orElse(bars.horizontal ? x.label : y.label, "value")) + ",highlighted" +
                 (ends ? ",low,high" : "");
  for (std::size_t i = 0; i < bars.values.size(); ++i) {
    const bool highlighted = i < bars.highlighted.size() && bars.highlighted[i];
    table.rows.push_back(std::to_string(i) + ',' + field(nameAt(bars.names, i)) + ',' +
                         field(bars.values[i]) + ',' + (highlighted ? '1' : '0') +
                         (ends ? ',' + field(bars.low[i]) + ',' + field(bars.high[i]) : ""));
  }
  return table;
}

PanelTable lineTable(const FigureSpec& spec, const FigurePanel& panel) {
  const auto any = [&](auto has) { return std::ranges::any_of(panel.lines, has); };
  const bool xEnds = any([](const Line& line) { return !line.xLow.empty(); });
  const bool labels = any([](const Line& line) { return !line.labels.empty(); });
  const bool groups = any([](const Line& line) { return !line.groups.empty(); });
  PanelTable table;
  table.header = "series," + field(orElse(xAxisOf(spec, panel).label, "x")) + ',' +
                 field(orElse(yAxisOf(spec, panel).label, "y")) + ",low,high" +
                 (xEnds ? ",x_low,x_high" : "") + (labels ? ",label" : "") + (groups ? ",group" : "");
  const auto at = [](const std::vector<double>& list, std::size_t i) {
    return ',' + (i < list.size() ? field(list[i]) : std::string());
  };
  for (const Line& line : panel.lines) {
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      std::string row = field(line.name) + ',' + field(line.x[i]) + ',' + field(line.y[i]) + at(line.low, i) +
                        at(line.high, i);
      if (xEnds) row += at(line.xLow, i) + at(line.xHigh, i);
      if (labels) row += ',' + (i < line.labels.size() ? field(line.labels[i]) : std::string());
      if (groups) {
        const auto group = static_cast<std::size_t>(i < line.groups.size() ? line.groups[i] : -1);
        row += ',' + (group < spec.groups.size() ? field(spec.groups[group].name) : std::string());
      }
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

}  // namespace

std::string toCsv(const FigureSpec& spec) {
  std::string out, lastHeader;
  const bool several = !spec.panels.empty();
  std::size_t index = 0;
  for (const FigurePanel& panel : panelsOf(spec)) {
    const std::string name = panel.heading.empty() ? panelLetter(index) : panel.heading;
    const auto add = [&](const PanelTable& table) {
      const std::string header = (several ? "panel," : "") + table.header;
      if (header != lastHeader) out += header + kLineEnd;
      lastHeader = header;
      for (const std::string& row : table.rows) out += (several ? field(name) + ',' : "") + row + kLineEnd;
    };
    const Axis& x = xAxisOf(spec, panel);
    const Axis& y = yAxisOf(spec, panel);
    if (panel.map) add(mapTable(*panel.map, x, y));
    if (panel.bars) add(barTable(*panel.bars, x, y));
    if (!panel.lines.empty()) add(lineTable(spec, panel));
    ++index;
  }
  return out;
}

}  // namespace moescope::figure
