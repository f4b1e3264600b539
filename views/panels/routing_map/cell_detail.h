// CellDetail: what the tool tip of one expert tells beyond its load: ranks, native choices, logits and the
// tokens that it served. Counted off the GUI thread; not for whole maps.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::views {

struct CellDetail {
  trace::TokenRange tokens;
  std::int64_t routed = 0;   ///< tokens with a decision
  std::int64_t choices = 0;  ///< of all experts of the layer
  std::int64_t chosen = 0;   ///< tokens that chose the expert
  std::int64_t rankOne = 0;  ///< tokens that chose it first
  std::int64_t native = 0;   ///< tokens whose unsteered router would have chosen it
  bool steered = false;      ///< a rule was on the layer somewhere in the range
  double weightSum = 0.0;
  std::int64_t weightTokens = 0;                                ///< chosen tokens whose weight is known
  double logitSum = 0.0;                                        ///< raw logits, before steering
  std::int64_t logitTokens = 0;                                 ///< capture full only
  std::vector<std::pair<std::string, std::int64_t>> topTokens;  ///< bytes and count, most frequent first
};

/// Returns what it has when `stop` is requested.
CellDetail cellDetail(const trace::TraceStore& store, trace::RunId run, int router, int expert,
                      trace::TokenRange tokens, std::stop_token stop = {});

}  // namespace moescope::views
