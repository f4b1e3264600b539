#include "core/trace/sequence_check.h"

#include <utility>

#include <fmt/format.h>

namespace moescope::trace {

namespace {

/// Sequences that are counted at a time. A run has one open sequence, interleaved traffic a few dozen.
constexpr std::size_t kMostOpen = 1024;

}  // namespace

SequenceCheck::SequenceCheck(CheckReport& report, BlockReader& reader, const RunRecord& run,
                             const std::vector<RouterSpec>& routers,
                             const std::vector<SequenceRecord>& sequences)
    : m_report(report), m_reader(reader), m_run(run), m_routers(routers) {
  for (const SequenceRecord& record : sequences) m_records[record.ordinal] = &record;
}

std::string SequenceCheck::place(std::int64_t ordinal) const {
  return fmt::format("run {}, sequence {}", m_run.id, ordinal);
}

SequenceCheck::Seen& SequenceCheck::seen(std::int32_t ordinal, std::int64_t token) {
  const auto [found, isNew] = m_open.try_emplace(ordinal);
  Seen& seen = found->second;
  if (!isNew) return seen;
  seen.firstToken = token;
  seen.counted = !m_gap && m_open.size() <= kMostOpen;
  if (m_open.size() > kMostOpen && !std::exchange(m_crowded, true))
    m_report.add(fmt::format("run {}", m_run.id),
                 "too many sequences are interleaved to check all of their sums");
  if (!seen.counted || m_run.capture == CaptureLevel::None) return seen;
  for (const RouterSpec& router : m_routers)
    seen.counts.emplace_back(static_cast<std::size_t>(router.experts));
  return seen;
}

void SequenceCheck::addRow(Seen& seen, const std::vector<std::shared_ptr<const RouteBlock>>& routes,
                           int row) const {
  ++seen.rows;
  if (!seen.counted) return;
  for (std::size_t r = 0; r < routes.size(); ++r) {
    if (!routes[r]) {
      seen.counted = false;
      return;
    }
    if (row >= routes[r]->count) continue;  // pending
    const auto width = static_cast<std::size_t>(routes[r]->width);
    for (std::size_t slot = static_cast<std::size_t>(row) * width;
         slot < (static_cast<std::size_t>(row) + 1) * width; ++slot) {
      if (routes[r]->ids[slot] != kEmptySlot) ++seen.counts[r][routes[r]->ids[slot]];
    }
  }
}

void SequenceCheck::add(std::int64_t block, const TokenBlock* tokens,
                        const std::vector<std::shared_ptr<const RouteBlock>>& routes) {
  if (tokens == nullptr) {
    m_gap = true;
    for (auto& [ordinal, seen] : m_open) seen.counted = false;
    return;
  }
  for (int row = 0; row < tokens->count; ++row) {
    const std::int32_t ordinal = tokens->sequences[static_cast<std::size_t>(row)];
    const auto record = m_records.find(ordinal);
    if (record == m_records.end()) {
      if (m_unknown.size() < kMostOpen && m_unknown.insert(ordinal).second)
        m_report.add(place(ordinal), "tokens name a sequence that is not there");
      continue;
    }
    Seen& open = seen(ordinal, block * kBlockTokens + row);
    addRow(open, routes, row);
    if (open.rows != record->second->length) continue;
    leave(*record->second, open);
    m_open.erase(ordinal);
    m_records.erase(record);  // another row of it is one too many
    m_gap = false;
  }
}

void SequenceCheck::compareSums(const SequenceRecord& record, const Seen& seen) {
  for (std::size_t r = 0; r < m_routers.size() && r < seen.counts.size(); ++r) {
    bool damaged = false;
    const auto stats = m_reader.stats(m_run.id, static_cast<int>(r), record.ordinal, m_routers[r], damaged);
    const std::string where = fmt::format("{}, router {}", place(record.ordinal), r);
    if (damaged) {
      m_report.add(where, "its sums are damaged");
    } else if (!stats) {
      // A sequence that was cut off while it was being written has none.
      if (record.complete) m_report.add(where, "its sums are missing");
    } else if (stats->counts != seen.counts[r]) {
      m_report.add(where, "its sums do not match its choices");
    }
  }
}

void SequenceCheck::leave(const SequenceRecord& record, const Seen& seen) {
  if (seen.firstToken != record.firstToken && !m_gap)
    m_report.add(place(record.ordinal), fmt::format("claims to begin at row {}, its tokens begin at row {}",
                                                    record.firstToken, seen.firstToken));
  if (seen.counted) compareSums(record, seen);
}

void SequenceCheck::finish() {
  for (const auto& [ordinal, record] : m_records) {
    const auto open = m_open.find(ordinal);
    const std::int64_t rows = open == m_open.end() ? 0 : open->second.rows;
    if (rows == record->length || m_gap || (open != m_open.end() && !open->second.counted)) continue;
    const std::string message = fmt::format("claims {} tokens, the blocks hold {}", record->length, rows);
    if (record->firstToken + record->length > m_run.tokens) {
      m_report.addCount(m_run.id, place(ordinal), message);
    } else {
      m_report.add(place(ordinal), message);
    }
  }
}

}  // namespace moescope::trace
