// AnalysedRun: what every analysis of a recorded run needs to know first, or why it cannot begin.
// Not for reading blocks (routed_tokens.h).
#pragma once

#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::analysis {

struct AnalysedRun {
  trace::RunRecord record;
  std::vector<RouterSpec> routers;
  std::vector<trace::SequenceRecord> sequences;
};

/// Errors: `analysis.no_texts` (no such run, or not one token with routing), `analysis.not_recorded` (the
/// capture level is below `needs`; says how to record it).
Result<AnalysedRun> analysedRun(const trace::TraceStore& store, trace::RunId run, trace::CaptureLevel needs);

/// The first run of the input's list. Errors: `analysis.no_texts` (the list is empty), as above.
Result<AnalysedRun> analysedRun(const trace::TraceStore& store, const std::vector<trace::RunId>& runs,
                                trace::CaptureLevel needs);

}  // namespace moescope::analysis
