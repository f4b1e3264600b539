// How a SqliteTraceStore finds a block: in the run that is being recorded, in the cache, in the file.
#include <fmt/format.h>

#include "core/trace/load_query.h"
#include "core/trace/sqlite_trace_store.h"

namespace moescope::trace {

namespace {

std::size_t bytesOfBlock(const TokenBlock& block) { return 128 + static_cast<std::size_t>(block.count) * 61; }
std::size_t bytesOfBlock(const RouteBlock& block) {
  return 128 + 2 * (block.ids.size() + block.nativeIds.size()) +
         4 * (block.weights.size() + block.droppedNativeMass.size());
}
std::size_t bytesOfBlock(const LogitBlock& block) { return 128 + 2 * block.halves.size(); }
std::size_t bytesOfBlock(const BlockSummary& node) { return 128 + 12 * node.counts.size(); }
std::size_t bytesOfBlock(const SequenceStats& sums) { return 192 + 32 * sums.counts.size(); }

/// Rows that are read at a time by who reads one after the other.
constexpr int kReadAhead = 64;

/// The store as a load query reads it.
class StoreBlocks final : public BlockSource {
 public:
  explicit StoreBlocks(const SqliteTraceStore& store) : m_store(store) {}
  std::shared_ptr<const TokenBlock> tokenBlock(RunId run, std::int64_t block) override {
    return m_store.tokenBlock(run, block);
  }
  std::shared_ptr<const RouteBlock> routeBlock(RunId run, int router, std::int64_t block) override {
    return m_store.routeBlock(run, router, block);
  }
  std::shared_ptr<const LogitBlock> logitBlock(RunId run, int router, std::int64_t block) override {
    return m_store.logitBlock(run, router, block);
  }
  std::shared_ptr<const BlockSummary> summary(RunId run, int router, int level, std::int64_t block) override {
    return m_store.nodeOf(run, router, level, block);
  }

 private:
  const SqliteTraceStore& m_store;
};

template <class Block>
void keep(BlockCache<Block>& cache, const BlockKey& key, const std::shared_ptr<const Block>& block,
          bool whole) {
  // The tail of a file that another program is writing grows; only whole blocks are final.
  if (block && !block->damaged && whole) cache.put(key, block, bytesOfBlock(*block));
}

}  // namespace

std::shared_ptr<const TokenBlock> SqliteTraceStore::tokenBlock(RunId run, std::int64_t block) const {
  if (const auto recording = live(run)) {
    if (auto snapshot = recording->tokenBlock(block)) return *snapshot;
  }
  const BlockKey key{run, 0, 0, block};
  if (auto cached = m_tokenCache.find(key)) return cached;
  std::shared_ptr<const TokenBlock> read;
  {
    const auto reader = m_readers.lease();
    if (reader) read = reader->blocks.tokenBlock(run, block);
  }
  if (read && read->damaged) warnOnce(fmt::format("run {}, tokens, block {} is damaged", run, block));
  keep(m_tokenCache, key, read, m_writable && read && read->count == kBlockTokens);
  return read;
}

std::shared_ptr<const RouteBlock> SqliteTraceStore::routeBlock(RunId run, int index,
                                                               std::int64_t block) const {
  if (const auto recording = live(run)) {
    if (auto snapshot = recording->routeBlock(index, block)) return *snapshot;
  }
  const BlockKey key{run, index, 0, block};
  if (auto cached = m_routeCache.find(key)) return cached;
  const auto known = shape(run);
  const RouterSpec* spec = router(known, index);
  if (spec == nullptr || known->capture == CaptureLevel::None) return nullptr;
  std::vector<std::shared_ptr<const RouteBlock>> blocks;
  std::shared_ptr<const RouteBlock> read;
  {
    const int most = m_routeCache.find({run, index, 0, block - 1}) ? kReadAhead : 1;
    const auto reader = m_readers.lease();
    if (reader) blocks = reader->blocks.routeBlocks(run, index, block, most, *spec, known->capture);
  }
  if (!blocks.empty()) read = blocks.front();
  if (read && read->damaged)
    warnOnce(fmt::format("run {}, router {}, layer {}, block {} is damaged", run, index, spec->layer.value,
                         block));
  for (std::size_t i = blocks.size(); i-- > 0;) {
    const std::int64_t number = block + static_cast<std::int64_t>(i);
    keep(m_routeCache, {run, index, 0, number}, blocks[i], blocks[i]->count == kBlockTokens);
  }
  return read;
}

std::shared_ptr<const LogitBlock> SqliteTraceStore::logitBlock(RunId run, int index,
                                                               std::int64_t block) const {
  if (const auto recording = live(run)) {
    if (auto snapshot = recording->logitBlock(index, block)) return *snapshot;
  }
  const BlockKey key{run, index, 0, block};
  if (auto cached = m_logitCache.find(key)) return cached;
  const auto known = shape(run);
  const RouterSpec* spec = router(known, index);
  if (spec == nullptr || known->capture != CaptureLevel::Full) return nullptr;
  std::shared_ptr<const LogitBlock> read;
  {
    const auto reader = m_readers.lease();
    if (reader) read = reader->blocks.logitBlock(run, index, block, *spec);
  }
  if (read && read->damaged)
    warnOnce(fmt::format("run {}, router {}, layer {}, logits of block {} are damaged", run, index,
                         spec->layer.value, block));
  keep(m_logitCache, key, read, read && read->count == kBlockTokens);
  return read;
}

std::shared_ptr<const BlockSummary> SqliteTraceStore::nodeOf(RunId run, int index, int level,
                                                             std::int64_t block) const {
  if (const auto recording = live(run)) {
    if (auto snapshot = recording->summary(index, level, block)) return *snapshot;
  }
  const BlockKey key{run, index, level, block};
  if (auto cached = m_summaryCache.find(key)) return cached;
  const auto known = shape(run);
  const RouterSpec* spec = router(known, index);
  if (spec == nullptr || known->capture == CaptureLevel::None) return nullptr;
  std::shared_ptr<const BlockSummary> read;
  {
    const auto reader = m_readers.lease();
    if (reader) read = reader->blocks.summary(run, index, level, block, *spec);
  }
  if (read && read->damaged)
    warnOnce(fmt::format("run {}, router {}, layer {}, summary {} of level {} is damaged", run, index,
                         spec->layer.value, block, level));
  keep(m_summaryCache, key, read, read && read->count == summarySpan(level));
  return read;
}

LoadSummary SqliteTraceStore::load(RunId run, int index, TokenRange tokens, std::stop_token stop) const {
  const auto known = shape(run);
  const RouterSpec* spec = router(known, index);
  if (spec == nullptr) return {};
  StoreBlocks source(*this);
  return computeLoad(source, {run, index, clipped(run, tokens), spec, known->capture}, stop);
}

std::optional<SequenceStats> SqliteTraceStore::sequenceStats(RunId run, int index,
                                                             std::int32_t sequence) const {
  if (const auto recording = live(run)) {
    if (const auto stats = recording->stats(index, sequence)) return *stats;
  }
  if (const auto cached = m_statsCache.find({run, index, 0, sequence})) return *cached;
  const auto known = shape(run);
  const RouterSpec* spec = router(known, index);
  if (spec == nullptr) return std::nullopt;
  bool damaged = false;
  std::vector<SequenceStats> read;
  {
    const int most = m_statsCache.find({run, index, 0, sequence - std::int64_t{1}}) ? kReadAhead : 1;
    const auto reader = m_readers.lease();
    if (reader) read = reader->blocks.stats(run, index, sequence, most, *spec, damaged);
  }
  if (damaged)
    warnOnce(fmt::format("run {}, router {}, sums of sequence {} are damaged", run, index, sequence));
  if (read.empty()) return std::nullopt;
  // Sums are written once, when their sequence ends.
  for (std::size_t i = read.size(); i-- > 0;) {
    m_statsCache.put({run, index, 0, sequence + static_cast<std::int64_t>(i)},
                     std::make_shared<const SequenceStats>(read[i]), bytesOfBlock(read[i]));
  }
  return std::move(read.front());
}

void SqliteTraceStore::onCommitted(const WriteBatch& batch) {
  const RunId run = batch.run.id;
  for (const auto& item : batch.tokens) keep(m_tokenCache, {run, 0, 0, item.block}, item.columns, item.final);
  for (const auto& item : batch.routes)
    keep(m_routeCache, {run, item.router, 0, item.block}, item.columns, item.final);
  for (const auto& item : batch.logits)
    keep(m_logitCache, {run, item.router, 0, item.block}, item.columns, item.final);
  for (const auto& item : batch.summaries)
    keep(m_summaryCache, {run, item.router, item.level, item.block}, item.summary, item.final);
}

}  // namespace moescope::trace
