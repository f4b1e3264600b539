// Load over a range of tokens, from the coarsest summaries that fit and from blocks at the edges.
// Not for metrics of a load (core/analysis).
#pragma once

#include <stop_token>

#include "core/trace/block_reader.h"
#include "core/trace/routing_types.h"

namespace moescope::trace {

struct LoadRequest {
  RunId run = 0;
  int router = 0;
  TokenRange tokens;  ///< clipped to the run's rows by the caller
  const RouterSpec* spec = nullptr;
  CaptureLevel capture = CaptureLevel::Weights;
};

LoadSummary computeLoad(BlockSource& source, const LoadRequest& request, std::stop_token stop);

}  // namespace moescope::trace
