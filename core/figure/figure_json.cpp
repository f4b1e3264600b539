#include "core/base/strict_json.h"
#include "core/figure/figure_spec.h"
#include "core/figure/json_reader.h"

namespace moescope::figure {

namespace {

using nlohmann::json;

constexpr std::size_t kMostSideColumns = 16;

Axis readAxis(const JsonReader& in) {
  Axis axis;
  axis.label = in.text("label");
  axis.min = in.number("min");
  axis.max = in.number("max");
  if (axis.min >= axis.max) throw Fault{in.place("max"), "is not above min"};
  axis.kind = in.choiceOr(AxisKind::Linear, "kind", kAxisKinds);
  const bool log = axis.kind == AxisKind::Log10 || axis.kind == AxisKind::LogZero;
  if (log && axis.min <= 0.0) throw Fault{in.place("min"), "is not above 0 on a logarithmic axis"};
  axis.reversed = in.flag("reversed");
  axis.suffix = in.text("suffix");
  for (const json& tick : in.list("ticks", kMostItems)) {
    if (!tick.is_array() || tick.size() != 2)
      throw Fault{in.place("ticks"), "holds something other than [place, text]"};
    axis.ticks.emplace_back(JsonReader::asNumber(tick[0], in.place("ticks")),
                            JsonReader::asText(tick[1], in.place("ticks")));
  }
  return axis;
}

ColourScale readScale(const JsonReader& in) {
  ColourScale scale;
  scale.map = in.choice<ColourMapId>("map", kMaps);
  scale.scale = in.choice<ScaleKind>("scale", kScales);
  scale.min = in.number("min");
  scale.max = in.number("max");
  scale.label = in.text("label");
  if (scale.min >= scale.max) throw Fault{in.place("max"), "is not above min"};
  if (scale.scale == ScaleKind::Log2 && scale.min <= 0.0)
    throw Fault{in.place("min"), "is not above 0 on a log2 scale"};
  return scale;
}

HeatMap readMap(const JsonReader& in) {
  HeatMap map;
  const int most = static_cast<int>(kMostValues);
  map.rows = in.whole("rows", 1, most);
  map.columns = in.whole("columns", 1, most);
  map.colours = readScale(in.object("colours"));
  map.values = in.numbers("values");
  if (map.values.size() != static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns)) {
    throw Fault{in.place("values"), "does not hold rows x columns numbers"};
  }
  map.rowNames = in.texts("row_names");
  map.columnNames = in.texts("column_names");
  const auto fits = [](const auto& names, int count) {
    return names.empty() || names.size() == static_cast<std::size_t>(count);
  };
  if (!fits(map.rowNames, map.rows)) throw Fault{in.place("row_names"), "does not hold one name a row"};
  if (!fits(map.columnNames, map.columns))
    throw Fault{in.place("column_names"), "does not hold one name a column"};
  map.sparse = in.flag("sparse");
  map.indistinct = in.flags("indistinct");
  in.checkOne("indistinct", map.indistinct.size(), map.values.size(), "cell");
  map.dotDistinct = in.flag("dot_distinct");
  if (in.has("missing_text")) map.missingText = in.text("missing_text");
  for (const json& row : in.list("missing_rows", kMostValues)) {
    if (!row.is_number_integer() || row.get<double>() < 0 || row.get<double>() >= map.rows) {
      throw Fault{in.place("missing_rows"), "names a row that is not in the map"};
    }
    map.missingRows.push_back(row.get<int>());
  }
  for (const json& entry : in.list("marks", kMostValues)) {
    const std::string place = in.place("marks");
    if (!entry.is_array() || entry.size() != 3 || !entry[0].is_number_integer() ||
        !entry[1].is_number_integer()) {
      throw Fault{place, "holds something other than [row, column, mark]"};
    }
    const auto mark = enumFrom<CellMark>(kMarks, JsonReader::asText(entry[2], place));
    const double row = entry[0].get<double>();
    const double column = entry[1].get<double>();
    if (!mark) throw Fault{place, fmt::format("names a mark that is none of {}", fmt::join(kMarks, ", "))};
    if (row < 0 || row >= map.rows || column < -1 || column >= map.columns)
      throw Fault{place, "lies outside the map"};
    map.marks.push_back({{static_cast<int>(row), static_cast<int>(column)}, *mark});
  }
  return map;
}

/// Two lists that are the ends of intervals.
void checkEnds(const JsonReader& in, const char* lowKey, const char* highKey, const std::vector<double>& low,
               const std::vector<double>& high, std::size_t count) {
  if (low.size() != high.size() || (!low.empty() && low.size() != count)) {
    throw Fault{in.place(lowKey),
                fmt::format("and {} are neither empty nor have one entry a value", highKey)};
  }
}

Bars readBars(const JsonReader& in) {
  Bars bars;
  bars.values = in.numbers("values");
  bars.highlighted = in.flags("highlighted");
  bars.names = in.texts("names");
  bars.low = in.numbers("low");
  bars.high = in.numbers("high");
  bars.horizontal = in.flag("horizontal");
  bars.colour = in.wholeOr(kPlainColour, "colour", kPlainColour, kLastColour);
  bars.faint = in.flags("faint");
  const std::size_t count = bars.values.size();
  in.checkOne("highlighted", bars.highlighted.size(), count, "bar");
  in.checkOne("names", bars.names.size(), count, "bar");
  in.checkOne("faint", bars.faint.size(), count, "bar");
  checkEnds(in, "low", "high", bars.low, bars.high, count);
  return bars;
}

Line readLine(const JsonReader& in, int groups) {
  Line line;
  line.name = in.text("name");
  line.x = in.numbers("x");
  line.y = in.numbers("y");
  line.low = in.numbers("low");
  line.high = in.numbers("high");
  line.xLow = in.numbers("x_low");
  line.xHigh = in.numbers("x_high");
  line.colour = in.whole("colour", kPlainColour, kLastColour);
  line.marker = in.choiceOr(Marker::Automatic, "marker", kMarkers);
  line.dash = in.choiceOr(Dash::Automatic, "dash", kDashes);
  if (in.has("joined")) line.joined = in.flag("joined");
  line.arrows = in.flag("arrows");
  line.whiskers = in.flag("whiskers");
  line.named = in.flag("named");
  line.labels = in.texts("labels");
  line.groups = in.wholes("groups", -1, groups - 1);
  const std::size_t count = line.x.size();
  if (line.y.size() != count) throw Fault{in.place("y"), "is not as long as x"};
  checkEnds(in, "low", "high", line.low, line.high, count);
  checkEnds(in, "x_low", "x_high", line.xLow, line.xHigh, count);
  in.checkOne("labels", line.labels.size(), count, "point");
  in.checkOne("groups", line.groups.size(), count, "point");
  line.ringed = in.wholeOr(-1, "ringed", -1, static_cast<int>(count) - 1);
  return line;
}

ReferenceLine readReference(const JsonReader& in) {
  return {in.flag("horizontal"), in.number("value"), in.text("label"), in.flag("level")};
}

Band readBand(const JsonReader& in) {
  Band band;
  band.low = in.number("low");
  band.high = in.number("high");
  if (band.low >= band.high) throw Fault{in.place("high"), "is not above low"};
  band.name = in.text("name");
  band.note = in.text("note");
  band.colour = in.whole("colour", kPlainColour, kLastColour);
  band.horizontal = in.flag("horizontal");
  return band;
}

SideColumn readSideColumn(const JsonReader& in) {
  return {in.text("heading"), in.texts("texts"), in.numbers("shares")};
}

PointGroup readGroup(const JsonReader& in) {
  return {in.text("name"), in.whole("colour", kPlainColour, kLastColour),
          in.choice<Marker>("marker", kMarkers)};
}

/// Every entry of a list of objects.
template <class Read>
auto readAll(const JsonReader& in, const char* key, std::size_t most, Read read) {
  std::vector<decltype(read(in))> out;
  for (const json& entry : in.list(key, most)) out.push_back(read(JsonReader(entry, in.place(key))));
  return out;
}

void readPanel(const JsonReader& in, FigurePanel& panel, int groups) {
  panel.heading = in.text("heading");
  panel.headingNote = in.text("heading_note");
  panel.x = readAxis(in.object("x"));
  panel.y = readAxis(in.object("y"));
  if (in.has("map")) panel.map = readMap(in.object("map"));
  if (in.has("bars")) panel.bars = readBars(in.object("bars"));
  panel.lines =
      readAll(in, "lines", kMostItems, [&](const JsonReader& line) { return readLine(line, groups); });
  panel.references = readAll(in, "references", kMostItems, readReference);
  panel.bands = readAll(in, "bands", kMostItems, readBand);
  panel.sideColumns = readAll(in, "side_columns", kMostSideColumns, readSideColumn);
}

void readPanels(const JsonReader& in, FigureSpec& spec) {
  spec.columns = in.wholeOr(0, "columns", 0, static_cast<int>(kMostPanels));
  spec.sharedX = in.flag("shared_x");
  spec.sharedY = in.flag("shared_y");
  spec.letters = in.flag("letters");
  const int groups = static_cast<int>(spec.groups.size());
  spec.panels = readAll(in, "panels", kMostPanels, [&](const JsonReader& entry) {
    FigurePanel panel;
    readPanel(entry, panel, groups);
    return panel;
  });
}

FigureSpec readSpec(const JsonReader& in) {
  FigureSpec spec;
  spec.kind = in.text("kind");
  spec.title = in.text("title");
  spec.sampleLine = in.text("sample_line");
  spec.baseline = in.text("baseline");
  spec.drawTitle = in.flag("draw_title");
  spec.drawSampleLine = in.flag("draw_sample_line");
  spec.widthInches = in.numberIn("width_inches", kMinInches, kMaxInches);
  spec.heightInches = in.numberIn("height_inches", kMinInches, kMaxInches);
  spec.fontPoints = in.numberIn("font_points", kMinFontPoints, kMaxFontPoints);
  spec.theme = in.choice<Theme>("theme", kThemes);
  spec.groups = readAll(in, "groups", kMostItems, readGroup);
  readPanel(in, spec, static_cast<int>(spec.groups.size()));
  readPanels(in, spec);
  for (const json& entry : in.list("provenance", kMostItems)) {
    const std::string place = in.place("provenance");
    if (!entry.is_array() || entry.size() != 2) throw Fault{place, "holds something other than [name, text]"};
    spec.provenance.emplace_back(JsonReader::asText(entry[0], place), JsonReader::asText(entry[1], place));
  }
  return spec;
}

}  // namespace

Result<FigureSpec> figureFromJson(std::string_view text, const std::string& file) {
  const auto document = parseStrictJson(text);
  if (!document) {
    return fail("figure.not_json", file, document.error().where, document.error().message,
                "give a trace or a .json file that an export wrote");
  }
  if (!document->is_object() || !document->contains("moescope_figure")) {
    return fail("figure.not_a_figure", file, "", "this is not a figure of MoEScope (no key moescope_figure)",
                "give a trace or a .json file that an export wrote");
  }
  const json& version = (*document)["moescope_figure"];
  if (!version.is_number_integer() || version.get<double>() < 1) {
    return fail("figure.bad_format", file, "moescope_figure", "the version is not a whole number from 1 on");
  }
  if (version.get<double>() > kFigureVersion) {
    return fail("figure.newer", file, "moescope_figure", "the figure was written by a newer MoEScope",
                "update this program");
  }
  try {
    return readSpec({*document, ""});
  } catch (const Fault& fault) {
    return fail("figure.bad_format", file, fault.where, fault.where + " " + fault.message);
  }
}

}  // namespace moescope::figure
