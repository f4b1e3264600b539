// The reader's and the writer's side of LiveRun: snapshots, batches, and the bounded queue.
#include <algorithm>

#include "core/base/unix_time.h"
#include "core/trace/live_run.h"

namespace moescope::trace {

namespace {

template <class Map, class Key>
auto find(const Map& map, const Key& key) -> std::optional<typename Map::mapped_type> {
  const auto found = map.find(key);
  if (found == map.end()) return std::nullopt;
  return found->second;
}

/// Forgets a committed entry, unless a newer one has taken its place.
template <class Map, class Key, class Pointer>
void forget(Map& map, const Key& key, const Pointer& pointer) {
  const auto found = map.find(key);
  if (found != map.end() && found->second == pointer) map.erase(found);
}

}  // namespace

std::int64_t LiveRun::rowBytes() const {
  std::int64_t bytes = 64;
  for (const RouterSpec& router : m_routers) {
    if (m_capture != CaptureLevel::None) bytes += std::int64_t{router.topK} * 2;
    if (m_capture == CaptureLevel::Weights || m_capture == CaptureLevel::Full)
      bytes += std::int64_t{router.topK} * 4;
    if (m_capture == CaptureLevel::Full) bytes += std::int64_t{router.experts} * 2;
  }
  return bytes;
}

void LiveRun::queued(std::int64_t bytes) {
  bool first = false;
  bool urgent = false;
  m_dirty = true;
  {
    const std::lock_guard queue(m_queueMutex);
    first = !m_pendingSince;
    if (first) m_pendingSince = Clock::now();
    m_pendingBytes += bytes;
    // A quarter of the queue at a time keeps the writer busy while the engine fills the rest.
    urgent = m_pendingBytes > m_queueLimitBytes / 4;
  }
  if (first || urgent) m_wake(urgent);
}

double LiveRun::ageSecondsLocked() const {
  const auto since = m_takenSince ? m_takenSince : m_pendingSince;
  return since ? std::chrono::duration<double>(Clock::now() - *since).count() : 0.0;
}

void LiveRun::waitForRoom() {
  std::unique_lock queue(m_queueMutex);
  const auto hasRoom = [&] {
    return m_error.has_value() ||
           (m_pendingBytes + m_takenBytes <= m_queueLimitBytes &&
            ageSecondsLocked() <= std::chrono::duration<double>(kLongestQueueAge).count());
  };
  if (hasRoom()) return;
  queue.unlock();
  m_wake(true);
  queue.lock();
  m_room.wait(queue, hasRoom);
}

void LiveRun::takeTails(WriteBatch& batch) {
  for (const std::int64_t block : m_dirtyTokens) {
    const auto found = m_openTokens.find(block);
    if (found == m_openTokens.end()) continue;
    const bool final = m_routedEnd >= (block + 1) * kBlockTokens;
    batch.tokens.push_back({0, block, found->second, final});
    if (!final) continue;
    m_unsavedTokens[block] = found->second;
    m_openTokens.erase(found);
  }
  m_dirtyTokens.clear();
  if (std::exchange(m_dirtyRoutes, false) && m_routedEnd % kBlockTokens != 0) {
    const std::int64_t block = m_routedEnd / kBlockTokens;
    for (std::size_t r = 0; r < m_builders.size(); ++r) {
      const int router = static_cast<int>(r);
      batch.routes.push_back({router, block, m_builders[r].route(), false});
      if (m_builders[r].logits()) batch.logits.push_back({router, block, m_builders[r].logits(), false});
      auto summary = std::make_shared<const BlockSummary>(m_builders[r].summary());
      batch.summaries.push_back({router, 0, block, std::move(summary), false});
    }
  }
  const std::size_t from = std::min(m_savedSequences, m_sequences.size());
  batch.sequences.assign(m_sequences.begin() + static_cast<std::ptrdiff_t>(from), m_sequences.end());
  m_savedSequences = m_openSequence ? *m_openSequence : m_sequences.size();
}

std::optional<WriteBatch> LiveRun::take() {
  const std::lock_guard append(m_appendMutex);
  {
    const std::lock_guard queue(m_queueMutex);
    if (m_error || !std::exchange(m_dirty, false)) return std::nullopt;
    m_takenBytes += std::exchange(m_pendingBytes, 0);
    m_takenSince = std::exchange(m_pendingSince, std::nullopt);
  }
  const std::lock_guard view(m_viewMutex);
  WriteBatch batch = std::exchange(m_pending, {});
  takeTails(batch);
  if (m_record.status == RunStatus::Open) m_record.endedMs = unixMilliseconds();
  batch.run = m_record;
  return batch;
}

void LiveRun::committed(const WriteBatch& batch) {
  {
    const std::lock_guard view(m_viewMutex);
    for (const auto& item : batch.tokens) forget(m_unsavedTokens, item.block, item.columns);
    for (const auto& item : batch.routes)
      forget(m_unsavedRoutes, RouterBlock(item.router, item.block), item.columns);
    for (const auto& item : batch.logits)
      forget(m_unsavedLogits, RouterBlock(item.router, item.block), item.columns);
    for (const auto& item : batch.summaries)
      forget(m_unsavedSummaries, std::tuple(item.router, item.level, item.block), item.summary);
    for (const auto& item : batch.stats)
      forget(m_unsavedStats, std::pair(item.router, item.sequence), item.stats);
  }
  {
    const std::lock_guard queue(m_queueMutex);
    m_takenBytes = 0;
    m_takenSince.reset();
  }
  m_room.notify_all();
}

void LiveRun::abandon(const Error& error) {
  {
    const std::lock_guard append(m_appendMutex);
    const std::lock_guard view(m_viewMutex);
    const std::lock_guard queue(m_queueMutex);
    m_pending = {};
    m_unsavedTokens.clear();
    m_unsavedRoutes.clear();
    m_unsavedLogits.clear();
    m_unsavedSummaries.clear();
    m_unsavedStats.clear();
    if (!m_error) m_error = error;
    m_pendingBytes = m_takenBytes = 0;
    m_pendingSince.reset();
    m_takenSince.reset();
  }
  m_room.notify_all();
}

RunRecord LiveRun::record() const {
  const std::lock_guard view(m_viewMutex);
  return m_record;
}

std::int64_t LiveRun::tokens() const {
  const std::lock_guard view(m_viewMutex);
  return m_record.tokens;
}

std::optional<std::string> LiveRun::tokenBytes(std::int32_t id) const {
  const std::lock_guard view(m_viewMutex);
  return find(m_vocabulary, id);
}

void LiveRun::setTexts(const std::string* name, const std::string* notes) {
  const std::lock_guard view(m_viewMutex);
  if (name != nullptr) m_record.name = *name;
  if (notes != nullptr) m_record.notes = *notes;
}

std::vector<SequenceRecord> LiveRun::sequences() const {
  const std::lock_guard view(m_viewMutex);
  return m_sequences;
}

std::vector<SteeringEvent> LiveRun::events() const {
  const std::lock_guard view(m_viewMutex);
  return m_events;
}

std::vector<RuleEffect> LiveRun::effects() const {
  const std::lock_guard view(m_viewMutex);
  return m_effects;
}

LiveRun::Snapshot<TokenBlock> LiveRun::tokenBlock(std::int64_t block) const {
  const std::lock_guard view(m_viewMutex);
  if (const auto open = find(m_openTokens, block)) return std::shared_ptr<const TokenBlock>(*open);
  if (auto unsaved = find(m_unsavedTokens, block)) return unsaved;
  return std::nullopt;
}

LiveRun::Snapshot<RouteBlock> LiveRun::routeBlock(int router, std::int64_t block) const {
  const auto r = static_cast<std::size_t>(router);
  const std::lock_guard view(m_viewMutex);
  if (r < m_builders.size() && block == m_builders[r].block())
    return m_builders[r].count() > 0 ? m_builders[r].route() : nullptr;
  return find(m_unsavedRoutes, RouterBlock(router, block));
}

LiveRun::Snapshot<LogitBlock> LiveRun::logitBlock(int router, std::int64_t block) const {
  const auto r = static_cast<std::size_t>(router);
  const std::lock_guard view(m_viewMutex);
  if (r < m_builders.size() && block == m_builders[r].block())
    return m_builders[r].count() > 0 ? m_builders[r].logits() : nullptr;
  return find(m_unsavedLogits, RouterBlock(router, block));
}

LiveRun::Snapshot<BlockSummary> LiveRun::summary(int router, int level, std::int64_t block) const {
  const auto r = static_cast<std::size_t>(router);
  const std::lock_guard view(m_viewMutex);
  if (level == 0 && r < m_builders.size() && block == m_builders[r].block()) {
    if (m_builders[r].count() == 0) return std::shared_ptr<const BlockSummary>();
    return std::make_shared<const BlockSummary>(m_builders[r].summary());
  }
  return find(m_unsavedSummaries, std::tuple(router, level, block));
}

std::shared_ptr<const SequenceStats> LiveRun::stats(int router, std::int32_t sequence) const {
  const std::lock_guard view(m_viewMutex);
  return find(m_unsavedStats, std::pair(router, sequence)).value_or(nullptr);
}

std::optional<Error> LiveRun::error() const {
  const std::lock_guard queue(m_queueMutex);
  return m_error;
}

std::int64_t LiveRun::queuedBytes() const {
  const std::lock_guard queue(m_queueMutex);
  return m_pendingBytes + m_takenBytes;
}

double LiveRun::oldestAgeSeconds() const {
  const std::lock_guard queue(m_queueMutex);
  return ageSecondsLocked();
}

}  // namespace moescope::trace
