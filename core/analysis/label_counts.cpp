#include "core/analysis/label_counts.h"

#include <algorithm>
#include <numeric>

#include "core/analysis/routed_tokens.h"

namespace moescope::analysis {

namespace {

void addSequence(const trace::SequenceStats& stats, std::size_t entry, LabelCounts& out) {
  const auto experts = static_cast<std::size_t>(out.experts);
  out.tokens[entry] += stats.tokens;
  for (std::size_t e = 0; e < std::min(experts, stats.counts.size()); ++e)
    out.counts[entry * experts + e] += stats.counts[e];
}

void addBlock(const RoutedBlock& rows, const std::vector<std::int32_t>& entryOfToken, int choices,
              LabelCounts& out) {
  const auto experts = static_cast<std::size_t>(out.experts);
  for (int row = rows.begin; row < rows.end; ++row) {
    const std::int32_t entry = entryOfToken[static_cast<std::size_t>(rows.first + row)];
    if (entry < 0) continue;
    const auto ids = rows.ids(row);
    ++out.tokens[static_cast<std::size_t>(entry)];
    std::int64_t* counts = out.counts.data() + static_cast<std::size_t>(entry) * experts;
    for (const std::uint16_t id : choices == 1 ? ids.first(1) : ids)
      if (id < experts) ++counts[id];
  }
}

}  // namespace

int LabelCounts::units() const { return std::accumulate(strata.begin(), strata.end(), 0); }

Result<LabelCounts> labelCounts(const trace::TraceStore& store, const AnalysedRun& run, int router,
                                const LabelUnits& units, int choices, std::stop_token stop) {
  LabelCounts out;
  out.labels = static_cast<int>(units.labels.size());
  out.experts = run.routers[static_cast<std::size_t>(router)].experts;
  out.strata = units.strata;
  out.tokens.assign(units.entries.size(), 0);
  out.counts.assign(units.entries.size() * static_cast<std::size_t>(out.experts), 0);
  for (std::size_t entry = 0; entry < units.entries.size(); ++entry) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    out.unitOf.push_back(units.entries[entry].unit);
    out.labelOf.push_back(units.entries[entry].label);
    if (units.entries[entry].sequence < 0) continue;
    const auto stats = store.sequenceStats(run.record.id, router, units.entries[entry].sequence);
    if (stats) {
      addSequence(*stats, entry, out);
    } else {
      ++out.missingEntries;
    }
  }
  // Blocks from the first to the last row that is counted token by token.
  const auto isCounted = [](std::int32_t entry) { return entry >= 0; };
  const auto begin = std::ranges::find_if(units.entryOfToken, isCounted);
  if (begin == units.entryOfToken.end()) return out;
  const auto end = std::find_if(units.entryOfToken.rbegin(), units.entryOfToken.rend(), isCounted);
  const trace::TokenRange range{begin - units.entryOfToken.begin(), units.entryOfToken.rend() - end};
  const auto visited =
      forEachRoutedBlock(store, run.record.id, router, range, {}, stop,
                         [&](const RoutedBlock& rows) { addBlock(rows, units.entryOfToken, choices, out); });
  if (!visited) return fail(visited.error());
  return out;
}

LabelTotals labelTotals(const LabelCounts& counts) {
  const auto experts = static_cast<std::size_t>(counts.experts);
  LabelTotals out{counts.labels, counts.experts, {}, {}};
  out.tokens.assign(static_cast<std::size_t>(counts.labels), 0.0);
  out.counts.assign(out.tokens.size() * experts, 0.0);
  for (std::size_t entry = 0; entry < counts.unitOf.size(); ++entry) {
    const auto label = static_cast<std::size_t>(counts.labelOf[entry]);
    out.tokens[label] += static_cast<double>(counts.tokens[entry]);
    for (std::size_t e = 0; e < experts; ++e)
      out.counts[label * experts + e] += static_cast<double>(counts.counts[entry * experts + e]);
  }
  return out;
}

StratifiedDraws::StratifiedDraws(const std::vector<int>& strata, int draws, std::uint64_t seed)
    : m_draws(draws) {
  for (std::size_t s = 0; s < strata.size(); ++s) m_strata.emplace_back(strata[s], draws, seed + s);
}

std::vector<std::uint16_t> StratifiedDraws::draw(int index) const {
  std::vector<std::uint16_t> out;
  for (const TextDraws& stratum : m_strata) {
    const auto part = stratum.draw(index);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

}  // namespace moescope::analysis
