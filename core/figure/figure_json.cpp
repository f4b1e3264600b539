#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/base/strict_json.h"
#include "core/figure/figure_spec.h"

namespace moescope::figure {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kVersion = 1;
/// 8192 tokens x 1024 experts; more cells than any screen or page shows.
constexpr std::size_t kMostValues = std::size_t{1} << 23;
constexpr std::size_t kMostItems = 4096;  ///< ticks, lines, references
constexpr std::size_t kMostTextBytes = 4096;

constexpr std::array<std::string_view, 3> kThemes{"print", "light", "dark"};
constexpr std::array<std::string_view, 4> kMaps{"cividis", "viridis", "greys", "diverging"};
constexpr std::array<std::string_view, 3> kScales{"linear", "sqrt", "log2"};
constexpr std::array<std::string_view, 5> kMarks{"banned", "boosted", "dampened", "pinned", "layer_rule"};

template <class Enum, std::size_t N>
std::optional<Enum> enumFrom(const std::array<std::string_view, N>& words, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (words[i] == word) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

template <class Enum, std::size_t N>
std::string wordOf(const std::array<std::string_view, N>& words, Enum value) {
  return std::string(words[static_cast<std::size_t>(value)]);
}

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
  return {{"label", axis.label}, {"min", axis.min},           {"max", axis.max},
          {"ticks", ticks},      {"reversed", axis.reversed}, {"suffix", axis.suffix}};
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
          {"values", numbers(map.values)}};
}

ordered_json write(const Bars& bars) {
  ordered_json highlighted = ordered_json::array();
  for (const bool on : bars.highlighted) highlighted.push_back(on);
  return {{"values", numbers(bars.values)}, {"highlighted", highlighted}, {"names", bars.names}};
}

ordered_json write(const Line& line) {
  return {{"name", line.name},    {"colour", line.colour},    {"x", numbers(line.x)},
          {"y", numbers(line.y)}, {"low", numbers(line.low)}, {"high", numbers(line.high)}};
}

/// Thrown inside this file only; figureFromJson turns it into an error value.
struct Fault {
  std::string where, message;
};

/// One object of the document with its place, for errors that name the key.
class Reader {
 public:
  Reader(const json& object, std::string place) : m_object(object), m_place(std::move(place)) {
    if (!object.is_object()) throw Fault{m_place, "is not an object"};
  }

  [[nodiscard]] bool has(const char* key) const { return m_object.contains(key) && !m_object[key].is_null(); }
  [[nodiscard]] const json& at(const char* key) const {
    if (!m_object.contains(key)) throw Fault{place(key), "is missing"};
    return m_object[key];
  }
  [[nodiscard]] Reader object(const char* key) const { return {at(key), place(key)}; }
  [[nodiscard]] std::string place(const char* key) const {
    return m_place.empty() ? key : m_place + "." + key;
  }

  [[nodiscard]] std::string text(const char* key) const {
    if (!m_object.contains(key)) return {};
    return asText(m_object[key], place(key));
  }
  [[nodiscard]] bool flag(const char* key) const {
    if (!m_object.contains(key)) return false;
    if (!m_object[key].is_boolean()) throw Fault{place(key), "is neither true nor false"};
    return m_object[key].get<bool>();
  }
  [[nodiscard]] double number(const char* key) const { return asNumber(at(key), place(key)); }
  [[nodiscard]] double numberIn(const char* key, double low, double high) const {
    const double value = number(key);
    if (value < low || value > high)
      throw Fault{place(key), fmt::format("is not between {} and {}", low, high)};
    return value;
  }
  [[nodiscard]] int whole(const char* key, int low, int high) const {
    const json& value = at(key);
    if (!value.is_number_integer()) throw Fault{place(key), "is not a whole number"};
    const double size = value.get<double>();
    if (size < low || size > high)
      throw Fault{place(key), fmt::format("is not between {} and {}", low, high)};
    return static_cast<int>(size);
  }
  [[nodiscard]] const json& list(const char* key, std::size_t most) const {
    static const json kNone = json::array();
    if (!m_object.contains(key)) return kNone;
    const json& value = m_object[key];
    if (!value.is_array()) throw Fault{place(key), "is not a list"};
    if (value.size() > most) throw Fault{place(key), fmt::format("has more than {} entries", most)};
    return value;
  }
  [[nodiscard]] std::vector<double> numbers(const char* key) const {
    std::vector<double> out;
    for (const json& value : list(key, kMostValues)) {
      out.push_back(value.is_null() ? std::numeric_limits<double>::quiet_NaN() : asNumber(value, place(key)));
    }
    return out;
  }
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    std::vector<std::string> out;
    for (const json& value : list(key, kMostValues)) out.push_back(asText(value, place(key)));
    return out;
  }
  template <class Enum, std::size_t N>
  [[nodiscard]] Enum choice(const char* key, const std::array<std::string_view, N>& words) const {
    const auto value = enumFrom<Enum>(words, asText(at(key), place(key)));
    if (!value) throw Fault{place(key), fmt::format("is none of {}", fmt::join(words, ", "))};
    return *value;
  }

  static std::string asText(const json& value, const std::string& place) {
    if (!value.is_string()) throw Fault{place, "is not text"};
    auto text = value.get<std::string>();
    if (text.size() > kMostTextBytes)
      throw Fault{place, fmt::format("is longer than {} bytes", kMostTextBytes)};
    return text;
  }
  static double asNumber(const json& value, const std::string& place) {
    if (!value.is_number()) throw Fault{place, "is not a number"};
    const double number = value.get<double>();
    if (!std::isfinite(number)) throw Fault{place, "is not a finite number"};
    return number;
  }

 private:
  const json& m_object;
  std::string m_place;
};

Axis readAxis(const Reader& in) {
  Axis axis;
  axis.label = in.text("label");
  axis.min = in.number("min");
  axis.max = in.number("max");
  if (axis.min >= axis.max) throw Fault{in.place("max"), "is not above min"};
  axis.reversed = in.flag("reversed");
  axis.suffix = in.text("suffix");
  for (const json& tick : in.list("ticks", kMostItems)) {
    if (!tick.is_array() || tick.size() != 2)
      throw Fault{in.place("ticks"), "holds something other than [place, text]"};
    axis.ticks.emplace_back(Reader::asNumber(tick[0], in.place("ticks")),
                            Reader::asText(tick[1], in.place("ticks")));
  }
  return axis;
}

ColourScale readScale(const Reader& in) {
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

HeatMap readMap(const Reader& in) {
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
    const auto mark = enumFrom<CellMark>(kMarks, Reader::asText(entry[2], place));
    const double row = entry[0].get<double>();
    const double column = entry[1].get<double>();
    if (!mark) throw Fault{place, fmt::format("names a mark that is none of {}", fmt::join(kMarks, ", "))};
    if (row < 0 || row >= map.rows || column < -1 || column >= map.columns)
      throw Fault{place, "lies outside the map"};
    map.marks.push_back({{static_cast<int>(row), static_cast<int>(column)}, *mark});
  }
  return map;
}

Bars readBars(const Reader& in) {
  Bars bars;
  bars.values = in.numbers("values");
  for (const json& on : in.list("highlighted", kMostValues)) {
    if (!on.is_boolean()) throw Fault{in.place("highlighted"), "holds something other than true and false"};
    bars.highlighted.push_back(on.get<bool>());
  }
  bars.names = in.texts("names");
  const std::size_t count = bars.values.size();
  if (!bars.highlighted.empty() && bars.highlighted.size() != count) {
    throw Fault{in.place("highlighted"), "does not hold one entry a bar"};
  }
  if (!bars.names.empty() && bars.names.size() != count)
    throw Fault{in.place("names"), "does not hold one name a bar"};
  return bars;
}

Line readLine(const Reader& in) {
  Line line;
  line.name = in.text("name");
  line.x = in.numbers("x");
  line.y = in.numbers("y");
  line.low = in.numbers("low");
  line.high = in.numbers("high");
  line.colour = in.whole("colour", 0, 6);
  const std::size_t count = line.x.size();
  if (line.y.size() != count) throw Fault{in.place("y"), "is not as long as x"};
  if (line.low.size() != line.high.size() || (!line.low.empty() && line.low.size() != count)) {
    throw Fault{in.place("low"), "and high are neither empty nor as long as x"};
  }
  return line;
}

FigureSpec readSpec(const Reader& in) {
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
  spec.x = readAxis(in.object("x"));
  spec.y = readAxis(in.object("y"));
  if (in.has("map")) spec.map = readMap(in.object("map"));
  if (in.has("bars")) spec.bars = readBars(in.object("bars"));
  for (const json& line : in.list("lines", kMostItems))
    spec.lines.push_back(readLine({line, in.place("lines")}));
  for (const json& entry : in.list("references", kMostItems)) {
    const Reader line(entry, in.place("references"));
    spec.references.push_back({line.flag("horizontal"), line.number("value"), line.text("label")});
  }
  for (const json& entry : in.list("provenance", kMostItems)) {
    const std::string place = in.place("provenance");
    if (!entry.is_array() || entry.size() != 2) throw Fault{place, "holds something other than [name, text]"};
    spec.provenance.emplace_back(Reader::asText(entry[0], place), Reader::asText(entry[1], place));
  }
  return spec;
}

}  // namespace

std::string_view name(Theme theme) { return kThemes[static_cast<std::size_t>(theme)]; }
std::optional<Theme> themeFrom(std::string_view word) { return enumFrom<Theme>(kThemes, word); }
std::string_view name(ColourMapId map) { return kMaps[static_cast<std::size_t>(map)]; }
std::optional<ColourMapId> colourMapFrom(std::string_view word) { return enumFrom<ColourMapId>(kMaps, word); }

ordered_json toJson(const FigureSpec& spec) {
  ordered_json out = {{"moescope_figure", kVersion},
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
                      {"x", write(spec.x)},
                      {"y", write(spec.y)}};
  if (spec.map) out["map"] = write(*spec.map);
  if (spec.bars) out["bars"] = write(*spec.bars);
  out["lines"] = ordered_json::array();
  for (const Line& line : spec.lines) out["lines"].push_back(write(line));
  out["references"] = ordered_json::array();
  for (const ReferenceLine& line : spec.references) {
    out["references"].push_back(
        {{"horizontal", line.horizontal}, {"value", line.value}, {"label", line.label}});
  }
  out["provenance"] = ordered_json::array();
  for (const auto& [key, value] : spec.provenance)
    out["provenance"].push_back(ordered_json::array({key, value}));
  return out;
}

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
  if (version.get<double>() > kVersion) {
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
