#include "core/analysis/text_logits.h"

#include <algorithm>
#include <cmath>

#include "core/base/half.h"

namespace moescope::analysis {

namespace {

void addBlock(TextLogits& out, const trace::TokenBlock& tokens, const trace::RouteBlock& routes,
              const trace::LogitBlock& logits, std::span<const int> unitOf) {
  const int rows = std::min({tokens.count, routes.count, logits.count});
  const auto experts = static_cast<std::size_t>(out.experts);
  std::vector<float> row(experts);
  for (int r = 0; r < rows; ++r) {
    const auto index = static_cast<std::size_t>(r);
    const auto sequence = static_cast<std::size_t>(tokens.sequences[index]);
    if (sequence >= unitOf.size() || unitOf[sequence] < 0) continue;
    for (std::size_t e = 0; e < experts; ++e) row[e] = halfToFloat(logits.halves[index * experts + e]);
    if (!std::ranges::all_of(row, [](float z) { return std::isfinite(z); })) continue;
    out.texts.push_back(unitOf[sequence]);
    out.logits.insert(out.logits.end(), row.begin(), row.end());
    std::vector<std::uint16_t>& chosen = out.chosen.emplace_back();
    const auto width = static_cast<std::size_t>(routes.width);
    for (std::size_t slot = index * width; slot < (index + 1) * width; ++slot) {
      if (routes.ids[slot] < experts) chosen.push_back(routes.ids[slot]);
    }
  }
}

}  // namespace

TextLogits readTextLogits(const trace::TraceStore& store, trace::RunId run, int router,
                          std::span<const int> unitOf, std::stop_token stop) {
  TextLogits out;
  const auto record = store.run(run);
  const auto routers = store.routers(run);
  if (!record || record->capture != trace::CaptureLevel::Full || router >= static_cast<int>(routers.size()))
    return out;
  out.experts = routers[static_cast<std::size_t>(router)].experts;
  const std::int64_t blocks = (record->routedTokens + trace::kBlockTokens - 1) / trace::kBlockTokens;
  for (std::int64_t block = 0; block < blocks && !stop.stop_requested(); ++block) {
    const auto tokens = store.tokenBlock(run, block);
    const auto routes = store.routeBlock(run, router, block);
    const auto logits = store.logitBlock(run, router, block);
    if (!tokens || !routes || !logits || tokens->damaged || routes->damaged || logits->damaged) continue;
    if (logits->experts == out.experts) addBlock(out, *tokens, *routes, *logits, unitOf);
  }
  return out;
}

}  // namespace moescope::analysis
