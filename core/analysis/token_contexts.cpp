#include "core/analysis/token_contexts.h"

#include <algorithm>
#include <unordered_map>

#include "core/analysis/routed_tokens.h"

namespace moescope::analysis {

namespace {

struct Examples {
  std::vector<std::int64_t> rows;
};

/// The bytes of rows [begin, end) that belong to `sequence`.
std::string textOf(const trace::TraceStore& store, trace::RunId run, std::int32_t sequence,
                   std::int64_t begin, std::int64_t end) {
  std::string text;
  for (std::int64_t row = std::max<std::int64_t>(begin, 0); row < end; ++row) {
    const auto tokens = store.tokenBlock(run, row / trace::kBlockTokens);
    const auto at = static_cast<std::size_t>(row % trace::kBlockTokens);
    if (!tokens || tokens->damaged || at >= tokens->ids.size() || tokens->sequences[at] != sequence) continue;
    text += store.tokenBytes(run, tokens->ids[at]);
  }
  return text;
}

}  // namespace

Result<std::vector<TokenContext>> tokenContexts(const trace::TraceStore& store, const AnalysedRun& run,
                                                int router, int expert,
                                                std::span<const std::int32_t> keyOfToken, int choices,
                                                std::span<const std::int32_t> ids, int perId, int around,
                                                std::stop_token stop) {
  std::unordered_map<std::int32_t, Examples> examples;
  for (const std::int32_t id : ids) examples[id];
  const trace::TokenRange all{0, static_cast<std::int64_t>(keyOfToken.size())};
  const auto visited =
      forEachRoutedBlock(store, run.record.id, router, all, {}, stop, [&](const RoutedBlock& b) {
        for (int row = b.begin; row < b.end; ++row) {
          const auto found = examples.find(keyOfToken[static_cast<std::size_t>(b.first + row)]);
          if (found == examples.end()) continue;
          auto& rows = found->second.rows;
          const bool isNear = !rows.empty() && b.first + row - rows.back() < around;
          if (isNear || rows.size() >= static_cast<std::size_t>(perId)) continue;
          const auto chosen = choices == 1 ? b.ids(row).first(1) : b.ids(row);
          if (std::ranges::find(chosen, expert) != chosen.end()) rows.push_back(b.first + row);
        }
      });
  if (!visited) return fail(visited.error());
  std::vector<TokenContext> out;
  for (const std::int32_t id : ids) {
    for (const std::int64_t row : examples[id].rows) {
      const auto tokens = store.tokenBlock(run.record.id, row / trace::kBlockTokens);
      const auto at = static_cast<std::size_t>(row % trace::kBlockTokens);
      if (!tokens || tokens->damaged || at >= tokens->ids.size()) continue;
      const std::int32_t sequence = tokens->sequences[at];
      out.push_back({id, row, sequence, tokens->positions[at],
                     textOf(store, run.record.id, sequence, row - around, row),
                     store.tokenBytes(run.record.id, tokens->ids[at]),
                     textOf(store, run.record.id, sequence, row + 1, row + 1 + around)});
    }
  }
  return out;
}

}  // namespace moescope::analysis
