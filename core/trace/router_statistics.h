// RowStatistics: entropy, log-sum-exp and probabilities of one row of router logits.
// Not for choosing experts: it looks at the native distribution only.
#pragma once

#include <span>

#include "core/base/router_spec.h"

namespace moescope::trace {

struct RowStatistics {
  double entropy = 0.0;    ///< nat, of the native scores (a sigmoid router's divided by their sum)
  double logSumExp = 0.0;  ///< of the raw logits
  bool finite = false;     ///< false if a logit is infinite or NaN: nothing else is valid
};

/// `logits` [experts], `probabilities` [experts] is filled with the native distribution: softmax over all
/// experts, or sigmoid divided by its sum. Relative error below 1e-6 (own exponential, so that it
/// vectorises the same on every machine; sums in double).
RowStatistics rowStatistics(std::span<const float> logits, ScoreKind score, std::span<float> probabilities);

}  // namespace moescope::trace
