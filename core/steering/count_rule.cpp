#include "core/steering/count_rule.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "core/base/router_math.h"

namespace moescope::steering {

namespace {

/// COUNT's distribution q: softmax(z), or s / sum s for sigmoid routers.
std::vector<float> countDistribution(std::span<const float> logits, std::span<const float> scores,
                                     ScoreKind kind) {
  if (kind != ScoreKind::SigmoidAll) return softmax(logits);
  const float sum = std::accumulate(scores.begin(), scores.end(), 0.0F);
  std::vector<float> q(scores.begin(), scores.end());
  for (float& value : q) value /= sum;
  return q;
}

/// Tsallis entropy (1 - sum q^a) / (a - 1), nat; its limit at a = 1 is Shannon's.
double tsallis(const std::vector<float>& q, double order) {
  double sum = 0.0;
  for (const double p : q) {
    if (p <= 0.0) continue;
    sum += order == 1.0 ? -p * std::log(p) : std::pow(p, order);
  }
  return order == 1.0 ? sum : (1.0 - sum) / (order - 1.0);
}

}  // namespace

int countOf(const PlanStep& step, std::span<const float> logits, std::span<const float> scores,
            const RouterSpec& router) {
  const auto& operand = step.operand;
  const std::vector<float> q = countDistribution(logits, scores, router.score);
  const int nativeK = router.topK;
  std::vector<float> sorted = q;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  switch (step.operation) {
    case Operation::Fixed: return operand.count;
    case Operation::TopP: {
      double mass = 0.0;
      for (std::size_t j = 0; j < sorted.size(); ++j) {
        mass += sorted[j];
        if (mass >= operand.value) return static_cast<int>(j) + 1;
      }
      return static_cast<int>(sorted.size());
    }
    case Operation::Ratio:
      return static_cast<int>(std::count_if(sorted.begin(), sorted.end(),
                                            [&](float p) { return p >= operand.value * sorted.front(); }));
    case Operation::Threshold: {
      int count = 0;
      for (std::size_t i = 0; i < q.size(); ++i) count += q[i] >= operand.thresholds[i] ? 1 : 0;
      return count;
    }
    case Operation::Entropy:
      return tsallis(q, operand.entropyOrder) > operand.entropyThreshold ? operand.highCount
                                                                         : operand.lowCount;
    case Operation::Null: {
      // Real experts inside the top k of [z; nu x m]; a real expert stands before a null one of the same
      // logit.
      const auto above =
          std::count_if(logits.begin(), logits.end(), [&](float z) { return z >= operand.nullLogit; });
      const auto real = static_cast<int>(above);
      return std::max(std::min(real, nativeK), nativeK - operand.count);
    }
    default: return nativeK;
  }
}

}  // namespace moescope::steering
