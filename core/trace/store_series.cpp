// Series of a SqliteTraceStore: runs of the same texts through checkpoints of one model, in order of
// training.
#include <fmt/format.h>

#include "core/base/unix_time.h"
#include "core/trace/sqlite_trace_store.h"

namespace moescope::trace {

namespace {

Result<std::vector<SeriesRecord>> readSeries(const Database& database) {
  auto rows = database.prepare("SELECT id, name, settings, created_ms FROM series ORDER BY id");
  if (!rows) return fail(rows.error());
  // The join leaves out what a foreign file says of runs it does not have.
  auto members = database.prepare(
      "SELECT run.id FROM series_run JOIN run ON run.id = series_run.run"
      " WHERE series = ? ORDER BY ordinal");
  if (!members) return fail(members.error());
  std::vector<SeriesRecord> all;
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    SeriesRecord series{rows->integer(0), rows->text(1), rows->text(2), rows->integer(3), {}};
    members->bind(1, series.id);
    while ((code = members->step()) == SQLITE_ROW) series.runs.push_back(members->integer(0));
    members->reset();
    if (code != SQLITE_DONE) return fail(database.error(code));
    all.push_back(std::move(series));
  }
  if (code != SQLITE_DONE) return fail(database.error(code));
  return all;
}

Error noSuchSeries(const Database& database, std::int64_t series) {
  return {"trace.no_such_series", database.file().string(), fmt::format("series {}", series),
          "no such series", ""};
}

Result<void> append(Database& database, std::int64_t series, RunId run) {
  const auto count = [&](const char* table, const char* column, std::int64_t id) {
    return database.integer(fmt::format("SELECT count(*) FROM {} WHERE {} = {}", table, column, id))
        .value_or(0);
  };
  if (count("series", "id", series) == 0) return fail(noSuchSeries(database, series));
  const std::string where = fmt::format("run {}", run);
  if (count("run", "id", run) == 0)
    return fail("trace.no_such_run", database.file().string(), where, "no such run");
  if (count("series_run", "run", run) > 0)
    return fail("trace.in_series", database.file().string(), where, "the run belongs to a series already",
                "delete that series first; its runs stay");
  return database.execute(
      fmt::format("INSERT INTO series_run SELECT {0}, coalesce(max(ordinal) + 1, 0), {1} FROM series_run "
                  "WHERE series = {0}",
                  series, run));
}

}  // namespace

std::vector<SeriesRecord> SqliteTraceStore::allSeries() const {
  auto series = [&]() -> Result<std::vector<SeriesRecord>> {
    const auto reader = m_readers.lease();
    if (!reader) return std::vector<SeriesRecord>();
    const auto tables = reader->database.integer(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('series', 'series_run')");
    if (!tables) return fail(tables.error());
    if (*tables < 2) return std::vector<SeriesRecord>();  // a file of schema 1, open for reading only
    return readSeries(reader->database);
  }();
  if (!series) {
    warnOnce(fmt::format("the series cannot be read: {}", series.error().text()));
    return {};
  }
  return *std::move(series);
}

Result<std::int64_t> SqliteTraceStore::startSeries(const std::string& name, const std::string& settingsJson) {
  if (!m_writer) return fail(readOnlyError());
  std::int64_t id = 0;
  auto done = m_writer->call([&](Database& database) -> Result<void> {
    auto insert = database.prepare("INSERT INTO series (name, settings, created_ms) VALUES (?, ?, ?)");
    if (!insert) return fail(insert.error());
    insert->bind(1, name).bind(2, settingsJson).bind(3, unixMilliseconds());
    if (const int code = insert->run(); code != SQLITE_DONE) return fail(database.error(code));
    id = sqlite3_last_insert_rowid(database.handle());
    return {};
  });
  if (!done) return fail(done.error());
  publish(StoreEvent::Kind::SeriesChanged, 0);
  return id;
}

Result<void> SqliteTraceStore::addToSeries(std::int64_t series, RunId run) {
  if (!m_writer) return fail(readOnlyError());
  auto done = m_writer->call([&](Database& database) { return append(database, series, run); });
  if (done) publish(StoreEvent::Kind::SeriesChanged, run);
  return done;
}

Result<void> SqliteTraceStore::renameSeries(std::int64_t series, const std::string& name) {
  if (!m_writer) return fail(readOnlyError());
  auto done = m_writer->call([&](Database& database) -> Result<void> {
    auto update = database.prepare("UPDATE series SET name = ? WHERE id = ?");
    if (!update) return fail(update.error());
    update->bind(1, name).bind(2, series);
    if (const int code = update->run(); code != SQLITE_DONE) return fail(database.error(code));
    if (sqlite3_changes(database.handle()) == 0) return fail(noSuchSeries(database, series));
    return {};
  });
  if (done) publish(StoreEvent::Kind::SeriesChanged, 0);
  return done;
}

Result<void> SqliteTraceStore::deleteSeries(std::int64_t series) {
  if (!m_writer) return fail(readOnlyError());
  auto done = m_writer->call([&](Database& database) -> Result<void> {
    if (auto deleted = database.execute(fmt::format("DELETE FROM series WHERE id = {}", series)); !deleted)
      return deleted;
    if (sqlite3_changes(database.handle()) == 0) return fail(noSuchSeries(database, series));
    return {};
  });
  if (done) publish(StoreEvent::Kind::SeriesChanged, 0);
  return done;
}

std::set<RunId> runsOfSeries(const TraceStore& store) {
  std::set<RunId> runs;
  for (const SeriesRecord& series : store.allSeries()) runs.insert(series.runs.begin(), series.runs.end());
  return runs;
}

}  // namespace moescope::trace
