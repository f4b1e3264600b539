// FigureSpec: a figure as a value: sizes, axes, layers of data, marks. One painter draws it to
// screen, SVG, PDF and PNG (views/figure). Not for interaction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace moescope::figure {

enum class Theme : std::uint8_t { Print, Light, Dark };
enum class ColourMapId : std::uint8_t { Cividis, Viridis, Greys, Diverging };
enum class ScaleKind : std::uint8_t { Linear, Sqrt, Log2 };

/// "print", "light", "dark": the word in files and on the command line.
std::string_view name(Theme theme);
std::optional<Theme> themeFrom(std::string_view word);
std::string_view name(ColourMapId map);
std::optional<ColourMapId> colourMapFrom(std::string_view word);

struct Axis {
  std::string label;  ///< with its unit: "Expert", "CV over the last 128 tokens"
  double min = 0.0, max = 1.0;
  std::vector<std::pair<double, std::string>> ticks;  ///< empty: chosen by niceTicks
  bool reversed = false;                              ///< row 0 at the top of a map
  std::string suffix;                                 ///< after the number of each chosen tick: "×"
  bool operator==(const Axis&) const = default;
};

struct ColourScale {
  ColourMapId map = ColourMapId::Cividis;
  ScaleKind scale = ScaleKind::Linear;
  double min = 0.0, max = 1.0;  ///< Log2: ratios, e.g. 0.25 to 4, midpoint 1
  std::string label;
  bool operator==(const ColourScale&) const = default;
};

/// Marks of canvases.md/ui.md 2.4 that a figure repeats, on map cells.
enum class CellMark : std::uint8_t { Banned, Boosted, Dampened, Pinned, LayerRule };

/// rows x columns of values; NaN is missing and hatched, unless the map is sparse. Cell (r, c) covers [c -
/// 0.5, c + 0.5] of the x axis and [r - 0.5, r + 0.5] of the y axis, so the axes of a whole map run from -0.5
/// to count - 0.5.
struct HeatMap {
  int rows = 0, columns = 0;
  std::vector<double> values;  ///< [rows, columns], in the unit of the colour scale
  ColourScale colours;
  std::vector<std::pair<std::pair<int, int>, CellMark>>
      marks;                     ///< ((row, column), mark); LayerRule: column -1
  bool sparse = false;           ///< NaN is "not chosen", a measured fact: plain, not hatched
  std::vector<int> missingRows;  ///< rows without data in a sparse map: hatched
  std::vector<std::string> rowNames, columnNames;  ///< for the CSV ("10", "·light"); empty: the index
};

/// Bar i stands at x = i and is one unit wide; the x axis has ticks only if they are given.
struct Bars {
  std::vector<double> values;
  std::vector<bool> highlighted;   ///< empty or one a bar: steered experts
  std::vector<std::string> names;  ///< empty or one a bar: "41", for the CSV and highlighted bars
};
struct Line {
  std::string name;
  std::vector<double> x, y, low, high;
  int colour = 0;
};
struct ReferenceLine {
  bool horizontal = true;
  double value = 0.0;
  std::string label;
};

struct FigureSpec {
  std::string kind;  ///< "routing-map", "expert-load", ...
  std::string title, sampleLine, baseline;
  bool drawTitle = false, drawSampleLine = false;
  double widthInches = 3.25, heightInches = 2.4;
  double fontPoints = 8.0;
  Theme theme = Theme::Print;
  Axis x, y;
  std::optional<HeatMap> map;
  std::optional<Bars> bars;
  std::vector<Line> lines;
  std::vector<ReferenceLine> references;
  std::vector<std::pair<std::string, std::string>> provenance;  ///< program, trace file, content id, filter
};

/// The sizes that a figure may have; checked when a figure is read.
inline constexpr double kMinInches = 0.5, kMaxInches = 60.0;
inline constexpr double kMinFontPoints = 3.0, kMaxFontPoints = 72.0;
/// Text inside the axes is this much smaller than the rest.
inline constexpr double kInsideTextStep = 1.0;
/// Under this size text is hard to read in print.
inline constexpr double kReadablePoints = 6.0;

/// The figure as a document that `moescope figure` reads back to remake it.
nlohmann::ordered_json toJson(const FigureSpec& spec);
/// Errors: `figure.not_json`, `figure.not_a_figure`, `figure.newer`, `figure.bad_format` with the key.
Result<FigureSpec> figureFromJson(std::string_view text, const std::string& file);
/// The numbers, one row a cell, bar or point, with a header line (RFC 4180).
std::string toCsv(const FigureSpec& spec);

}  // namespace moescope::figure
