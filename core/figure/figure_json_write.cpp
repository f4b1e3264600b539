#include <cmath>

#include "core/figure/figure_spec.h"
#include "core/figure/figure_words.h"

namespace moescope::figure {

using nlohmann::ordered_json;

namespace {

// Writing. JSON has no NaN: a missing number is null.

ordered_json numbers(const std::vector<double>& values) {
  ordered_json out = ordered_json::array();
  for (const double value : values)
    out.push_back(std::isfinite(value) ? ordered_json(value) : ordered_json(nullptr));
  return out;
}

ordered_json write(const Axis& axis) {
  ordered_json ticks = ordered_json::array();
  for (const auto& [place, text] : axis.ticks) ticks.push_back({place, text});
  return {{"label", axis.label},  {"min", axis.min},
          {"max", axis.max},      {"kind", wordOf(kAxisKinds, axis.kind)},
          {"ticks", ticks},       {"reversed", axis.reversed},
          {"suffix", axis.suffix}};
}

ordered_json flags(const std::vector<bool>& values) {
  ordered_json out = ordered_json::array();
  for (const bool on : values) out.push_back(on);
  return out;
}

ordered_json write(const HeatMap& map) {
  ordered_json marks = ordered_json::array();
  for (const auto& [cell, mark] : map.marks) marks.push_back({cell.first, cell.second, wordOf(kMarks, mark)});
  return {{"rows", map.rows},
          {"columns", map.columns},
          {"row_names", map.rowNames},
          {"column_names", map.columnNames},
          {"colours",
           {{"map", name(map.colours.map)},
            {"scale", wordOf(kScales, map.colours.scale)},
            {"min", map.colours.min},
            {"max", map.colours.max},
            {"label", map.colours.label}}},
          {"marks", marks},
          {"sparse", map.sparse},
          {"missing_rows", map.missingRows},
          {"missing_text", map.missingText},
          {"indistinct", flags(map.indistinct)},
          {"dot_distinct", map.dotDistinct},
          {"values", numbers(map.values)}};
}

ordered_json write(const Bars& bars) {
  return {{"values", numbers(bars.values)},
          {"highlighted", flags(bars.highlighted)},
          {"names", bars.names},
          {"low", numbers(bars.low)},
          {"high", numbers(bars.high)},
          {"horizontal", bars.horizontal},
          {"colour", bars.colour},
          {"faint", flags(bars.faint)}};
}

ordered_json write(const Line& line) {
  return {{"name", line.name},
          {"colour", line.colour},
          {"marker", wordOf(kMarkers, line.marker)},
          {"dash", wordOf(kDashes, line.dash)},
          {"joined", line.joined},
          {"arrows", line.arrows},
          {"whiskers", line.whiskers},
          {"named", line.named},
          {"ringed", line.ringed},
          {"x", numbers(line.x)},
          {"y", numbers(line.y)},
          {"low", numbers(line.low)},
          {"high", numbers(line.high)},
          {"x_low", numbers(line.xLow)},
          {"x_high", numbers(line.xHigh)},
          {"labels", line.labels},
          {"groups", line.groups}};
}

ordered_json write(const ReferenceLine& line) {
  return {
      {"horizontal", line.horizontal}, {"value", line.value}, {"label", line.label}, {"level", line.level}};
}

ordered_json write(const Band& band) {
  return {{"low", band.low},   {"high", band.high},     {"name", band.name},
          {"note", band.note}, {"colour", band.colour}, {"horizontal", band.horizontal}};
}

ordered_json write(const SideColumn& column) {
  return {{"heading", column.heading}, {"texts", column.texts}, {"shares", numbers(column.shares)}};
}

ordered_json write(const PointGroup& group) {
  return {{"name", group.name}, {"colour", group.colour}, {"marker", wordOf(kMarkers, group.marker)}};
}

template <class T>
ordered_json writeAll(const std::vector<T>& items) {
  ordered_json out = ordered_json::array();
  for (const T& item : items) out.push_back(write(item));
  return out;
}

void writePanel(ordered_json& out, const FigurePanel& panel) {
  out["heading"] = panel.heading;
  out["heading_note"] = panel.headingNote;
  out["x"] = write(panel.x);
  out["y"] = write(panel.y);
  if (panel.map) out["map"] = write(*panel.map);
  if (panel.bars) out["bars"] = write(*panel.bars);
  out["lines"] = writeAll(panel.lines);
  out["references"] = writeAll(panel.references);
  out["bands"] = writeAll(panel.bands);
  out["side_columns"] = writeAll(panel.sideColumns);
}

}  // namespace

std::string_view name(Theme theme) { return kThemes[static_cast<std::size_t>(theme)]; }
std::optional<Theme> themeFrom(std::string_view word) { return enumFrom<Theme>(kThemes, word); }
std::string_view name(ColourMapId map) { return kMaps[static_cast<std::size_t>(map)]; }
std::optional<ColourMapId> colourMapFrom(std::string_view word) { return enumFrom<ColourMapId>(kMaps, word); }

ordered_json toJson(const FigureSpec& spec) {
  ordered_json out = {{"moescope_figure", kFigureVersion},
                      {"kind", spec.kind},
                      {"title", spec.title},
                      {"sample_line", spec.sampleLine},
                      {"baseline", spec.baseline},
                      {"draw_title", spec.drawTitle},
                      {"draw_sample_line", spec.drawSampleLine},
                      {"width_inches", spec.widthInches},
                      {"height_inches", spec.heightInches},
                      {"font_points", spec.fontPoints},
                      {"theme", name(spec.theme)},
                      {"groups", writeAll(spec.groups)}};
  writePanel(out, spec);
  if (!spec.panels.empty()) {
    out["columns"] = spec.columns;
    out["shared_x"] = spec.sharedX;
    out["shared_y"] = spec.sharedY;
    out["letters"] = spec.letters;
    out["panels"] = ordered_json::array();
    for (const FigurePanel& panel : spec.panels) writePanel(out["panels"].emplace_back(), panel);
  }
  out["provenance"] = ordered_json::array();
  for (const auto& [key, value] : spec.provenance)
    out["provenance"].push_back(ordered_json::array({key, value}));
  return out;
}

}  // namespace moescope::figure
