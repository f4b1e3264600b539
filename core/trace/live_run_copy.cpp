// How a LiveRun takes over rows that were recorded before: a resumed tail, or another run's blocks.
#include <algorithm>
#include <utility>

#include "core/trace/live_run.h"

namespace moescope::trace {

namespace {

template <class T>
std::vector<T> head(const std::vector<T>& values, int rows, int width = 1) {
  return {values.begin(), values.begin() + static_cast<std::ptrdiff_t>(rows) * width};
}

}  // namespace

TokenBlock headOf(const TokenBlock& block, int count) {
  TokenBlock cut;
  cut.count = count;
  cut.ids = head(block.ids, count);
  cut.sequences = head(block.sequences, count);
  cut.positions = head(block.positions, count);
  cut.phases = head(block.phases, count);
  cut.logProbs = head(block.logProbs, count);
  cut.entropies = head(block.entropies, count);
  cut.alternativeIds = head(block.alternativeIds, count, kAlternatives);
  cut.alternativeLogProbs = head(block.alternativeLogProbs, count, kAlternatives);
  return cut;
}

bool LiveRun::hasOpenSequence() const {
  const std::lock_guard append(m_appendMutex);
  return m_openSequence.has_value();
}

void LiveRun::restore(RunTail tail) {
  const std::lock_guard append(m_appendMutex);
  const std::lock_guard view(m_viewMutex);
  m_routedEnd = tail.routedEnd;
  m_openTokens = std::move(tail.tokenBlocks);
  m_builders = std::move(tail.builders);
  m_pyramids = std::move(tail.pyramids);
  m_sequences = std::move(tail.sequences);
  m_savedSequences = m_sequences.size();
  m_events = std::move(tail.events);
  m_effects = std::move(tail.effects);
}

void LiveRun::adoptSequence(const SequenceRecord& sequence, std::vector<SequenceStats> stats) {
  const std::lock_guard append(m_appendMutex);
  const std::lock_guard view(m_viewMutex);
  m_sequences.push_back(sequence);
  m_record.sequences = static_cast<std::int64_t>(m_sequences.size());
  for (std::size_t r = 0; r < stats.size(); ++r) {
    const int router = static_cast<int>(r);
    auto shared = std::make_shared<const SequenceStats>(std::move(stats[r]));
    m_unsavedStats[{router, sequence.ordinal}] = shared;
    m_pending.stats.push_back({router, sequence.ordinal, std::move(shared)});
  }
  queued(static_cast<std::int64_t>(stats.size()) * 1024);
}

void LiveRun::adoptOpenSequence(const SequenceRecord& sequence) {
  const std::lock_guard append(m_appendMutex);
  if (m_openSequence) return;
  SequenceRecord open = sequence;
  open.length = 0;
  open.complete = false;
  openSequence(std::move(open));
}

void LiveRun::adoptEvent(const SteeringEvent& event) {
  const std::lock_guard append(m_appendMutex);
  const std::lock_guard view(m_viewMutex);
  m_pending.events.push_back({static_cast<std::int64_t>(m_events.size()), event});
  m_events.push_back(event);
  queued(static_cast<std::int64_t>(event.programJson.size()));
}

void LiveRun::appendCopied(const CopiedBlock& block) {
  waitForRoom();
  const std::lock_guard append(m_appendMutex);
  const std::int64_t first = m_record.tokens;
  const SequenceRecord& open = m_sequences[*m_openSequence];
  const int statsFrom =
      static_cast<int>(std::clamp<std::int64_t>(open.firstToken - first, 0, std::int64_t{block.count}));
  {
    const std::lock_guard view(m_viewMutex);
    auto tokens = std::make_shared<TokenBlock>(headOf(*block.tokens, block.count));
    std::fill(tokens->sequences.begin() + statsFrom, tokens->sequences.end(), open.ordinal);
    m_openTokens[first / kBlockTokens] = std::move(tokens);
    m_dirtyTokens.insert(first / kBlockTokens);
    m_record.tokens += block.count;
    m_sequences[*m_openSequence].length += block.count - statsFrom;
    for (std::size_t r = 0; r < m_builders.size() && block.decided > 0; ++r) {
      const LogitBlock* logits = block.logits.empty() ? nullptr : block.logits[r].get();
      m_builders[r].assign(*block.routes[r], logits, block.decided, statsFrom, m_stats[r]);
      if (!block.summaries.empty()) m_builders[r].setSummary(*block.summaries[r]);
    }
    m_routedEnd += block.decided;
    m_record.routedTokens += block.decidedRows;
  }
  m_dirtyRoutes = true;
  if (m_routedEnd % kBlockTokens == 0 && block.decided > 0) finishRouteBlock();
  queued(block.count * rowBytes());
}

}  // namespace moescope::trace
