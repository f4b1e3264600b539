// Logit rows: the recorded raw logits of a router, token by token. Not for sums, which the trace keeps ready.
#pragma once

#include <functional>
#include <span>

#include "core/analysis/analysed_run.h"
#include "core/analysis/analysis.h"

namespace moescope::router_scores {

/// One token: its raw logits [experts] and its choices in selection order (kEmptySlot = none).
using VisitLogits = std::function<void(std::span<const float> logits, std::span<const std::uint16_t> ids)>;

/// Routed tokens of a text that have logits, in order. Returns how many. Errors: `cancelled`.
Result<std::int64_t> forEachLogitRow(const analysis::AnalysisInput& input, trace::RunId run, int router,
                                     const trace::SequenceRecord& text, const VisitLogits& visit);

}  // namespace moescope::router_scores
