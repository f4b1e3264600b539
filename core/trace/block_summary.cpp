#include "core/trace/block_summary.h"

#include <utility>

namespace moescope::trace {

void BlockSummary::add(const BlockSummary& child) {
  count += child.count;
  tokens += child.tokens;
  slots += child.slots;
  massTokens += child.massTokens;
  entropyTokens += child.entropyTokens;
  entropySum += child.entropySum;
  for (std::size_t e = 0; e < counts.size(); ++e) {
    counts[e] += child.counts[e];
    gateMass[e] += child.gateMass[e];
  }
}

void addTo(LoadSummary& load, const BlockSummary& node) {
  load.tokens += node.tokens;
  load.slots += node.slots;
  load.massTokens += node.massTokens;
  load.entropyTokens += node.entropyTokens;
  load.entropySum += node.entropySum;
  for (std::size_t e = 0; e < load.counts.size(); ++e) {
    load.counts[e] += node.counts[e];
    load.gateMass[e] += node.gateMass[e];
  }
}

PyramidBuilder::PyramidBuilder(int experts) : m_experts(experts) { m_partial.fill(BlockSummary(experts)); }

void PyramidBuilder::add(std::int64_t block, const BlockSummary& summary, const Emit& emit) {
  const BlockSummary* child = &summary;
  BlockSummary finished;
  for (int level = 1; level <= kTopSummaryLevel; ++level) {
    BlockSummary& parent = m_partial[static_cast<std::size_t>(level - 1)];
    parent.add(*child);
    const std::int64_t blocks = std::int64_t{1} << (3 * level);
    if ((block + 1) % blocks != 0) return;
    finished = std::exchange(parent, BlockSummary(m_experts));
    emit(level, block / blocks, finished);
    child = &finished;
  }
}

void PyramidBuilder::restore(int level, BlockSummary partial) {
  m_partial[static_cast<std::size_t>(level - 1)] = std::move(partial);
}

}  // namespace moescope::trace
