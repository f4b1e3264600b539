// FigureSpec: a figure as a value: sizes, axes, layers of data, marks. One painter draws it to
// screen, SVG, PDF and PNG (views/figure). Not for interaction.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/result.h"

namespace moescope::figure {

enum class Theme : std::uint8_t { Print, Light, Dark };
enum class ColourMapId : std::uint8_t { Cividis, Viridis, Greys, Diverging };
enum class ScaleKind : std::uint8_t { Linear, Sqrt, Log2 };

struct Axis {
  std::string label;                     ///< with its unit: "Expert", "CV over the last 128 tokens"
  double min = 0.0, max = 1.0;
  std::vector<std::pair<double, std::string>> ticks;  ///< empty: chosen by niceTicks
  bool reversed = false;                 ///< row 0 at the top of a map
};

struct ColourScale {
  ColourMapId map = ColourMapId::Cividis;
  ScaleKind scale = ScaleKind::Linear;
  double min = 0.0, max = 1.0;           ///< Log2: ratios, e.g. 0.25 to 4, midpoint 1
  std::string label;
};

/// Marks of canvases.md/ui.md 2.4 that a figure repeats, on map cells.
enum class CellMark : std::uint8_t { Banned, Boosted, Dampened, Pinned, LayerRule };

/// rows x columns of values; NaN is missing and hatched.
struct HeatMap {
  int rows = 0, columns = 0;
  std::vector<double> values;            ///< [rows, columns], in the unit of the colour scale
  ColourScale colours;
  std::vector<std::pair<std::pair<int, int>, CellMark>> marks;  ///< ((row, column), mark)
};

struct Bars { std::vector<double> values; std::vector<bool> highlighted; };
struct Line { std::string name; std::vector<double> x, y, low, high; int colour = 0; };
struct ReferenceLine { bool horizontal = true; double value = 0.0; std::string label; };

struct FigureSpec {
  std::string kind;                      ///< "routing-map", "expert-load", ...
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

/// The figure as a document that `moescope figure` reads back to remake it.
nlohmann::ordered_json toJson(const FigureSpec& spec);
Result<FigureSpec> figureFromJson(std::string_view text, const std::string& file);
/// The numbers, one row a cell, bar or point, with a header line (RFC 4180).
std::string toCsv(const FigureSpec& spec);

}  // namespace moescope::figure
