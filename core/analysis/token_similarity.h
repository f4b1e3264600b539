// TokenSimilarity: how alike the experts are that different tokens of one text choose.
// Not for the same tokens in two runs (routing_agreement.h).
#pragma once

#include "core/analysis/text_choices.h"

namespace moescope::analysis {

/// Tokens of a text that are compared with each other: the time grows with their square.
inline constexpr int kComparedTokens = 256;

/// Inter-token consistency (Bandarkar et al., arXiv:2510.04694): mean of |S_a and S_b| / |S_a or S_b| over
/// all pairs of tokens in `pieces` (of one text), S the set of chosen experts; NaN for fewer than two tokens.
/// Even random choices give about r / (2 - r), r = K / M.
double tokenSimilarity(std::span<const TextChoices> pieces, int experts);

}  // namespace moescope::analysis
