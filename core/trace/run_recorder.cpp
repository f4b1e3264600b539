#include "core/trace/run_recorder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace moescope::trace {

SqliteRunRecorder::~SqliteRunRecorder() {
  if (!m_ended) (void)end(RunStatus::Aborted);
}

Error SqliteRunRecorder::refused(std::string message) const {
  return {"trace.bad_batch", m_store->path().string(), fmt::format("run {}", run()), std::move(message), ""};
}

std::int32_t SqliteRunRecorder::beginSequence(const SequenceStart& start) {
  const std::int32_t ordinal = m_live->beginSequence(start);
  m_store->publish(StoreEvent::Kind::RunChanged, run());
  return ordinal;
}

Result<std::int64_t> SqliteRunRecorder::appendTokens(std::span<const TokenRow> rows,
                                                     std::span<const std::string> bytes) {
  auto first = m_live->appendTokens(rows, bytes);
  if (first) {
    const auto end = *first + static_cast<std::int64_t>(rows.size());
    m_store->publish(StoreEvent::Kind::TokensAppended, run(), {*first, end});
  }
  return first;
}

Result<void> SqliteRunRecorder::appendRouting(const RoutingBatch& batch) {
  auto appended = m_live->appendRouting(batch);
  if (appended) {
    m_store->publish(StoreEvent::Kind::TokensAppended, run(),
                     {batch.firstToken, batch.firstToken + batch.count});
  }
  return appended;
}

Result<void> SqliteRunRecorder::endSequence(bool complete) {
  auto ended = m_live->endSequence(complete);
  if (ended) m_store->publish(StoreEvent::Kind::RunChanged, run());
  return ended;
}

Result<void> SqliteRunRecorder::steeringChanged(const std::string& programJson, bool counterfactual) {
  auto noted = m_live->steeringChanged(programJson, counterfactual);
  if (noted) m_store->publish(StoreEvent::Kind::SteeringChanged, run());
  return noted;
}

Result<void> SqliteRunRecorder::end(RunStatus status) {
  m_ended = true;
  auto finished = m_live->finish(status);
  if (!finished) {
    if (const auto error = m_live->error()) return fail(*error);
    return finished;
  }
  return m_store->retire(m_live);
}

Result<void> SqliteRunRecorder::adoptSequences(RunId source, std::int64_t endToken) {
  const std::vector<SequenceRecord> sequences = m_store->sequences(source);
  const auto after = std::ranges::find_if(
      sequences, [&](const SequenceRecord& sequence) { return sequence.firstToken >= endToken; });
  const auto count = static_cast<std::size_t>(after - sequences.begin());
  if (count == 0) return fail(refused(fmt::format("run {} has no sequence before row {}", source, endToken)));
  const SequenceRecord& open = sequences[count - 1];
  if (m_live->hasOpenSequence()) {
    if (open.firstToken != 0) return fail(refused("rows of several sequences cannot go into one"));
    return {};
  }
  const std::size_t routers = m_store->routers(source).size();
  for (std::size_t s = 0; s + 1 < count; ++s) {
    std::vector<SequenceStats> stats;
    for (std::size_t r = 0; r < routers; ++r) {
      auto sums = m_store->sequenceStats(source, static_cast<int>(r), sequences[s].ordinal);
      if (!sums) break;
      stats.push_back(std::move(*sums));
    }
    if (stats.size() != routers) stats.clear();
    m_live->adoptSequence(sequences[s], std::move(stats));
  }
  m_live->adoptOpenSequence(open);
  return {};
}

std::int64_t SqliteRunRecorder::routedEndOf(RunId source, std::int64_t endToken) const {
  for (std::int64_t block = (endToken - 1) / kBlockTokens; block >= 0; --block) {
    const auto tokens = m_store->tokenBlock(source, block);
    if (!tokens || tokens->damaged) continue;
    for (auto row = static_cast<std::int64_t>(tokens->count) - 1; row >= 0; --row) {
      const std::int64_t token = block * kBlockTokens + row;
      if (token < endToken && !std::isnan(tokens->entropies[static_cast<std::size_t>(row)])) return token + 1;
    }
  }
  return 0;
}

Result<int> SqliteRunRecorder::copyBlock(RunId source, std::int64_t block, int count,
                                         std::int64_t routedEnd) {
  const auto unreadable = [&](const char* what) {
    return fail("trace.bad_block", m_store->path().string(), fmt::format("run {}, block {}", source, block),
                fmt::format("the {} to be copied are damaged", what));
  };
  CopiedBlock copied;
  copied.count = count;
  copied.tokens = m_store->tokenBlock(source, block);
  if (!copied.tokens || copied.tokens->damaged || copied.tokens->count < count) return unreadable("tokens");
  const RunRecord record = m_live->record();
  const int routers =
      record.capture == CaptureLevel::None ? 0 : static_cast<int>(m_store->routers(source).size());
  int decided = count;
  bool whole = true;
  for (int r = 0; r < routers; ++r) {
    auto route = m_store->routeBlock(source, r, block);
    if (route && route->damaged) return unreadable("choices");
    const int rows = route ? route->count : 0;
    decided = std::min(decided, rows);
    whole = whole && rows == decided;
    copied.routes.push_back(std::move(route));
    if (record.capture == CaptureLevel::Full) copied.logits.push_back(m_store->logitBlock(source, r, block));
    copied.summaries.push_back(m_store->nodeOf(source, r, 0, block));
    const auto& node = copied.summaries.back();
    whole = whole && node && !node->damaged && node->count == decided;
  }
  if (!whole) copied.summaries.clear();
  const auto& entropies = copied.tokens->entropies;
  if (routers == 0)
    decided = static_cast<int>(std::clamp<std::int64_t>(routedEnd - block * kBlockTokens, 0, count));
  copied.decided = decided;
  copied.decidedRows = static_cast<int>(
      std::count_if(entropies.begin(), entropies.begin() + decided, [](float h) { return !std::isnan(h); }));
  m_live->appendCopied(copied);
  return decided;
}

Result<void> SqliteRunRecorder::copyRows(RunId source, std::int64_t endToken) {
  const auto from = m_store->run(source);
  const RunRecord own = m_live->record();
  if (!from) return fail(refused(fmt::format("there is no run {} to copy from", source)));
  if (own.tokens != 0) return fail(refused("rows can only be copied into an empty run"));
  if (from->model != own.model || from->capture != own.capture)
    return fail(refused(fmt::format("run {} has another model or capture level", source)));
  if (endToken < 0 || endToken > from->tokens)
    return fail(refused(fmt::format("row {} is not a row of run {}", endToken, source)));
  if (endToken == 0) return {};
  if (auto adopted = adoptSequences(source, endToken); !adopted) return adopted;
  for (const SteeringEvent& event : m_store->steeringEvents(source)) {
    if (event.token < endToken) m_live->adoptEvent(event);
  }
  const std::int64_t routedEnd = own.capture == CaptureLevel::None ? routedEndOf(source, endToken) : endToken;
  bool pending = false;  // rows without choices may only stand at the end
  for (std::int64_t row = 0; row < endToken; row += kBlockTokens) {
    const auto count = static_cast<int>(std::min<std::int64_t>(kBlockTokens, endToken - row));
    const auto decided = copyBlock(source, row / kBlockTokens, count, routedEnd);
    if (!decided) return fail(decided.error());
    if (pending && *decided > 0)
      return fail("trace.bad_block", m_store->path().string(),
                  fmt::format("run {}, block {}", source, row / kBlockTokens),
                  "choices are missing before this block", "record the run again");
    pending = pending || *decided < count;
    if (const auto error = m_live->error()) return fail(*error);
  }
  m_store->publish(StoreEvent::Kind::TokensAppended, run(), {0, endToken});
  return {};
}

}  // namespace moescope::trace
