#include "core/analysis/label_tokens.h"

#include <algorithm>
#include <tuple>

namespace moescope::analysis {

Result<std::vector<std::int32_t>> labelTokenKeys(const trace::TraceStore& store, const AnalysedRun& run,
                                                 const LabelSource& source, const std::string& name,
                                                 std::stop_token stop) {
  const auto units = labelUnits(store, run, source, true, stop);
  if (!units) return fail(units.error());
  auto keys = tokenKeys(store, run, TokenKey::Input, stop);
  if (!keys) return fail(keys.error());
  for (std::size_t row = 0; row < keys->size(); ++row) {
    const std::int32_t entry = row < units->entryOfToken.size() ? units->entryOfToken[row] : -1;
    const bool has =
        entry >= 0 &&
        units->labels[static_cast<std::size_t>(units->entries[static_cast<std::size_t>(entry)].label)] ==
            name;
    if (!has) (*keys)[row] = kNoKey;
  }
  return keys;
}

Result<LabelTokens> labelTokens(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                int expert, std::span<const std::int32_t> keyOfToken, int choices, int most,
                                int perId, int around, std::stop_token stop) {
  const auto rows = keyedChoices(store, run, router, keyOfToken, {}, choices, stop);
  if (!rows) return fail(rows.error());
  const KeyCounts counts = keyCounts(*rows);
  LabelTokens out;
  out.tokens = counts.tokens();
  for (std::size_t key = 0; key < counts.keys.size(); ++key) {
    const std::int64_t chosen = counts.of(key)[static_cast<std::size_t>(expert)];
    if (chosen == 0) continue;
    out.chosen += chosen;
    out.top.push_back({counts.keys[key], counts.occurrences[key], chosen,
                       static_cast<double>(chosen) / static_cast<double>(counts.occurrences[key])});
  }
  out.ids = static_cast<std::int64_t>(out.top.size());
  std::ranges::sort(out.top, [](const TopToken& a, const TopToken& b) {
    return std::tuple(-a.chosen, -a.rate, a.id) < std::tuple(-b.chosen, -b.rate, b.id);
  });
  if (out.top.size() > static_cast<std::size_t>(most)) out.top.resize(static_cast<std::size_t>(most));
  std::vector<std::int32_t> ids;
  for (const TopToken& token : out.top) ids.push_back(token.id);
  auto contexts = tokenContexts(store, run, router, expert, keyOfToken, choices, ids, perId, around, stop);
  if (!contexts) return fail(contexts.error());
  out.contexts = *std::move(contexts);
  return out;
}

}  // namespace moescope::analysis
