#include "core/analysis/routing_agreement.h"

#include <algorithm>
#include <limits>

#include "core/trace/routing_types.h"

namespace moescope::analysis {

namespace {

double chanceCorrected(double value, double chance) {
  return chance < 1.0 ? (value - chance) / (1.0 - chance) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void AgreementSums::add(const AgreementSums& other, double times) {
  tokens += times * other.tokens;
  overlap += times * other.overlap;
  jaccard += times * other.jaccard;
  sameSet += times * other.sameSet;
  sameTop += times * other.sameTop;
}

void addToken(std::span<const std::uint16_t> a, std::span<const std::uint16_t> b, int topK,
              AgreementSums& sums) {
  int common = 0, sizeA = 0, sizeB = 0;
  for (const std::uint16_t id : b) sizeB += id != trace::kEmptySlot ? 1 : 0;
  for (const std::uint16_t id : a) {
    if (id == trace::kEmptySlot) continue;
    ++sizeA;
    common += std::ranges::find(b, id) != b.end() ? 1 : 0;
  }
  const int both = sizeA + sizeB - common;
  sums.tokens += 1.0;
  sums.overlap += static_cast<double>(common) / topK;
  sums.jaccard += both > 0 ? static_cast<double>(common) / both : 1.0;
  sums.sameSet += common == sizeA && common == sizeB ? 1.0 : 0.0;
  const std::uint16_t topA = a.empty() ? trace::kEmptySlot : a.front();
  const std::uint16_t topB = b.empty() ? trace::kEmptySlot : b.front();
  sums.sameTop += topA == topB ? 1.0 : 0.0;
}

RoutingAgreement agreementOf(const AgreementSums& sums, int topK, int experts) {
  RoutingAgreement out;
  const double tokens = sums.tokens > 0.0 ? sums.tokens : std::numeric_limits<double>::quiet_NaN();
  out.overlap = sums.overlap / tokens;
  out.churn = 1.0 - out.overlap;
  out.jaccard = sums.jaccard / tokens;
  out.exactSet = sums.sameSet / tokens;
  out.topSame = sums.sameTop / tokens;
  out.topFlip = 1.0 - out.topSame;
  out.kappa = chanceCorrected(out.overlap, static_cast<double>(topK) / experts);
  out.topKappa = chanceCorrected(out.topSame, 1.0 / experts);
  return out;
}

}  // namespace moescope::analysis
