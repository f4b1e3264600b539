#include "plugins/router_scores/logit_rows.h"

#include <vector>

#include "core/analysis/routed_tokens.h"
#include "core/base/half.h"

namespace moescope::router_scores {

Result<std::int64_t> forEachLogitRow(const analysis::AnalysisInput& input, trace::RunId run, int router,
                                     const trace::SequenceRecord& text, const VisitLogits& visit) {
  std::int64_t rows = 0;
  std::vector<float> logits;
  const auto visited = analysis::forEachRoutedBlock(
      input.store, run, router, {text.firstToken, text.firstToken + text.length},
      {.tokens = false, .logits = true}, input.stop, [&](const analysis::RoutedBlock& block) {
        if (!block.logits || block.logits->experts <= 0) return;
        const auto experts = static_cast<std::size_t>(block.logits->experts);
        logits.resize(experts);
        for (int row = block.begin; row < block.end; ++row, ++rows) {
          const std::size_t first = static_cast<std::size_t>(row) * experts;
          for (std::size_t e = 0; e < experts; ++e) logits[e] = halfToFloat(block.logits->halves[first + e]);
          visit(logits, block.ids(row));
        }
      });
  if (!visited) return fail(visited.error());
  return rows;
}

}  // namespace moescope::router_scores
