// LoadCourse: one load metric over a sliding window of tokens, from the snapshots of a trace.
// Not for whole runs at once (load_metrics.h) or for checkpoint series.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/analysis/load_measure.h"
#include "core/trace/trace_store.h"

namespace moescope::analysis {

struct LoadCourse {
  std::int64_t windowTokens = 0;
  std::vector<std::int64_t> endTokens;  ///< exclusive end of each window, ascending
  std::vector<double> values;           ///< one a window
};

/// The metric over [end - windowTokens, end) for ends in `tokens`. Only full windows are measured, so a
/// range shorter than the window gives none. At most `maxPoints` + 1 ends: the multiples of a power of two
/// (so that points stay where they are while tokens arrive) and the last token. Work is proportional to
/// maxPoints x windowTokens, whatever the length of the run. Returns what it has when `stop` is requested.
LoadCourse loadCourse(const trace::TraceStore& store, trace::RunId run, int router, trace::TokenRange tokens,
                      std::int64_t windowTokens, LoadMeasure measure, int maxPoints,
                      std::stop_token stop = {});

}  // namespace moescope::analysis
