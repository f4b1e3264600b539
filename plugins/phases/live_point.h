// Live point: where a run stands in the plane of two metrics of a series, from its loads and its loss.
// Not for the checkpoints of the series.
#pragma once

#include <optional>
#include <string>

#include "core/trace/trace_store.h"

namespace moescope::phases {

/// A load measure ("cv"), over all routed tokens of the run, or the loss ("loss": mean negative
/// log-probability, nat); `column` 0 is the mean of the layers, 1 + i layer i. Nothing for metrics that need
/// a series, and while there is no token.
std::optional<double> liveValue(const trace::TraceStore& store, const trace::RunRecord& run,
                                const std::string& metric, int column);

}  // namespace moescope::phases
