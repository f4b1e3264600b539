#include "core/analysis/key_counts.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>

#include <fmt/format.h>

#include "core/analysis/routed_tokens.h"
#include "core/analysis/text_units.h"

namespace moescope::analysis {

Result<KeyedChoices> keyedChoices(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                  std::span<const std::int32_t> keyOfToken,
                                  std::span<const std::int32_t> unitOfToken, int choices,
                                  std::stop_token stop) {
  const RouterSpec& spec = run.routers[static_cast<std::size_t>(router)];
  KeyedChoices out;
  out.experts = spec.experts;
  out.choices = choices == 0 ? spec.topK : choices;
  const auto width = static_cast<std::size_t>(out.choices);
  const trace::TokenRange all{0, static_cast<std::int64_t>(keyOfToken.size())};
  const auto visited =
      forEachRoutedBlock(store, run.record.id, router, all, {}, stop, [&](const RoutedBlock& b) {
        for (int row = b.begin; row < b.end; ++row) {
          const auto token = static_cast<std::size_t>(b.first + row);
          if (keyOfToken[token] == kNoKey) continue;
          out.keyOf.push_back(keyOfToken[token]);
          if (!unitOfToken.empty()) out.unitOf.push_back(unitOfToken[token]);
          const auto ids = b.ids(row);
          for (std::size_t k = 0; k < width; ++k)
            out.ids.push_back(k < ids.size() ? ids[k] : trace::kEmptySlot);
        }
      });
  if (!visited) return fail(visited.error());
  out.keys = out.keyOf;
  std::ranges::sort(out.keys);
  out.keys.erase(std::unique(out.keys.begin(), out.keys.end()), out.keys.end());
  std::unordered_map<std::int32_t, std::int32_t> indexOf;
  for (std::size_t k = 0; k < out.keys.size(); ++k) indexOf[out.keys[k]] = static_cast<std::int32_t>(k);
  for (std::int32_t& key : out.keyOf) key = indexOf[key];
  return out;
}

std::int64_t KeyCounts::tokens() const {
  return std::accumulate(occurrences.begin(), occurrences.end(), std::int64_t{0});
}

KeyCounts keyCounts(const KeyedChoices& rows, std::span<const std::uint16_t> multiplicity) {
  const auto experts = static_cast<std::size_t>(rows.experts);
  const auto width = static_cast<std::size_t>(rows.choices);
  KeyCounts out{rows.experts, rows.choices, rows.keys, {}, {}};
  out.occurrences.assign(rows.keys.size(), 0);
  out.counts.assign(rows.keys.size() * experts, 0);
  for (std::size_t row = 0; row < rows.keyOf.size(); ++row) {
    const std::int64_t times =
        multiplicity.empty() ? 1 : multiplicity[static_cast<std::size_t>(rows.unitOf[row])];
    if (times == 0) continue;
    const auto key = static_cast<std::size_t>(rows.keyOf[row]);
    out.occurrences[key] += times;
    for (std::size_t k = 0; k < width; ++k) {
      const std::uint16_t id = rows.ids[row * width + k];
      if (id < experts) out.counts[key * experts + id] += times;
    }
  }
  return out;
}

Result<TokenUnits> unitsOfTokens(const trace::TraceStore& store, const AnalysedRun& run,
                                 std::stop_token stop) {
  const TextUnits units = textUnits(run.sequences);
  TokenUnits out{std::vector<std::int32_t>(static_cast<std::size_t>(run.record.tokens), 0), units.units,
                 units.description};
  std::unordered_map<std::int32_t, std::size_t> indexOf;
  for (std::size_t s = 0; s < run.sequences.size(); ++s) indexOf[run.sequences[s].ordinal] = s;
  for (std::int64_t first = 0; first < run.record.tokens; first += trace::kBlockTokens) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const auto tokens = store.tokenBlock(run.record.id, first / trace::kBlockTokens);
    if (!tokens || tokens->damaged) continue;
    const auto count =
        static_cast<std::size_t>(std::min<std::int64_t>(tokens->count, run.record.tokens - first));
    for (std::size_t r = 0; r < count; ++r) {
      const auto sequence = indexOf.find(tokens->sequences[r]);
      if (sequence == indexOf.end()) continue;
      out.unitOfToken[static_cast<std::size_t>(first) + r] =
          std::min(units.unitOf(sequence->second, tokens->positions[r]), units.units - 1);
    }
  }
  return out;
}

std::string intervalText(const TokenUnits& units, int draws) {
  if (draws == 0) return "none: no draws were asked for";
  if (units.units < 2) return "none: there is only one text or window to resample";
  return fmt::format("95 %, bootstrap of {} over {}", draws, units.description);
}

}  // namespace moescope::analysis
