// LoadPicture: what the expert load panel shows, computed from a trace off the GUI thread. Not for drawing;
// its bars and its course are the figures that are exported.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/figure/figure_builders.h"
#include "core/figure/steering_marks.h"

namespace moescope::views {

struct LoadWindow {
  enum class Kind : std::uint8_t { WholeRun, Selection, Last };
  Kind kind = Kind::WholeRun;
  std::int64_t tokens = 0;  ///< Last: how many
  bool operator==(const LoadWindow&) const = default;
};

/// Rows that a window covers when `end` rows have routing; an empty selection gives an empty range.
trace::TokenRange rowsOf(const LoadWindow& window, std::int64_t end, trace::TokenRange selection);

struct LoadPictureRequest {
  trace::RunId run = 0;
  RouterKey router;
  LoadWindow window;
  trace::TokenRange selection;
  analysis::LoadMeasure measure = analysis::LoadMeasure::Cv;
  std::int64_t courseTokens = 64;  ///< sliding window of the course
  /// Rules of a run that is being written: they mark experts before a token has met them.
  std::optional<steering::SteeringProgram> liveProgram;
};

/// One row of the metrics table.
struct LoadRow {
  analysis::LoadMeasure measure{};
  double layer = 0.0;    ///< NaN where undefined
  double mean = 0.0;     ///< over the layers where it is defined
  double uniform = 0.0;  ///< at even load
};

struct LoadPicture {
  figure::FigureSpec bars;            ///< sorted by load
  std::vector<std::int32_t> experts;  ///< of each bar
  Result<figure::FigureSpec> course;  ///< over the whole run; too few tokens are an error
  std::string runName;
  trace::TokenRange tokens;                        ///< what bars and table cover
  std::vector<RouterSpec> routers;                 ///< of the run
  RouterSpec router;                               ///< of the layer
  trace::LoadSummary load;                         ///< of the layer
  std::vector<LoadRow> rows;                       ///< all measures, in table order
  std::map<std::int32_t, figure::CellMark> marks;  ///< of steered experts of the layer
};

/// Errors: those of figure::expertLoadFigure.
Result<LoadPicture> loadPicture(const trace::TraceStore& store, const LoadPictureRequest& request,
                                std::stop_token stop = {});

}  // namespace moescope::views
