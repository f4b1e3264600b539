// checkTrace: the whole file, then each run; and the repair of counts.
#include <utility>

#include <fmt/format.h>

#include "core/base/crc32.h"
#include "core/trace/check_report.h"
#include "core/trace/record_tables.h"
#include "core/trace/run_check.h"
#include "core/trace/run_repair.h"
#include "core/trace/trace_file.h"

namespace moescope::trace {

namespace {

Error cancelled(const std::filesystem::path& path) {
  return {"cancelled", path.string(), "", "cancelled", ""};
}

/// What SQLite itself finds wrong with its pages, and rows that refer to nothing.
void checkDatabase(Database& database, CheckReport& report) {
  const auto collect = [&](const char* sql, const char* place,
                           const std::function<std::string(Statement&)>& words) {
    auto rows = database.prepare(sql);
    if (!rows) return report.add(place, rows.error().message);
    int code = SQLITE_ROW;
    while ((code = rows->step()) == SQLITE_ROW) {
      if (const std::string found = words(*rows); !found.empty()) report.add(place, found);
    }
    if (code != SQLITE_DONE) report.add(place, database.error(code).message);
  };
  collect("PRAGMA integrity_check(50)", "pages", [](Statement& row) {
    const std::string verdict = row.text(0);
    return verdict == "ok" ? std::string() : verdict;
  });
  collect("SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2", "references",
          [](Statement& row) {
            return fmt::format("{} rows of {} refer to rows of {} that are not there", row.integer(2),
                               row.text(0), row.text(1));
          });
}

/// Checksums of kept results.
void checkResults(Database& database, CheckReport& report) {
  auto rows = database.prepare("SELECT id, analysis, crc, result FROM analysis_result ORDER BY id");
  if (!rows) return report.add("results", rows.error().message);
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    if (rows->integer(2) != std::int64_t{crc32(0, rows->blob(3))})
      report.add(fmt::format("result {}", rows->integer(0)),
                 fmt::format("the kept result of the analysis {} has a wrong checksum", rows->text(1)));
  }
  if (code != SQLITE_DONE) report.add("results", database.error(code).message);
}

/// A file without a log is as long as its header says.
void checkLength(Database& database, CheckReport& report) {
  std::error_code code;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(database.file(), code));
  const auto claimed =
      database.integer("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
  const auto mode = database.value("PRAGMA journal_mode");
  if (!code && claimed && mode && *mode != "wal" && size < *claimed)
    report.add("pages", fmt::format("the file is cut: it has {} of {} bytes", size, *claimed));
}

Result<void> checkRuns(Database& database, const std::filesystem::path& path, CheckReport& report,
                       const ProgressCallback& progress, const std::stop_token& stop) {
  const auto runs = readRuns(database);
  if (!runs) {
    report.add("runs", "they cannot be read: " + runs.error().message);
    return {};
  }
  auto reader = BlockReader::prepare(database);
  if (!reader) return fail(reader.error());
  Progress state{"Checking the trace", 0, database.integer("SELECT count(*) FROM token_block").value_or(0),
                 "blocks"};
  const bool isWritten = WriterLock::isHeld(path);
  for (const RunRecord& run : *runs) {
    auto checked = RunCheck(database, *reader, run, report, isWritten).perform([&] {
      if (progress) progress(state);
      ++state.done;
      return !stop.stop_requested();
    });
    if (!checked) return checked;
    if (stop.stop_requested()) return fail(cancelled(path));
  }
  if (progress && state.total > 0) progress({state.activity, state.total, state.total, state.unit});
  return {};
}

/// Counts of the runs in the report as their blocks say; deletes nothing.
Result<void> repairCounts(const std::filesystem::path& path, CheckReport& report) {
  auto opened = openForWriting(path, 0);  // this alone sets killed runs right
  if (!opened) return fail(opened.error());
  Database& database = opened->database;
  auto repaired = inTransaction(database, [&]() -> Result<void> {
    for (const RunId id : report.runsToCount()) {
      const auto run = readRun(database, id);
      if (!run) return fail(run.error());
      if (!*run) continue;
      const auto counts = countRun(database, **run);
      if (!counts) return fail(counts.error());
      if (auto written = writeCounts(database, id, *counts); !written) return written;
    }
    return {};
  });
  auto finished = finishFile(std::move(database));
  if (!repaired) return repaired;
  if (!finished) return fail(finished.error());
  report.markRepaired();
  return {};
}

}  // namespace

Result<std::vector<CheckIssue>> checkTrace(const std::filesystem::path& path, bool repair,
                                           const ProgressCallback& progress, std::stop_token stop) {
  CheckReport report;
  {
    auto opened = openForReading(path);
    if (!opened) return fail(opened.error());
    Database& database = opened->database;
    // One read transaction: a program that records meanwhile does not change what is being compared.
    if (auto begun = database.execute("BEGIN"); !begun) return fail(begun.error());
    checkLength(database, report);
    checkDatabase(database, report);
    checkResults(database, report);
    if (stop.stop_requested()) return fail(cancelled(path));
    if (auto checked = checkRuns(database, path, report, progress, stop); !checked)
      return fail(checked.error());
  }
  if (repair && !report.runsToCount().empty()) {
    if (auto repaired = repairCounts(path, report); !repaired) return fail(repaired.error());
  }
  return report.take();
}

}  // namespace moescope::trace
