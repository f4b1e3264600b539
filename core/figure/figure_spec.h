// FigureSpec: a figure as a value: sizes, panels with axes, layers of data, marks. One painter draws it to
// screen, SVG, PDF and PNG (views/figure). Not for interaction.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
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

enum class AxisKind : std::uint8_t {
  Linear,
  Log10,     ///< min and max above 0
  LogZero,   ///< Log10, with the value 0 apart at the low end behind an axis break (analyses.md 10)
  Category,  ///< category i at i, named by a tick; min -0.5, max count - 0.5. Names are turned or shortened
};

struct Axis {
  std::string label;  ///< with its unit: "Expert", "CV over the last 128 tokens"
  double min = 0.0, max = 1.0;
  std::vector<std::pair<double, std::string>> ticks;  ///< empty: chosen by axisTicks
  bool reversed = false;                              ///< row 0 at the top of a map
  std::string suffix;                                 ///< after the number of each chosen tick: "×"
  AxisKind kind = AxisKind::Linear;
  bool operator==(const Axis&) const = default;
};

struct ColourScale {
  ColourMapId map = ColourMapId::Cividis;
  ScaleKind scale = ScaleKind::Linear;
  double min = 0.0, max = 1.0;  ///< Log2: ratios, e.g. 0.25 to 4, midpoint 1
  std::string label;
  bool operator==(const ColourScale&) const = default;
};

/// Marks of steered cells, the same in every picture.
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
  std::vector<int> missingRows;  ///< rows without data, or with too little to show: hatched
  std::vector<std::string> rowNames, columnNames;  ///< for the CSV ("10", "·light"); empty: the index
  /// Empty or one a cell: its interval includes the baseline. Such cells are flat grey, which hides the
  /// colour; with `dotDistinct` they keep it and the others have a dot.
  std::vector<bool> indistinct{};
  bool dotDistinct = false;
  std::string missingText = "no data";  ///< what hatched means: "fewer than 1000 tokens"
};

/// `colour` of lines, bars, groups and bands: an Okabe–Ito colour from 0 on, or one of these.
inline constexpr int kPlainColour = -1;  ///< the theme's grey; a line is thin and without markers of its own
inline constexpr int kLastColour = 6;

/// Bar i stands at i of the x axis (of the y axis if horizontal) and is one unit wide; that axis has ticks
/// only if they are given.
struct Bars {
  std::vector<double> values;
  std::vector<bool> highlighted;      ///< empty or one a bar: steered experts
  std::vector<std::string> names;     ///< empty or one a bar: "41", for the CSV and highlighted bars
  std::vector<double> low{}, high{};  ///< empty or one a bar: ends of the interval, drawn as whiskers
  bool horizontal = false;
  int colour = kPlainColour;
  std::vector<bool> faint{};  ///< empty or one a bar: not distinguishable from the baseline
};

enum class Marker : std::uint8_t {
  Automatic,  ///< of the line's colour, while it has at most 30 points; then none
  None,
  Circle,
  Square,
  Triangle,
  Diamond,
  Down,  ///< triangle on its tip
  Cross,
  Ring,
  Tick,  ///< upright stroke: a level beside an estimate
};
enum class Dash : std::uint8_t {
  Automatic,  ///< solid where markers tell the lines apart, else of the line's colour
  Solid,
  Dashed,
  Dotted,
  DashDotted,
};

/// A kind of points with a look and a name in the legend: "surge".
struct PointGroup {
  std::string name;
  int colour = 0;
  Marker marker = Marker::Circle;
};

/// Points in order, joined or not. Lists that say "or one a point" are empty or as long as x.
struct Line {
  std::string name;                     ///< in the legend, which a figure has if it has two names
  std::vector<double> x, y, low, high;  ///< low and high: interval of y, or one a point
  int colour = 0;
  Marker marker = Marker::Automatic;
  Dash dash = Dash::Automatic;
  bool joined = true;
  bool arrows = false;                  ///< heads along the line: the direction of training
  bool whiskers = false;                ///< low and high as error bars, not as a band
  std::vector<double> xLow{}, xHigh{};  ///< interval of x, always error bars, or one a point
  std::vector<std::string> labels{};    ///< beside the points, or one a point; where there is room
  std::vector<int> groups{};            ///< index into FigureSpec::groups, -1 none, or one a point
  int ringed = -1;                      ///< the point with a ring around it; -1: none
  bool named = false;                   ///< the name stands at the end of the line, not in the legend
};

struct ReferenceLine {
  bool horizontal = true;
  double value = 0.0;
  std::string label;
  bool level = false;  ///< a level to compare with (chance), as horizontal lines are; else steering
};

/// A shaded range of the x axis (of the y axis if horizontal): a phase of training, a selected row.
struct Band {
  double low = 0.0, high = 0.0;
  std::string name;  ///< written into the band; in a figure of several panels into the legend
  std::string note;  ///< under the name where there is room: "5 k–35 k"
  int colour = 0;
  bool horizontal = false;
};

/// A column right of the axes with one entry a row of the y axis (cells of a map, horizontal bars,
/// categories), row 0 first: numbers as text, or shares as bars. Left out where there is no room.
struct SideColumn {
  std::string heading;
  std::vector<std::string> texts;
  std::vector<double> shares{};  ///< 0 to 1
};

/// What one pair of axes shows.
struct FigurePanel {
  std::string heading;      ///< above the axes: "Layer 3"
  std::string headingNote;  ///< at the right end of that line: "peak 32 at 35 k"
  Axis x, y;
  std::optional<HeatMap> map;
  std::optional<Bars> bars;
  std::vector<Line> lines;
  std::vector<ReferenceLine> references;
  std::vector<Band> bands;
  std::vector<SideColumn> sideColumns;
};

/// A figure is one panel itself, unless `panels` holds several.
struct FigureSpec : FigurePanel {
  std::string kind;  ///< "routing-map", "expert-load", ...
  std::string title, sampleLine, baseline;
  bool drawTitle = false, drawSampleLine = false;
  double widthInches = 3.25, heightInches = 2.4;
  double fontPoints = 8.0;
  Theme theme = Theme::Print;
  std::vector<PointGroup> groups;
  std::vector<std::pair<std::string, std::string>> provenance;  ///< program, trace file, content id, filter

  std::vector<FigurePanel> panels;  ///< small multiples, row by row; empty: the figure is one panel
  int columns = 0;                  ///< of the grid of panels; 0: chosen by the shape of the page
  bool sharedX = false;             ///< every panel has the figure's own x; numbers stand at the bottom only
  bool sharedY = false;             ///< the same for y, at the left
  bool letters = false;             ///< a, b, c before the headings
};

/// The panels of a figure: `panels`, or the figure itself.
std::span<const FigurePanel> panelsOf(const FigureSpec& spec);
/// The axes of one of them: its own, or the figure's where they are shared.
const Axis& xAxisOf(const FigureSpec& spec, const FigurePanel& panel);
const Axis& yAxisOf(const FigureSpec& spec, const FigurePanel& panel);
/// "a", "b", … "z", "aa": the letter of panel `index`.
std::string panelLetter(std::size_t index);

/// The sizes that a figure may have; checked when a figure is read.
inline constexpr double kMinInches = 0.5, kMaxInches = 60.0;
inline constexpr double kMinFontPoints = 3.0, kMaxFontPoints = 72.0;
/// Text inside the axes is this much smaller than the rest.
inline constexpr double kInsideTextStep = 1.0;
/// Under this size text is hard to read in print.
inline constexpr double kReadablePoints = 6.0;

/// How many panels a figure in a file may have.
inline constexpr std::size_t kMostPanels = 256;

/// The figure as a document that `moescope figure` reads back to remake it.
nlohmann::ordered_json toJson(const FigureSpec& spec);
/// Errors: `figure.not_json`, `figure.not_a_figure`, `figure.newer`, `figure.bad_format` with the key.
Result<FigureSpec> figureFromJson(std::string_view text, const std::string& file);
/// The numbers, one row a cell, bar or point, with a header line (RFC 4180). Figures of several panels have a
/// first column `panel`; where panels differ in kind, each kind begins with a header line of its own.
std::string toCsv(const FigureSpec& spec);

}  // namespace moescope::figure
