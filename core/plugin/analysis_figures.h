// Analysis figures: figures of analyses asked for in words (`moescope figure --kind phase-plane`).
// Not for figures of recorded rows (core/figure/figure_request.h) or for panels, which call the builders.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/figure/figure_request.h"
#include "core/plugin/analysis_runner.h"

namespace moescope::plugin {

std::span<const figure::FigureKind> analysisFigureKinds();
bool isAnalysisFigure(std::string_view kind);

/// Parameters are those of figureKinds() that the kind names, `title` and `draw-title` (yes or no), and for
/// kinds of one analysis also that analysis's own. Errors: `figure.no_such_kind`, `figure.bad_param`, those
/// of the analyses and of the builders.
Result<figure::FigureSpec> makeAnalysisFigure(const PluginHost& host, trace::TraceStore& store,
                                              const std::string& kind, figure::FigureParameters parameters,
                                              const AnalysisCallbacks& callbacks = {});

}  // namespace moescope::plugin
