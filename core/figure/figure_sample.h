// FigureSample: what the builders share: run, routers, sample line, provenance and the program in force.
// Not for figures themselves (figure_builders.h).
#pragma once

#include <string>
#include <vector>

#include "core/figure/figure_builders.h"
#include "core/figure/steering_marks.h"

namespace moescope::figure {

struct FigureSample {
  trace::RunRecord run;
  std::vector<RouterSpec> routers;
  trace::TokenRange tokens;  ///< cut to the rows that have routing
};

/// Index of the router in the sample's run. Errors: `figure.no_such_layer`.
Result<int> routerOf(const FigureSource& source, const FigureSample& sample, const RouterKey& router);

/// Errors: `figure.no_such_run`, `figure.no_routing`.
Result<FigureSample> sampleOf(const FigureSource& source);

/// What was counted, for the sample line.
struct Counted {
  std::int64_t choices = 0, expected = 0, missing = 0, layers = 0;
};

/// "Run Sunset · tokens 46–173, decode · 128 tokens × 16 layers × top-8, less 456 dropped: 15 928 choices".
std::string sampleLine(const FigureSource& source, const FigureSample& sample, const Counted& counted);
/// Kind, title, sample line, provenance and the names of the program and the trace.
FigureSpec startFigure(const FigureSource& source, const FigureSample& sample, std::string kind,
                       std::string title, const Counted& counted, const std::string& filter);

/// Program that acted on the last token of the range; empty if none.
steering::SteeringProgram programInForce(const FigureSource& source, std::int64_t token);

/// "uniform load, 1.56 % an expert".
std::string uniformBaseline(int experts);

}  // namespace moescope::figure
