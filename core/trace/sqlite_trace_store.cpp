#include "core/trace/sqlite_trace_store.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/base/log.h"
#include "core/trace/record_tables.h"

namespace moescope::trace {

namespace {

constexpr int kReaders = 4;  // the query pool and the GUI thread
// About 10 minutes of a demo run decoded at capture weights; logits are asked for block by block.
constexpr std::size_t kTokenCacheBytes = 16 << 20;
constexpr std::size_t kRouteCacheBytes = 96 << 20;
constexpr std::size_t kLogitCacheBytes = 32 << 20;
constexpr std::size_t kSummaryCacheBytes = 48 << 20;
constexpr std::size_t kStatsCacheBytes = 8 << 20;

}  // namespace

Result<std::shared_ptr<TraceStore>> TraceStore::create(const std::filesystem::path& path,
                                                       const StoreOptions& options) {
  auto opened = createTrace(path, options.maxPages);
  if (!opened) return fail(opened.error());
  return SqliteTraceStore::over(std::move(*opened), path, true, options);
}

Result<std::shared_ptr<TraceStore>> TraceStore::open(const std::filesystem::path& path, OpenMode mode,
                                                     const StoreOptions& options) {
  const bool writable = mode == OpenMode::ReadWrite;
  auto opened = writable ? openForWriting(path, options.maxPages) : openForReading(path);
  if (!opened) return fail(opened.error());
  return SqliteTraceStore::over(std::move(*opened), path, writable, options);
}

SqliteTraceStore::SqliteTraceStore(OpenedTrace opened, std::filesystem::path path, bool writable,
                                   const StoreOptions& options)
    : m_path(std::move(path)),
      m_writable(writable),
      m_options(options),
      m_opened(std::move(opened)),
      m_readers(m_opened.file, kReaders),
      m_tokenCache(kTokenCacheBytes),
      m_routeCache(kRouteCacheBytes),
      m_logitCache(kLogitCacheBytes),
      m_summaryCache(kSummaryCacheBytes),
      m_statsCache(kStatsCacheBytes) {}

Result<std::shared_ptr<TraceStore>> SqliteTraceStore::over(OpenedTrace opened, std::filesystem::path path,
                                                           bool writable, const StoreOptions& options) {
  Database database = std::move(opened.database);
  std::shared_ptr<SqliteTraceStore> store(
      new SqliteTraceStore(std::move(opened), std::move(path), writable, options));
  if (writable) {
    if (auto started = store->startWriter(std::move(database)); !started) return fail(started.error());
  }
  return store;
}

Result<void> SqliteTraceStore::startWriter(Database database) {
  StoreWriter::Listener listener;
  listener.committed = [this](LiveRun&, const WriteBatch& batch) { onCommitted(batch); };
  listener.failed = [this](LiveRun& run, const Error& error) { onFailed(run, error); };
  auto writer = StoreWriter::start(std::move(database), std::chrono::milliseconds(m_options.commitIntervalMs),
                                   std::move(listener));
  if (!writer) return fail(writer.error());
  m_writer = std::move(*writer);
  return {};
}

SqliteTraceStore::~SqliteTraceStore() { (void)close(); }

Error SqliteTraceStore::readOnlyError() const {
  return {"trace.unwritable", m_path.string(), "", "the trace is open for reading only",
          "open it for recording, or save a copy"};
}

std::shared_ptr<LiveRun> SqliteTraceStore::live(RunId run) const {
  const std::lock_guard lock(m_mutex);
  const auto found = m_live.find(run);
  return found == m_live.end() ? nullptr : found->second;
}

void SqliteTraceStore::warnOnce(const std::string& text) const {
  {
    const std::lock_guard lock(m_mutex);
    if (!m_warned.insert(text).second) return;
    m_warnings.push_back(text);
  }
  spdlog::warn("{}: {}", m_path.string(), text);
}

std::vector<std::string> SqliteTraceStore::warnings() const {
  const std::lock_guard lock(m_mutex);
  return m_warnings;
}

std::string SqliteTraceStore::contentId() const {
  const auto reader = m_readers.lease();
  if (!reader) return {};
  const auto id = reader->database.value(
      "SELECT (SELECT value FROM meta WHERE key = 'content_id') || '.' ||"
      " (SELECT value FROM meta WHERE key = 'revision')");
  return id ? *id : std::string();
}

RunRecord SqliteTraceStore::asShown(RunRecord run) const {
  if (const auto recording = live(run.id)) return recording->record();
  {
    const std::lock_guard lock(m_mutex);
    if (m_failed.contains(run.id)) run.status = RunStatus::Aborted;
  }
  // A file may claim what it likes; rows that no block can hold are not shown.
  const TokenRange rows = clipped(run.id, {0, run.tokens});
  run.tokens = rows.end;
  run.routedTokens = std::clamp<std::int64_t>(run.routedTokens, 0, rows.end);
  return run;
}

TokenRange SqliteTraceStore::clipped(RunId run, TokenRange tokens) const {
  tokens.begin = std::max<std::int64_t>(tokens.begin, 0);
  if (const auto recording = live(run)) {
    tokens.end = std::min(tokens.end, recording->tokens());
    return tokens;
  }
  {
    const std::lock_guard lock(m_mutex);
    const auto known = m_limits.find(run);
    if (known != m_limits.end() && tokens.end <= known->second) return tokens;
  }
  std::int64_t blocks = 0;
  if (const auto reader = m_readers.lease()) {
    blocks = reader->database.integer(fmt::format("SELECT count(*) FROM token_block WHERE run = {}", run))
                 .value_or(0);
  }
  const std::int64_t limit = blocks * kBlockTokens;
  const std::lock_guard lock(m_mutex);
  m_limits[run] = limit;
  tokens.end = std::min(tokens.end, limit);
  return tokens;
}

std::vector<RunRecord> SqliteTraceStore::runs() const {
  std::vector<RunRecord> rows;
  {
    const auto reader = m_readers.lease();
    if (!reader) return {};
    auto read = readRuns(reader->database);
    if (!read) {
      warnOnce(fmt::format("the runs cannot be read: {}", read.error().text()));
      return {};
    }
    rows = std::move(*read);
  }
  for (RunRecord& row : rows) row = asShown(std::move(row));
  return rows;
}

std::optional<RunRecord> SqliteTraceStore::run(RunId run) const {
  if (const auto recording = live(run)) return recording->record();
  std::optional<RunRecord> row;
  {
    const auto reader = m_readers.lease();
    if (!reader) return std::nullopt;
    row = readRun(reader->database, run).value_or(std::nullopt);
  }
  if (!row) return std::nullopt;
  return asShown(std::move(*row));
}

std::optional<ModelRecord> SqliteTraceStore::model(std::int64_t model) const {
  const auto reader = m_readers.lease();
  if (!reader) return std::nullopt;
  auto row = readModel(reader->database, model);
  if (!row) {
    warnOnce(fmt::format("model {} cannot be read: {}", model, row.error().text()));
    return std::nullopt;
  }
  return std::move(*row);
}

std::optional<SqliteTraceStore::RunShape> SqliteTraceStore::shape(RunId id) const {
  {
    const std::lock_guard lock(m_mutex);
    const auto found = m_shapes.find(id);
    if (found != m_shapes.end()) return found->second;
  }
  const auto record = run(id);
  if (!record) return std::nullopt;
  auto owner = model(record->model);
  if (!owner) return std::nullopt;
  RunShape shape{record->model, record->capture,
                 std::make_shared<const std::vector<RouterSpec>>(std::move(owner->routers))};
  const std::lock_guard lock(m_mutex);
  m_shapes[id] = shape;
  return shape;
}

const RouterSpec* SqliteTraceStore::router(const std::optional<RunShape>& shape, int router) const {
  if (!shape || router < 0 || static_cast<std::size_t>(router) >= shape->routers->size()) return nullptr;
  return &(*shape->routers)[static_cast<std::size_t>(router)];
}

std::vector<RouterSpec> SqliteTraceStore::routers(RunId run) const {
  const auto known = shape(run);
  return known ? *known->routers : std::vector<RouterSpec>();
}

std::vector<SequenceRecord> SqliteTraceStore::sequences(RunId run) const {
  if (const auto recording = live(run)) return recording->sequences();
  const auto reader = m_readers.lease();
  if (!reader) return {};
  return readSequences(reader->database, run).value_or(std::vector<SequenceRecord>());
}

std::vector<SteeringEvent> SqliteTraceStore::steeringEvents(RunId run) const {
  if (const auto recording = live(run)) return recording->events();
  const auto reader = m_readers.lease();
  if (!reader) return {};
  return readSteeringEvents(reader->database, run).value_or(std::vector<SteeringEvent>());
}

std::vector<RuleEffect> SqliteTraceStore::ruleEffects(RunId run) const {
  if (const auto recording = live(run)) return recording->effects();
  const auto reader = m_readers.lease();
  if (!reader) return {};
  return readRuleEffects(reader->database, run).value_or(std::vector<RuleEffect>());
}

std::string SqliteTraceStore::tokenBytes(RunId run, std::int32_t id) const {
  if (const auto recording = live(run)) {
    if (auto bytes = recording->tokenBytes(id)) return *bytes;
  }
  const auto known = shape(run);
  if (!known) return {};
  const std::pair key(known->model, id);
  {
    const std::lock_guard lock(m_mutex);
    const auto found = m_vocabulary.find(key);
    if (found != m_vocabulary.end()) return found->second;
  }
  std::optional<std::string> bytes;
  {
    const auto reader = m_readers.lease();
    if (reader) bytes = readTokenBytes(reader->database, known->model, id).value_or(std::nullopt);
  }
  if (!bytes) return {};
  const std::lock_guard lock(m_mutex);
  m_vocabulary[key] = *bytes;
  return *bytes;
}

WriterState SqliteTraceStore::writerState() const {
  WriterState state;
  state.queueLimitBytes = m_options.queueLimitBytes;
  std::vector<std::shared_ptr<LiveRun>> live;
  {
    const std::lock_guard lock(m_mutex);
    for (const auto& [id, run] : m_live) live.push_back(run);
  }
  for (const auto& run : live) {
    state.queuedBytes += run->queuedBytes();
    state.oldestAgeSeconds = std::max(state.oldestAgeSeconds, run->oldestAgeSeconds());
  }
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::path file = m_path;
    file += suffix;
    std::error_code code;
    const auto size = std::filesystem::file_size(file, code);
    if (!code) state.fileBytes += static_cast<std::int64_t>(size);
  }
  return state;
}

int SqliteTraceStore::subscribe(std::function<void(const StoreEvent&)> receiver) {
  const std::lock_guard lock(m_eventMutex);
  m_receivers[m_nextReceiver] = std::move(receiver);
  return m_nextReceiver++;
}

void SqliteTraceStore::unsubscribe(int id) {
  const std::lock_guard lock(m_eventMutex);
  m_receivers.erase(id);
}

void SqliteTraceStore::publish(StoreEvent::Kind kind, RunId run, TokenRange tokens,
                               std::optional<Error> error) {
  const std::lock_guard lock(m_eventMutex);
  StoreEvent event;
  event.number = ++m_eventNumber;
  event.kind = kind;
  event.run = run;
  event.tokens = tokens;
  event.error = std::move(error);
  const auto receivers = m_receivers;  // a receiver may unsubscribe itself
  for (const auto& [id, receiver] : receivers) {
    if (m_receivers.contains(id)) receiver(event);
  }
}

}  // namespace moescope::trace
