// Routing margin: how close the choice of a token's experts was (analyses.md 8.2). Small margins mean that a
// small change of the router, or of what it reads, changes the choice.
// Not for what a change does (replays do that).
#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "core/analysis/analysed_run.h"

namespace moescope::analysis {

/// What the router selects by: softmax over all, sigmoid (with the selection bias added), or the logits where
/// the softmax comes after the selection. [experts]
std::vector<double> selectionScores(std::span<const float> logits, const RouterSpec& router);

/// score_(K) - score_(K+1) of scores in descending order; NaN if there are not more than `topK` scores.
double selectionMargin(std::span<const double> scores, int topK);
/// (score_(1) - score_(M)) / (M - 1): the margin if the same range were evenly filled. Experts that a group
/// limit takes out (-infinity) do not count; NaN for fewer than two others.
double evenMargin(std::span<const double> scores);

struct RoutingMargins {
  std::vector<double> margins;     ///< [tokens]
  std::vector<std::int64_t> rows;  ///< [tokens] row in the run
  double evenGap = 0.0;            ///< mean of evenMargin()
};

/// Of the native choice, from recorded logits; `onLogits`: of raw logits instead of scores. Rows whose logits
/// are missing are left out. Needs capture full. Errors: `cancelled`.
Result<RoutingMargins> routingMargins(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                      bool onLogits, std::stop_token stop);

}  // namespace moescope::analysis
