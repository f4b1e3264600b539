// FigureRequest: a figure asked for in words (`moescope figure --kind … --param k=v`), and the list of kinds.
// Not for panels, which call the builders.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

#include "core/figure/figure_spec.h"
#include "core/trace/trace_store.h"

namespace moescope::figure {

struct FigureKind {
  std::string_view id;
  std::string_view label;
  std::string_view parameters;  ///< for --help: "value=load-ratio|…, window=N"
};

std::span<const FigureKind> figureKinds();

using FigureParameters = std::map<std::string, std::string>;

/// Parameters of all kinds: `run` (name or number; the last run with routing by default), `tokens`
/// (first-last, both included), `window` (the last N of these tokens, or "all"), `title`, `sample-line` and
/// `draw-title` (yes or no). Of some: `layer`, `value`, `metric`, `over` (window of a course), `range` (ends
/// of the colour scale, a:b), `colours` (cividis, viridis, greys). Errors: `figure.no_such_kind`,
/// `figure.bad_param` with the parameter, those of the builders.
Result<FigureSpec> makeFigure(const trace::TraceStore& store, const std::string& kind,
                              const FigureParameters& parameters, std::stop_token stop = {});

/// Width and height in inches from "3.25x2.4in", "80x60mm" or "8.5x6cm"; inches if there is no unit.
/// Errors: `figure.bad_size`.
Result<std::pair<double, double>> figureSize(std::string_view text);

}  // namespace moescope::figure
