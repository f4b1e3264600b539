// What changes a SqliteTraceStore: runs that start, resume and end, names, deletion, copies, closing.
#include <utility>

#include <fmt/format.h>

#include "core/base/log.h"
#include "core/base/unix_time.h"
#include "core/trace/record_tables.h"
#include "core/trace/run_recorder.h"
#include "core/trace/run_resume.h"
#include "core/trace/sqlite_trace_store.h"

namespace moescope::trace {

namespace {

/// Results that were computed from the file are of what it was before.
Result<void> nextRevision(Database& database) {
  return database.execute(
      "UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'revision'");
}

/// Copies page by page inside SQLite, so that what other connections write meanwhile cannot tear it.
Result<void> backUp(const std::filesystem::path& from, const std::filesystem::path& to) {
  auto source = Database::open(from, SQLITE_OPEN_READONLY);
  if (!source) return fail(source.error());
  auto copy = Database::open(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!copy) return fail(copy.error());
  sqlite3_backup* backup = sqlite3_backup_init(copy->handle(), "main", source->handle(), "main");
  if (backup == nullptr) return fail(copy->error());
  const int stepped = sqlite3_backup_step(backup, -1);
  (void)sqlite3_backup_finish(backup);
  if (stepped != SQLITE_DONE) return fail(sqliteError(stepped, sqlite3_errstr(stepped), to));
  // Nobody goes on writing the runs of a copy.
  return copy->execute("PRAGMA journal_mode=DELETE; UPDATE run SET status = 'aborted' WHERE status = 'open'");
}

Result<void> updateText(Database& database, const char* sql, RunId run, const std::string& text) {
  auto update = database.prepare(sql);
  if (!update) return fail(update.error());
  update->bind(1, text).bind(2, run);
  if (const int code = update->run(); code != SQLITE_DONE) return fail(database.error(code));
  if (sqlite3_changes(database.handle()) == 0)
    return fail("trace.no_such_run", database.file().string(), fmt::format("run {}", run), "no such run");
  return {};
}

Result<void> checkRouters(const ModelRecord& model) {
  for (std::size_t r = 0; r < model.routers.size(); ++r) {
    const RouterSpec& router = model.routers[r];
    if (router.experts < 1 || router.experts > kMostExperts || router.topK < 1 ||
        router.topK > router.experts)
      return fail("trace.bad_batch", "", fmt::format("router {}", r),
                  fmt::format("{} experts and top-{} cannot be recorded", router.experts, router.topK));
  }
  if (model.routers.size() > static_cast<std::size_t>(kMostRouters))
    return fail("trace.bad_batch", "", "",
                fmt::format("{} routers cannot be recorded", model.routers.size()));
  return {};
}

}  // namespace

Result<void> SqliteTraceStore::flush() {
  if (!m_writer) return {};
  if (auto flushed = m_writer->flush(); !flushed) return flushed;
  const std::lock_guard lock(m_mutex);
  if (m_writeError) return fail(*m_writeError);
  return {};
}

void SqliteTraceStore::onFailed(LiveRun& run, const Error& error) {
  m_writer->removeRun(run);
  {
    const std::lock_guard lock(m_mutex);
    m_live.erase(run.id());
    m_failed.insert(run.id());
    m_limits.erase(run.id());
    m_writeError = error;
  }
  // What was not acknowledged is gone; blocks that were are read from the file again.
  m_tokenCache.drop(run.id());
  m_routeCache.drop(run.id());
  m_logitCache.drop(run.id());
  m_summaryCache.drop(run.id());
  m_statsCache.drop(run.id());
  publish(StoreEvent::Kind::RecordingFailed, run.id(), {}, error);
}

Result<void> SqliteTraceStore::retire(const std::shared_ptr<LiveRun>& live) {
  auto flushed = m_writer ? m_writer->flush() : Result<void>{};
  if (const auto error = live->error()) return fail(*error);
  if (!flushed) return flushed;
  m_writer->removeRun(*live);
  {
    const std::lock_guard lock(m_mutex);
    m_live.erase(live->id());
    m_limits.erase(live->id());
  }
  publish(StoreEvent::Kind::RunChanged, live->id());
  return {};
}

Result<std::unique_ptr<RunRecorder>> SqliteTraceStore::record(std::shared_ptr<LiveRun> live,
                                                              const ModelRecord& model) {
  {
    const std::lock_guard lock(m_mutex);
    const RunRecord run = live->record();
    m_shapes[run.id] = {model.id, run.capture,
                        std::make_shared<const std::vector<RouterSpec>>(model.routers)};
    m_live[run.id] = live;
    m_failed.erase(run.id);
    m_writeError.reset();
  }
  m_writer->addRun(live, model.routers);
  auto self = std::static_pointer_cast<SqliteTraceStore>(shared_from_this());
  return std::make_unique<SqliteRunRecorder>(std::move(self), std::move(live));
}

Result<std::unique_ptr<RunRecorder>> SqliteTraceStore::startRun(const ModelRecord& model,
                                                                const RunRecord& run) {
  if (!m_writer) return fail(readOnlyError());
  if (auto able = checkRouters(model); !able) return fail(able.error());
  ModelRecord owner = model;
  RunRecord record = run;
  record.status = RunStatus::Open;
  record.tokens = record.routedTokens = record.sequences = 0;
  if (record.startedMs == 0) record.startedMs = unixMilliseconds();
  record.endedMs = record.startedMs;
  auto added = m_writer->call([&](Database& database) -> Result<void> {
    auto id = findOrAddModel(database, model);
    if (!id) return fail(id.error());
    owner.id = record.model = *id;
    auto row = addRun(database, record);
    if (!row) return fail(row.error());
    record.id = *row;
    return {};
  });
  if (!added) return fail(added.error());
  auto live = std::make_shared<LiveRun>(record, owner.routers, m_options.queueLimitBytes,
                                        [writer = m_writer.get()](bool urgent) { writer->wake(urgent); });
  auto recorder = this->record(std::move(live), owner);
  publish(StoreEvent::Kind::RunAdded, record.id);
  return recorder;
}

Result<std::unique_ptr<RunRecorder>> SqliteTraceStore::resumeRun(RunId run) {
  if (!m_writer) return fail(readOnlyError());
  if (live(run))
    return fail("trace.busy", m_path.string(), fmt::format("run {}", run), "the run is being recorded");
  ResumedRun resumed;
  auto cut = m_writer->call([&](Database& database) -> Result<void> {
    auto state = cutToLastSequence(database, run);
    if (!state) return fail(state.error());
    resumed = std::move(*state);
    return {};
  });
  if (!cut) return fail(cut.error());
  m_tokenCache.drop(run);
  m_routeCache.drop(run);
  m_logitCache.drop(run);
  m_summaryCache.drop(run);
  m_statsCache.drop(run);
  auto live = std::make_shared<LiveRun>(resumed.run, resumed.model.routers, m_options.queueLimitBytes,
                                        [writer = m_writer.get()](bool urgent) { writer->wake(urgent); });
  live->restore(std::move(resumed.tail));
  auto recorder = record(std::move(live), resumed.model);
  publish(StoreEvent::Kind::RunChanged, run);
  return recorder;
}

Result<void> SqliteTraceStore::renameRun(RunId run, const std::string& name) {
  if (!m_writer) return fail(readOnlyError());
  auto done = m_writer->call([&](Database& database) {
    return updateText(database, "UPDATE run SET name = ? WHERE id = ?", run, name);
  });
  if (!done) return done;
  if (const auto recording = live(run)) recording->setTexts(&name, nullptr);
  publish(StoreEvent::Kind::RunChanged, run);
  return {};
}

Result<void> SqliteTraceStore::setNotes(RunId run, const std::string& notes) {
  if (!m_writer) return fail(readOnlyError());
  auto done = m_writer->call([&](Database& database) {
    return updateText(database, "UPDATE run SET notes = ? WHERE id = ?", run, notes);
  });
  if (!done) return done;
  if (const auto recording = live(run)) recording->setTexts(nullptr, &notes);
  publish(StoreEvent::Kind::RunChanged, run);
  return {};
}

Result<void> SqliteTraceStore::deleteRun(RunId run) {
  if (!m_writer) return fail(readOnlyError());
  if (live(run))
    return fail("trace.busy", m_path.string(), fmt::format("run {}", run), "the run is being recorded",
                "stop it first");
  auto done = m_writer->call([&](Database& database) -> Result<void> {
    const auto series = database.integer(fmt::format("SELECT series FROM series_run WHERE run = {}", run));
    if (auto deleted = database.execute(fmt::format("DELETE FROM run WHERE id = {}", run)); !deleted)
      return deleted;
    if (sqlite3_changes(database.handle()) == 0)
      return fail("trace.no_such_run", m_path.string(), fmt::format("run {}", run), "no such run");
    if (series) {
      auto emptied = database.execute(fmt::format(
          "DELETE FROM series WHERE id = {} AND id NOT IN (SELECT series FROM series_run)", *series));
      if (!emptied) return emptied;
    }
    if (auto changed = nextRevision(database); !changed) return changed;
    return database.execute("PRAGMA incremental_vacuum");  // the file gives the space back
  });
  if (!done) return done;
  m_tokenCache.drop(run);
  m_routeCache.drop(run);
  m_logitCache.drop(run);
  m_summaryCache.drop(run);
  m_statsCache.drop(run);
  {
    const std::lock_guard lock(m_mutex);
    m_shapes.erase(run);
    m_limits.erase(run);
  }
  publish(StoreEvent::Kind::RunDeleted, run);
  return {};
}

Result<void> SqliteTraceStore::saveCopy(const std::filesystem::path& target) {
  std::error_code code;
  if (std::filesystem::equivalent(target, m_path, code))
    return fail("trace.exists", target.string(), "", "the copy would replace the open trace",
                "choose another name");
  if (WriterLock::isHeld(target))
    return fail("trace.locked", target.string(), "", "another window or program is recording into that trace",
                "choose another name");
  if (m_writer) {
    if (auto flushed = m_writer->flush(); !flushed) return flushed;
  }
  std::filesystem::path part = target;
  part += ".part";
  std::filesystem::remove(part, code);
  Result<void> done = backUp(m_opened.file, part);
  if (done) {
    // The log of a killed file that stood there would be played into the copy.
    for (const char* suffix : {"-wal", "-shm", "-journal"}) {
      std::filesystem::path side = target;
      side += suffix;
      std::filesystem::remove(side, code);
    }
    code.clear();
    std::filesystem::rename(part, target, code);
    if (!code) return {};
    done = fail("trace.unwritable", target.string(), code.message(), "the copy cannot be written",
                "choose another folder");
  }
  std::filesystem::remove(part, code);
  Error error = done.error();
  error.file = target.string();
  return fail(std::move(error));
}

Result<void> SqliteTraceStore::close() {
  std::map<RunId, std::shared_ptr<LiveRun>> open;
  {
    const std::lock_guard lock(m_mutex);
    if (std::exchange(m_closed, true)) return {};
    open = m_live;
  }
  if (!m_writer) {
    m_readers.close();
    return {};
  }
  for (const auto& [id, run] : open) (void)run->finish(RunStatus::Aborted);
  Database database = m_writer->stop();
  m_readers.close();
  {
    const std::lock_guard lock(m_mutex);
    m_live.clear();
  }
  auto finished = finishFile(std::move(database));
  m_opened.lock.release();
  if (finished && !*finished)
    warnOnce("another program reads the trace, so its -wal file stays until that program ends");
  const std::lock_guard lock(m_mutex);
  if (m_writeError) return fail(*m_writeError);
  if (!finished) return fail(finished.error());
  return {};
}

}  // namespace moescope::trace
