// The analysis `congestion-fit` from a trace to its result. Not for the formulas (congestion_fit.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::analysis {

const AnalysisInfo& congestionInfo();

/// Errors: `analysis.too_few_runs`, `analysis.no_texts`, `analysis.not_recorded`, `analysis.mixed_models`,
/// `analysis.bad_param`, `trace.no_such_run`, `cancelled`.
Result<AnalysisResult> analyzeCongestion(const AnalysisInput& input);

}  // namespace moescope::analysis
