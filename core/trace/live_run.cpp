#include "core/trace/live_run.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "core/base/unix_time.h"

namespace moescope::trace {

namespace {

bool idsInside(std::span<const std::int32_t> ids, int experts) {
  // One unsigned comparison covers -1 (an empty slot) to experts - 1.
  const auto limit = static_cast<std::uint32_t>(experts);
  bool inside = true;
  for (const std::int32_t id : ids) inside = inside && static_cast<std::uint32_t>(id) + 1U <= limit;
  return inside;
}

}  // namespace

LiveRun::LiveRun(RunRecord run, std::vector<RouterSpec> routers, std::int64_t queueLimitBytes,
                 std::function<void(bool)> wake)
    : m_id(run.id),
      m_routers(std::move(routers)),
      m_capture(run.capture),
      m_queueLimitBytes(queueLimitBytes),
      m_wake(std::move(wake)),
      m_record(std::move(run)) {
  if (m_capture == CaptureLevel::None) return;
  for (const RouterSpec& router : m_routers) {
    m_builders.emplace_back(router, m_capture);
    m_pyramids.emplace_back(router.experts);
  }
}

Error LiveRun::misuse(std::string message) const {
  return {"trace.bad_batch", "", fmt::format("run {}", m_id), std::move(message), ""};
}

Result<void> LiveRun::ready() const {
  if (auto failed = error()) return fail(*failed);
  if (m_finished) return fail(misuse("the run has ended"));
  return {};
}

std::int32_t LiveRun::openSequence(SequenceRecord sequence) {
  const std::lock_guard view(m_viewMutex);
  sequence.ordinal = static_cast<std::int32_t>(m_sequences.size());
  m_openSequence = m_sequences.size();
  m_sequences.push_back(std::move(sequence));
  m_record.sequences = static_cast<std::int64_t>(m_sequences.size());
  m_stats.clear();
  for (const RouterSpec& router : m_routers) m_stats.push_back(emptyStats(router.experts));
  return m_sequences.back().ordinal;
}

std::int32_t LiveRun::beginSequence(const RunRecorder::SequenceStart& start) {
  if (hasOpenSequence()) (void)endSequence(false);
  const std::lock_guard append(m_appendMutex);
  SequenceRecord sequence;
  sequence.firstToken = m_record.tokens;
  sequence.promptLength = start.promptLength;
  sequence.textHash = start.textHash;
  sequence.labels = start.labels;
  const std::int32_t ordinal = openSequence(std::move(sequence));
  queued(256);
  return ordinal;
}

TokenBlock& LiveRun::ownTokenBlock(std::int64_t block) {
  std::shared_ptr<TokenBlock>& columns = m_openTokens[block];
  if (!columns) {
    columns = std::make_shared<TokenBlock>();
  } else if (columns.use_count() > 1) {
    columns = std::make_shared<TokenBlock>(*columns);
  } else {
    std::atomic_thread_fence(std::memory_order_acquire);  // a reader may just have let go
  }
  m_dirtyTokens.insert(block);
  return *columns;
}

void LiveRun::appendToken(const TokenRow& row) {
  TokenBlock& block = ownTokenBlock(m_record.tokens / kBlockTokens);
  block.ids.push_back(row.id);
  block.sequences.push_back(row.sequence);
  block.positions.push_back(row.position);
  block.phases.push_back(static_cast<std::uint8_t>(row.phase));
  block.logProbs.push_back(row.logProb);
  block.entropies.push_back(kMissing);
  block.alternativeIds.insert(block.alternativeIds.end(), row.alternativeIds.begin(),
                              row.alternativeIds.end());
  block.alternativeLogProbs.insert(block.alternativeLogProbs.end(), row.alternativeLogProbs.begin(),
                                   row.alternativeLogProbs.end());
  ++block.count;
  ++m_record.tokens;
}

Result<std::int64_t> LiveRun::appendTokens(std::span<const TokenRow> rows,
                                           std::span<const std::string> bytes) {
  waitForRoom();
  const std::lock_guard append(m_appendMutex);
  if (auto able = ready(); !able) return fail(able.error());
  if (!m_openSequence) return fail(misuse("tokens outside a sequence"));
  if (bytes.size() != rows.size()) return fail(misuse("tokens without their bytes"));
  const auto ordinal = static_cast<std::int32_t>(*m_openSequence);
  for (const TokenRow& row : rows) {
    if (row.sequence != ordinal)
      return fail(misuse(fmt::format("a token of sequence {} inside sequence {}", row.sequence, ordinal)));
    if (row.id < 0) return fail(misuse(fmt::format("token id {}", row.id)));
  }
  std::int64_t size = static_cast<std::int64_t>(rows.size()) * rowBytes();
  std::int64_t first = 0;
  {
    const std::lock_guard view(m_viewMutex);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!m_vocabulary.try_emplace(rows[i].id, bytes[i]).second) continue;
      m_pending.vocabulary.emplace_back(rows[i].id, bytes[i]);
      size += static_cast<std::int64_t>(bytes[i].size()) + 32;
    }
    first = m_record.tokens;
    for (const TokenRow& row : rows) appendToken(row);
    m_sequences[*m_openSequence].length += static_cast<std::int64_t>(rows.size());
    adoptEffects();
  }
  queued(size);
  return first;
}

Result<void> LiveRun::validate(const RoutingBatch& batch) const {
  const auto count = static_cast<std::size_t>(std::max(batch.count, 0));
  if (batch.count < 0 || batch.firstToken < m_routedEnd || batch.firstToken + batch.count > m_record.tokens)
    return fail(misuse(fmt::format("routing of rows {} to {} after row {} of {}", batch.firstToken,
                                   batch.firstToken + batch.count, m_routedEnd, m_record.tokens)));
  if (!m_openSequence || batch.firstToken < m_sequences[*m_openSequence].firstToken)
    return fail(misuse("routing of a sequence that has ended"));
  if (!batch.entropyAfter.empty() && batch.entropyAfter.size() != count)
    return fail(misuse("entropies do not match the rows"));
  if (m_capture == CaptureLevel::None) return {};
  if (batch.routers.size() != m_routers.size())
    return fail(misuse(fmt::format("{} routers of {}", batch.routers.size(), m_routers.size())));
  for (std::size_t r = 0; r < m_routers.size(); ++r) {
    const RouterRows& rows = batch.routers[r];
    const RouterSpec& router = m_routers[r];
    const auto native = count * static_cast<std::size_t>(router.topK);
    const auto slots = count * static_cast<std::size_t>(std::max(rows.width, 0));
    const bool sized = rows.width >= 0 && rows.width <= router.experts && rows.ids.size() == slots &&
                       rows.weights.size() == slots &&
                       rows.logits.size() == count * static_cast<std::size_t>(router.experts) &&
                       rows.nativeIds.size() == rows.nativeWeights.size() &&
                       (rows.nativeIds.empty() || rows.nativeIds.size() == native);
    if (!sized) return fail(misuse(fmt::format("router {} has columns of a wrong length", r)));
    if (!idsInside(rows.ids, router.experts) || !idsInside(rows.nativeIds, router.experts))
      return fail(misuse(fmt::format("router {} has an id that names no expert", r)));
  }
  return {};
}

void LiveRun::setRuleEffects(std::span<const RuleEffect> effects) {
  const std::lock_guard append(m_appendMutex);
  auto& next = m_nextEffects.emplace(effects.begin(), effects.end());
  std::ranges::sort(next, {}, &RuleEffect::ruleId);
}

void LiveRun::adoptEffects() {
  if (!m_nextEffects) return;
  m_effects = *m_nextEffects;
  m_pending.effects = std::exchange(m_nextEffects, std::nullopt);
}

void LiveRun::finishRouteBlock() {
  for (std::size_t r = 0; r < m_builders.size(); ++r) {
    const int router = static_cast<int>(r);
    RouteBuilder& builder = m_builders[r];
    const std::int64_t block = builder.block();
    const auto keepSummary = [&](int level, std::int64_t node, const BlockSummary& summary) {
      auto shared = std::make_shared<const BlockSummary>(summary);
      m_unsavedSummaries[{router, level, node}] = shared;
      m_pending.summaries.push_back({router, level, node, std::move(shared), true});
    };
    const std::lock_guard view(m_viewMutex);
    keepSummary(0, block, builder.summary());
    m_pyramids[r].add(block, builder.summary(), keepSummary);
    m_unsavedRoutes[{router, block}] = builder.route();
    m_pending.routes.push_back({router, block, builder.route(), true});
    if (builder.logits()) {
      m_unsavedLogits[{router, block}] = builder.logits();
      m_pending.logits.push_back({router, block, builder.logits(), true});
    }
    builder.next();
  }
}

void LiveRun::addGap(std::int64_t rows) {
  while (rows > 0) {
    const int inBlock = static_cast<int>(m_routedEnd % kBlockTokens);
    const int count = static_cast<int>(std::min<std::int64_t>(rows, kBlockTokens - inBlock));
    for (RouteBuilder& builder : m_builders) {
      const std::lock_guard view(m_viewMutex);
      builder.addEmpty(count);
    }
    {
      const std::lock_guard view(m_viewMutex);
      m_dirtyTokens.insert(m_routedEnd / kBlockTokens);
      m_routedEnd += count;
    }
    rows -= count;
    if (m_routedEnd % kBlockTokens == 0) finishRouteBlock();
  }
}

void LiveRun::writeEntropies(std::span<const float> entropies) {
  TokenBlock& tokens = ownTokenBlock(m_routedEnd / kBlockTokens);
  std::ranges::copy(entropies, tokens.entropies.begin() + m_routedEnd % kBlockTokens);
}

void LiveRun::addRows(const RoutingBatch& batch, int first, int count) {
  for (std::size_t r = 0; r < m_builders.size(); ++r) {
    // A lock a router, so that a reader never waits for a whole step.
    const std::lock_guard view(m_viewMutex);
    m_builders[r].add(batch.routers[r], first, count, m_stats[r]);
  }
  {
    const std::lock_guard view(m_viewMutex);
    if (!batch.entropyAfter.empty())
      writeEntropies(
          batch.entropyAfter.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    m_dirtyTokens.insert(m_routedEnd / kBlockTokens);
    m_routedEnd += count;
    m_record.routedTokens += count;
    adoptEffects();
  }
  if (m_routedEnd % kBlockTokens == 0) finishRouteBlock();
}

Result<void> LiveRun::appendRouting(const RoutingBatch& batch) {
  waitForRoom();
  const std::lock_guard append(m_appendMutex);
  if (auto able = ready(); !able) return able;
  if (auto valid = validate(batch); !valid) return valid;
  addGap(batch.firstToken - m_routedEnd);
  for (int done = 0; done < batch.count;) {
    const int inBlock = static_cast<int>(m_routedEnd % kBlockTokens);
    const int count = std::min(batch.count - done, kBlockTokens - inBlock);
    addRows(batch, done, count);
    done += count;
  }
  m_dirtyRoutes = true;
  queued(batch.count * rowBytes());
  return {};
}

Result<void> LiveRun::endSequence(bool complete) {
  const std::lock_guard append(m_appendMutex);
  if (auto able = ready(); !able) return able;
  if (!m_openSequence) return fail(misuse("no sequence to end"));
  const auto ordinal = static_cast<std::int32_t>(*m_openSequence);
  const std::lock_guard view(m_viewMutex);
  m_sequences[*m_openSequence].complete = complete;
  for (std::size_t r = 0; r < m_builders.size(); ++r) {
    const int router = static_cast<int>(r);
    auto stats = std::make_shared<const SequenceStats>(std::move(m_stats[r]));
    m_unsavedStats[{router, ordinal}] = stats;
    m_pending.stats.push_back({router, ordinal, std::move(stats)});
  }
  m_stats.clear();
  m_openSequence.reset();
  adoptEffects();
  queued(static_cast<std::int64_t>(m_builders.size()) * 1024);
  return {};
}

Result<void> LiveRun::steeringChanged(const std::string& programJson, bool counterfactual) {
  const std::lock_guard append(m_appendMutex);
  if (auto able = ready(); !able) return able;
  const std::lock_guard view(m_viewMutex);
  // A program acts on the next row to be forwarded: the first undecided one of the open sequence.
  const std::int64_t next =
      m_openSequence ? std::max(m_routedEnd, m_sequences[*m_openSequence].firstToken) : m_record.tokens;
  const SteeringEvent event{next, programJson, counterfactual};
  m_pending.events.push_back({static_cast<std::int64_t>(m_events.size()), event});
  m_events.push_back(event);
  adoptEffects();
  queued(static_cast<std::int64_t>(programJson.size()));
  return {};
}

Result<void> LiveRun::finish(RunStatus status) {
  if (hasOpenSequence()) {
    if (auto ended = endSequence(false); !ended) return ended;
  }
  const std::lock_guard append(m_appendMutex);
  if (auto able = ready(); !able) return able;
  m_finished = true;
  const std::lock_guard view(m_viewMutex);
  adoptEffects();
  m_record.status = status;
  m_record.endedMs = unixMilliseconds();
  queued(64);
  return {};
}

}  // namespace moescope::trace
