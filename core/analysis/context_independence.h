// Context independence: how far routing depends on the token alone, or on the position alone (OpenMoE,
// arXiv:2402.01739 section 4). Not for which expert serves which token (vocabulary_specialization.h).
#pragma once

#include <vector>

#include "core/analysis/key_counts.h"

namespace moescope::analysis {

/// r_x(i) = N_{x,i} / sum_j N_{x,j}; population standard deviation over experts. 0: uniform; sqrt(M - 1) / M:
/// always the same expert. NaN for a key without a choice. [keys]
std::vector<double> routingSpreads(const KeyCounts& counts);
/// sqrt(1/k - 1/M) / sqrt(M): the largest spread when each token chooses `choices` of the experts.
double largestSpread(int choices, int experts);

struct ContextIndependence {
  double meanSpread = 0.0;  ///< unweighted over keys with more than `minOccurrences`; NaN if none
  std::int64_t keys = 0;    ///< how many those are
  /// U = 1 - H(e|x) / H(e), over all keys: 1 = told by the key alone. Ours, not the paper's; rare keys push
  /// it up, so compare it with shuffled keys. NaN where H(e) = 0.
  double uncertaintyExplained = 0.0;
};
ContextIndependence contextIndependence(const KeyCounts& counts, std::int64_t minOccurrences);

/// Early routing learning: mean of JSD(r_x in a, r_x in b) in nat over the keys of both, weighted by their
/// occurrences in `b` (the last checkpoint). NaN if no key is in both.
double routingDivergence(const KeyCounts& a, const KeyCounts& b);

}  // namespace moescope::analysis
