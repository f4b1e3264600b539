#include "core/analysis/auxiliary_losses.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace moescope::analysis {

BalanceLoss balanceLoss(std::span<const double> counts, double tokens, std::span<const double> probabilitySum,
                        double probabilityTokens) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double choices = std::accumulate(counts.begin(), counts.end(), 0.0);
  if (!(choices > 0.0) || !(tokens > 0.0) || !(probabilityTokens > 0.0) ||
      counts.size() != probabilitySum.size()) {
    return {nan, nan};
  }
  double product = 0.0;
  for (std::size_t i = 0; i < counts.size(); ++i) product += counts[i] * probabilitySum[i];
  product *= static_cast<double>(counts.size()) / probabilityTokens;
  return {product / choices, product / tokens};
}

double squaredLogSumExp(std::span<const float> logits) {
  if (logits.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double most = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0.0;
  for (const float z : logits) sum += std::exp(static_cast<double>(z) - most);
  const double logSum = most + std::log(sum);
  return logSum * logSum;
}

}  // namespace moescope::analysis
