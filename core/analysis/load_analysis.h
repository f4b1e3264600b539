// The analysis `load-balance` from a trace to its result. Not for the formulas (load_metrics.h).
#pragma once

#include "core/analysis/analysis.h"

namespace moescope::analysis {

const AnalysisInfo& loadBalanceInfo();

/// One run is enough. Errors: `analysis.too_few_runs` (none), `analysis.no_texts`, `analysis.not_recorded`,
/// `analysis.mixed_models`, `analysis.bad_param`, `trace.no_such_run`, `cancelled`.
Result<AnalysisResult> analyzeLoadBalance(const AnalysisInput& input);

}  // namespace moescope::analysis
