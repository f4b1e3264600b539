// RoutingAgreement: how alike two routers choose for the same tokens (analyses.md 2.1 and 8.1).
// Not for reading runs (routing_stability.h).
#pragma once

#include <cstdint>
#include <span>

namespace moescope::analysis {

/// Sums over tokens; can be added, and weighted by draws.
struct AgreementSums {
  double tokens = 0.0;
  double overlap = 0.0;  ///< of |A and B| / K
  double jaccard = 0.0;  ///< of |A and B| / |A or B|
  double sameSet = 0.0;
  double sameTop = 0.0;  ///< the first choice is the same

  void add(const AgreementSums& other, double times);
};

/// Adds one token: chosen experts of both in selection order, kEmptySlot = none.
void addToken(std::span<const std::uint16_t> a, std::span<const std::uint16_t> b, int topK,
              AgreementSums& sums);

/// Means over tokens; NaN without a token.
struct RoutingAgreement {
  double overlap = 0.0;   ///< mean |A and B| / K; against the last checkpoint: router saturation
                          ///< (arXiv:2409.02060 eq. 5)
  double churn = 0.0;     ///< 1 - overlap
  double jaccard = 0.0;   ///< mean over tokens, not of the mean overlap
  double exactSet = 0.0;  ///< share of tokens with the same set
  double topSame = 0.0;   ///< share with the same first choice: saturation for k = 1
  double topFlip = 0.0;   ///< 1 - topSame
  double kappa = 0.0;     ///< (overlap - K/M) / (1 - K/M): 0 at chance, 1 the same
  double topKappa = 0.0;  ///< (topSame - 1/M) / (1 - 1/M)
};
RoutingAgreement agreementOf(const AgreementSums& sums, int topK, int experts);

}  // namespace moescope::analysis
