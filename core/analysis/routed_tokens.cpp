#include "core/analysis/routed_tokens.h"

#include <algorithm>

#include <fmt/format.h>

namespace moescope::analysis {

Result<std::int64_t> forEachRoutedBlock(const trace::TraceStore& store, trace::RunId run, int router,
                                        trace::TokenRange range, BlockNeeds needs, std::stop_token stop,
                                        const std::function<void(const RoutedBlock&)>& visit) {
  constexpr std::int64_t kRows = trace::kBlockTokens;
  std::int64_t visited = 0;
  for (std::int64_t block = range.begin / kRows; block * kRows < range.end; ++block) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    RoutedBlock rows;
    rows.routes = store.routeBlock(run, router, block);
    if (!rows.routes || rows.routes->damaged) continue;
    rows.first = block * kRows;
    rows.begin = static_cast<int>(std::max<std::int64_t>(range.begin - rows.first, 0));
    rows.end = static_cast<int>(std::min<std::int64_t>(range.end - rows.first, rows.routes->count));
    if (needs.tokens) {
      rows.tokens = store.tokenBlock(run, block);
      if (!rows.tokens || rows.tokens->damaged) continue;
    }
    if (needs.logits) {
      rows.logits = store.logitBlock(run, router, block);
      if (rows.logits && (rows.logits->damaged || rows.logits->count < rows.end)) continue;
    }
    if (rows.begin >= rows.end) continue;
    visit(rows);
    visited += rows.end - rows.begin;
  }
  return visited;
}

std::string sampleText(const trace::RunRecord& run) {
  return fmt::format("run {} “{}”, {} tokens, {} texts, capture {}", run.id, run.name, run.routedTokens,
                     run.sequences, name(run.capture));
}

}  // namespace moescope::analysis
