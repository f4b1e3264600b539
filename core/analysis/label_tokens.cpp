#include "core/analysis/label_tokens.h"

#include <algorithm>
#include <limits>
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
                                int expert, std::span<const std::int32_t> keyOfToken,
                                const LabelTokenOptions& options, std::stop_token stop) {
  const auto rows = keyedChoices(store, run, router, keyOfToken, {}, options.choices, stop);
  if (!rows) return fail(rows.error());
  const KeyCounts counts = keyCounts(*rows);
  LabelTokens out;
  out.tokens = counts.tokens();
  out.top = topTokens(counts, expert, 1, std::numeric_limits<int>::max());
  out.ids = static_cast<std::int64_t>(out.top.size());
  for (const TopToken& token : out.top) out.chosen += token.chosen;
  if (options.byRate) {
    std::erase_if(out.top, [&](const TopToken& token) { return token.occurrences < options.least; });
  } else {
    std::ranges::sort(out.top, [](const TopToken& a, const TopToken& b) {
      return std::tuple(-a.chosen, -a.rate, a.id) < std::tuple(-b.chosen, -b.rate, b.id);
    });
  }
  const auto most = static_cast<std::size_t>(std::max(options.most, 0));
  if (out.top.size() > most) out.top.resize(most);
  std::vector<std::int32_t> ids;
  for (const TopToken& token : out.top) ids.push_back(token.id);
  auto contexts = tokenContexts(store, run, router, expert, keyOfToken, options.choices, ids, options.places,
                                options.around, stop);
  if (!contexts) return fail(contexts.error());
  out.contexts = *std::move(contexts);
  return out;
}

}  // namespace moescope::analysis
