#include "core/trace/router_statistics.h"

#include <algorithm>
#include <cmath>

#include "core/trace/row_kernels.h"

namespace moescope::trace {

namespace {

RowStatistics softmaxStatistics(std::span<const float> logits, std::span<float> probabilities) {
  const RowKernels& kernels = rowKernels();
  const auto [sum, moment, top] = kernels.exponentials(logits.data(), probabilities.data(), logits.size());
  if (!std::isfinite(sum) || !std::isfinite(moment)) return {};
  const double logSum = std::log(sum);
  kernels.scale(probabilities.data(), static_cast<float>(1.0 / sum), probabilities.size());
  return {logSum - moment / sum, static_cast<double>(top) + logSum, true};
}

RowStatistics sigmoidStatistics(std::span<const float> logits, std::span<float> probabilities) {
  const RowStatistics softmax = softmaxStatistics(logits, probabilities);
  if (!softmax.finite) return {};
  double sum = 0.0;
  double moment = 0.0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double z = logits[i];
    // log sigmoid(z) without overflow on either side.
    const double logScore = std::min(z, 0.0) - std::log1p(std::exp(-std::abs(z)));
    const double score = std::exp(logScore);
    probabilities[i] = static_cast<float>(score);
    sum += score;
    moment += score * logScore;
  }
  if (!(sum > 0.0)) return {};
  for (float& p : probabilities) p = static_cast<float>(static_cast<double>(p) / sum);
  return {std::log(sum) - moment / sum, softmax.logSumExp, true};
}

}  // namespace

RowStatistics rowStatistics(std::span<const float> logits, ScoreKind score, std::span<float> probabilities) {
  if (logits.empty()) return {};
  return score == ScoreKind::SigmoidAll ? sigmoidStatistics(logits, probabilities)
                                        : softmaxStatistics(logits, probabilities);
}

}  // namespace moescope::trace
