#include "core/trace/topk_check.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/base/half.h"
#include "core/trace/router_statistics.h"

namespace moescope::trace {

namespace {

/// Half a unit in the last place of a binary16 value, its subnormals included.
float roundingOf(float z) { return std::ldexp(std::abs(z), -11) + std::ldexp(1.0F, -25); }

/// What the router ranks, and how far the rounding of the logits may have moved it.
struct Ranked {
  std::vector<float> scores, errors;
};

void rank(std::span<const float> logits, const RouterSpec& router, Ranked& ranked) {
  const std::size_t experts = logits.size();
  ranked.scores.assign(logits.begin(), logits.end());
  ranked.errors.resize(experts);
  for (std::size_t e = 0; e < experts; ++e) ranked.errors[e] = roundingOf(logits[e]);
  if (router.selectionBias.empty()) return;  // softmax and sigmoid keep the order of the logits
  if (router.score == ScoreKind::SigmoidAll) {
    for (std::size_t e = 0; e < experts; ++e) ranked.scores[e] = 1.0F / (1.0F + std::exp(-logits[e]));
  } else if (router.score == ScoreKind::SoftmaxAll) {
    (void)rowStatistics(logits, router.score, ranked.scores);
  }
  // Neither function is steeper than 1 in any logit; float32 arithmetic adds its own last place.
  const float most = *std::ranges::max_element(ranked.errors);
  for (std::size_t e = 0; e < experts; ++e) {
    ranked.scores[e] += router.selectionBias[e];
    ranked.errors[e] = most + 1e-6F;
  }
}

/// True if some expert outside the choice scores clearly higher than one inside. Where groups limit the
/// choice, only groups that were chosen from are looked at: rounding may have moved a group's score.
bool isBeaten(std::span<const std::uint16_t> ids, const Ranked& ranked, const RouterGroups& groups) {
  const std::size_t size =
      ranked.scores.size() / static_cast<std::size_t>(groups.limits() ? groups.count : 1);
  const auto isOpen = [&](std::size_t expert) {
    return std::ranges::any_of(ids, [&](std::uint16_t id) { return id / size == expert / size; });
  };
  float lowestInside = std::numeric_limits<float>::infinity();
  for (const std::uint16_t id : ids) {
    if (id != kEmptySlot) lowestInside = std::min(lowestInside, ranked.scores[id] + ranked.errors[id]);
  }
  for (std::size_t e = 0; e < ranked.scores.size(); ++e) {
    const bool inside = std::ranges::find(ids, static_cast<std::uint16_t>(e)) != ids.end();
    if (!inside && isOpen(e) && ranked.scores[e] - ranked.errors[e] > lowestInside) return true;
  }
  return false;
}

}  // namespace

TopkVerdict recomputeTopk(const RouteBlock& route, const LogitBlock& logits, const RouterSpec& router) {
  const bool hasNative = !route.droppedNativeMass.empty();
  const auto width = static_cast<std::size_t>(hasNative ? router.topK : route.width);
  const std::span<const std::uint16_t> ids = hasNative ? route.nativeIds : route.ids;
  const auto experts = static_cast<std::size_t>(router.experts);
  TopkVerdict verdict;
  Ranked ranked;
  std::vector<float> row(experts);
  for (int r = 0; r < std::min(route.count, logits.count); ++r) {
    const auto index = static_cast<std::size_t>(r);
    const auto chosen = ids.subspan(index * width, width);
    const auto filled = std::ranges::count_if(chosen, [](std::uint16_t id) { return id != kEmptySlot; });
    if (filled == 0) continue;
    for (std::size_t e = 0; e < experts; ++e) row[e] = halfToFloat(logits.halves[index * experts + e]);
    if (!std::ranges::all_of(row, [](float z) { return std::isfinite(z); })) continue;
    rank(row, router, ranked);
    ++verdict.compared;
    if (filled == router.topK && !isBeaten(chosen, ranked, router.groups)) continue;
    if (verdict.different++ == 0) verdict.firstRow = r;
  }
  return verdict;
}

}  // namespace moescope::trace
