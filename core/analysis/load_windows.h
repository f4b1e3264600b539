// The load of one run cut into windows of tokens, for runs with too few texts to resample and for runs that
// are still being recorded. Not for sums over logits, which are kept by finished text only (series_loads.h).
#pragma once

#include "core/analysis/series_loads.h"

namespace moescope::analysis {

/// One point whose routers have tokens and counts by window, and losses. At most 50 windows of at least 16
/// tokens. Errors: as readSeries(); `analysis.no_texts` if no token has been routed.
Result<SeriesLoads> readLoadWindows(const trace::TraceStore& store, trace::RunId run,
                                    const std::stop_token& stop);

}  // namespace moescope::analysis
