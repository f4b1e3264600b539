#include "views/panels/routing_map/cell_detail.h"

#include <algorithm>
#include <span>
#include <unordered_map>

#include "core/base/half.h"

namespace moescope::views {

namespace {

using trace::kBlockTokens;

constexpr std::size_t kTopTokens = 3;

/// Whether one of the `width` ids of a row is the expert; the slot goes to `slot`.
bool holds(const std::vector<std::uint16_t>& ids, std::size_t row, std::size_t width, int expert,
           std::size_t& slot) {
  for (slot = 0; slot < width; ++slot) {
    if (ids[row * width + slot] == expert) return true;
  }
  return false;
}

}  // namespace

CellDetail cellDetail(const trace::TraceStore& store, trace::RunId run, int router, int expert,
                      trace::TokenRange tokens, std::stop_token stop) {
  CellDetail detail;
  detail.tokens = tokens;
  std::unordered_map<std::int32_t, std::int64_t> served;
  for (std::int64_t block = tokens.begin / kBlockTokens; block * kBlockTokens < tokens.end; ++block) {
    if (stop.stop_requested()) break;
    const auto routes = store.routeBlock(run, router, block);
    if (!routes || routes->damaged || routes->count == 0) continue;
    const auto rows = store.tokenBlock(run, block);
    const auto logits = store.logitBlock(run, router, block);
    const std::int64_t first = block * kBlockTokens;
    const auto begin = static_cast<std::size_t>(std::max<std::int64_t>(0, tokens.begin - first));
    const auto end = static_cast<std::size_t>(std::min<std::int64_t>(tokens.end - first, routes->count));
    const auto width = static_cast<std::size_t>(routes->width);
    const std::size_t topK = routes->nativeIds.size() / static_cast<std::size_t>(routes->count);
    detail.steered = detail.steered || topK > 0;
    for (std::size_t row = begin; row < end; ++row) {
      const auto made = std::ranges::count_if(std::span(routes->ids).subspan(row * width, width),
                                              [](std::uint16_t id) { return id != trace::kEmptySlot; });
      if (made == 0) continue;
      detail.choices += made;
      ++detail.routed;
      std::size_t slot = 0;
      const bool chosen = holds(routes->ids, row, width, expert, slot);
      if (chosen) {
        ++detail.chosen;
        detail.rankOne += slot == 0 ? 1 : 0;
        if (!routes->weights.empty()) {
          detail.weightSum += static_cast<double>(routes->weights[row * width + slot]);
          ++detail.weightTokens;
        }
        if (rows && !rows->damaged && row < rows->ids.size()) ++served[rows->ids[row]];
      }
      detail.native += (topK > 0 ? holds(routes->nativeIds, row, topK, expert, slot) : chosen) ? 1 : 0;
      if (logits && !logits->damaged && row < static_cast<std::size_t>(logits->count) &&
          expert < logits->experts) {
        detail.logitSum +=
            static_cast<double>(halfToFloat(logits->halves[row * static_cast<std::size_t>(logits->experts) +
                                                           static_cast<std::size_t>(expert)]));
        ++detail.logitTokens;
      }
    }
  }
  std::vector<std::pair<std::int32_t, std::int64_t>> order(served.begin(), served.end());
  std::ranges::sort(order, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (order.size() > kTopTokens) order.resize(kTopTokens);
  for (const auto& [id, count] : order) detail.topTokens.emplace_back(store.tokenBytes(run, id), count);
  return detail;
}

}  // namespace moescope::views
