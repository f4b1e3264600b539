#include "core/trace/load_query.h"

#include <algorithm>
#include <vector>

#include "core/base/half.h"
#include "core/trace/decided_row.h"
#include "core/trace/router_statistics.h"

namespace moescope::trace {

namespace {

class LoadWalk {
 public:
  LoadWalk(BlockSource& source, const LoadRequest& request)
      : m_source(source),
        m_request(request),
        m_probabilities(static_cast<std::size_t>(request.spec->experts)) {
    m_load.counts.resize(m_probabilities.size());
    m_load.gateMass.resize(m_probabilities.size());
  }

  LoadSummary run(const std::stop_token& stop) {
    const std::int64_t end = m_request.tokens.end;
    std::int64_t at = std::max<std::int64_t>(m_request.tokens.begin, 0);
    while (at < end && !stop.stop_requested()) {
      const std::int64_t next = addNode(at, end);
      at = next > at ? next : addRows(at, end);
    }
    return m_load;
  }

 private:
  /// Adds the largest intact node that begins at `at` and fits; returns its end, or `at` if there is none.
  std::int64_t addNode(std::int64_t at, std::int64_t end) {
    for (int level = kTopSummaryLevel; level >= 0; --level) {
      const std::int64_t span = summarySpan(level);
      if (at % span != 0) continue;
      // A partial tail may fit although its place on the grid does not; only level 0 has partial nodes.
      if (at + span > end && level > 0) continue;
      const auto node = m_source.summary(m_request.run, m_request.router, level, at / span);
      if (!node || node->damaged || at + node->count > end || node->count > span) continue;
      if (level > 0 && node->count != span) continue;
      addTo(m_load, *node);
      return at + span;
    }
    return at;
  }

  /// Adds rows of one block and returns where it ends.
  std::int64_t addRows(std::int64_t at, std::int64_t end) {
    const std::int64_t block = at / kBlockTokens;
    const std::int64_t blockBegin = block * kBlockTokens;
    const std::int64_t blockEnd = std::min(blockBegin + kBlockTokens, end);
    const auto route = m_source.routeBlock(m_request.run, m_request.router, block);
    if (!route) return blockEnd;
    const std::int64_t rowsEnd = std::min(blockEnd, blockBegin + route->count);
    if (route->damaged) {
      m_load.missing += std::max<std::int64_t>(rowsEnd - at, 0);
      return blockEnd;
    }
    const auto logits = m_request.capture == CaptureLevel::Full
                            ? m_source.logitBlock(m_request.run, m_request.router, block)
                            : nullptr;
    for (std::int64_t row = at; row < rowsEnd; ++row)
      addRow(*route, logits.get(), static_cast<std::size_t>(row - blockBegin));
    return blockEnd;
  }

  void addRow(const RouteBlock& route, const LogitBlock* logits, std::size_t row) {
    const auto width = static_cast<std::size_t>(route.width);
    if (!isDecided(route, row)) return;
    int chosen = 0;
    for (std::size_t slot = row * width; slot < (row + 1) * width; ++slot) {
      const std::uint16_t expert = route.ids[slot];
      if (expert == kEmptySlot) continue;
      ++chosen;
      ++m_load.counts[expert];
      if (!route.weights.empty()) m_load.gateMass[expert] += static_cast<double>(route.weights[slot]);
    }
    ++m_load.tokens;
    m_load.slots += chosen;
    if (!route.weights.empty()) ++m_load.massTokens;
    if (logits == nullptr || logits->damaged || row >= static_cast<std::size_t>(logits->count)) return;
    const std::size_t experts = m_probabilities.size();
    m_row.resize(experts);
    for (std::size_t e = 0; e < experts; ++e) m_row[e] = halfToFloat(logits->halves[row * experts + e]);
    const RowStatistics statistics = rowStatistics(m_row, m_request.spec->score, m_probabilities);
    if (!statistics.finite) return;
    ++m_load.entropyTokens;
    m_load.entropySum += statistics.entropy;
  }

  BlockSource& m_source;
  const LoadRequest& m_request;
  LoadSummary m_load;
  std::vector<float> m_probabilities, m_row;
};

}  // namespace

LoadSummary computeLoad(BlockSource& source, const LoadRequest& request, std::stop_token stop) {
  return LoadWalk(source, request).run(stop);
}

}  // namespace moescope::trace
