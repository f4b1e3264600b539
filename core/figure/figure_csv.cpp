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

void addMap(std::string& out, const FigureSpec& spec) {
  const HeatMap& map = *spec.map;
  out += field(orElse(spec.y.label, "row")) + ',' + field(orElse(spec.x.label, "column")) + ',' +
         field(orElse(map.colours.label, "value")) + kLineEnd;
  for (std::size_t row = 0; row < static_cast<std::size_t>(map.rows); ++row) {
    for (std::size_t column = 0; column < static_cast<std::size_t>(map.columns); ++column) {
      const double value = map.values[row * static_cast<std::size_t>(map.columns) + column];
      out += field(nameAt(map.rowNames, row)) + ',' + field(nameAt(map.columnNames, column)) + ',' +
             field(value) + kLineEnd;
    }
  }
}

void addBars(std::string& out, const FigureSpec& spec) {
  out += "rank,name," + field(orElse(spec.y.label, "value")) + ",highlighted" + kLineEnd;
  for (std::size_t i = 0; i < spec.bars->values.size(); ++i) {
    const bool highlighted = i < spec.bars->highlighted.size() && spec.bars->highlighted[i];
    out += std::to_string(i) + ',' + field(nameAt(spec.bars->names, i)) + ',' + field(spec.bars->values[i]) +
           ',' + (highlighted ? '1' : '0') + kLineEnd;
  }
}

void addLines(std::string& out, const FigureSpec& spec) {
  out += "series," + field(orElse(spec.x.label, "x")) + ',' + field(orElse(spec.y.label, "y")) + ",low,high" +
         kLineEnd;
  for (const Line& line : spec.lines) {
    for (std::size_t i = 0; i < line.x.size(); ++i) {
      const bool band = i < line.low.size();
      out += field(line.name) + ',' + field(line.x[i]) + ',' + field(line.y[i]) + ',' +
             (band ? field(line.low[i]) : "") + ',' + (band ? field(line.high[i]) : "") + kLineEnd;
    }
  }
}

}  // namespace

std::string toCsv(const FigureSpec& spec) {
  std::string out;
  if (spec.map) addMap(out, spec);
  if (spec.bars) addBars(out, spec);
  if (!spec.lines.empty()) addLines(out, spec);
  return out;
}

}  // namespace moescope::figure
