// Recomputes the native choice from stored logits and compares it with the stored ids.
// Not for steered choices, which no logits explain.
#pragma once

#include "core/base/router_spec.h"
#include "core/trace/routing_types.h"

namespace moescope::trace {

struct TopkVerdict {
  int compared = 0;   ///< rows whose logits are finite and that have a native choice
  int different = 0;  ///< rows that chose an expert although another one scores clearly higher
  int firstRow = -1;  ///< of the different ones, in the block
};

/// Sets are compared, not orders. A score counts as clearly higher only beyond the rounding of the stored
/// binary16 logits. Both blocks are intact.
TopkVerdict recomputeTopk(const RouteBlock& route, const LogitBlock& logits, const RouterSpec& router);

}  // namespace moescope::trace
