#include "core/analysis/routing_margin.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/analysis/routed_tokens.h"
#include "core/base/half.h"
#include "core/base/router_math.h"

namespace moescope::analysis {

std::vector<double> selectionScores(std::span<const float> logits, const RouterSpec& router) {
  std::vector<double> scores(logits.begin(), logits.end());
  if (router.score == ScoreKind::SigmoidAll) {
    for (double& score : scores) score = 1.0 / (1.0 + std::exp(-score));
  } else if (router.score == ScoreKind::SoftmaxAll && !scores.empty()) {
    const double largest = std::ranges::max(scores);
    double sum = 0.0;
    for (double& score : scores) sum += score = std::exp(score - largest);
    for (double& score : scores) score /= sum;
  }
  for (std::size_t e = 0; e < std::min(scores.size(), router.selectionBias.size()); ++e)
    scores[e] += router.selectionBias[e];
  std::vector<float> keys(scores.begin(), scores.end());
  maskGroups(keys, router.groups, {});
  for (std::size_t e = 0; e < keys.size(); ++e) {
    if (std::isinf(keys[e])) scores[e] = -std::numeric_limits<double>::infinity();
    if (router.groups.limits() && keys[e] == 0.0F) scores[e] = 0.0;
  }
  return scores;
}

double selectionMargin(std::span<const double> scores, int topK) {
  const auto k = static_cast<std::size_t>(topK);
  if (k == 0 || scores.size() <= k) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted(scores.begin(), scores.end());
  std::ranges::nth_element(sorted, sorted.begin() + topK, std::greater());
  return *std::min_element(sorted.begin(), sorted.begin() + topK) - sorted[k];
}

double evenMargin(std::span<const double> scores) {
  double least = std::numeric_limits<double>::infinity(), most = -least, count = 0.0;
  for (const double score : scores) {
    if (!std::isfinite(score)) continue;
    least = std::min(least, score);
    most = std::max(most, score);
    count += 1.0;
  }
  return count > 1.0 ? (most - least) / (count - 1.0) : std::numeric_limits<double>::quiet_NaN();
}

Result<RoutingMargins> routingMargins(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                      bool onLogits, std::stop_token stop) {
  const RouterSpec& spec = run.routers[static_cast<std::size_t>(router)];
  const auto experts = static_cast<std::size_t>(spec.experts);
  RoutingMargins out;
  double gaps = 0.0;
  std::vector<float> logits(experts);
  const auto visited = forEachRoutedBlock(
      store, run.record.id, router, {0, run.record.tokens}, {.tokens = false, .logits = true}, stop,
      [&](const RoutedBlock& block) {
        if (!block.logits) return;
        for (int row = block.begin; row < block.end; ++row) {
          const auto halves =
              std::span(block.logits->halves).subspan(static_cast<std::size_t>(row) * experts, experts);
          std::ranges::transform(halves, logits.begin(), halfToFloat);
          const std::vector<double> scores =
              onLogits ? std::vector<double>(logits.begin(), logits.end()) : selectionScores(logits, spec);
          const double margin = selectionMargin(scores, spec.topK);
          if (!std::isfinite(margin)) continue;
          gaps += evenMargin(scores);
          out.margins.push_back(margin);
          out.rows.push_back(block.first + row);
        }
      });
  if (!visited) return fail(visited.error());
  out.evenGap = out.margins.empty() ? std::numeric_limits<double>::quiet_NaN()
                                    : gaps / static_cast<double>(out.margins.size());
  return out;
}

}  // namespace moescope::analysis
