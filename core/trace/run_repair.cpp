#include "core/trace/run_repair.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/trace/record_tables.h"

namespace moescope::trace {

namespace {

Result<std::int64_t> countTokens(Database& database, RunId run) {
  auto rows = database.prepare("SELECT block, count FROM token_block WHERE run = ? ORDER BY block");
  if (!rows) return fail(rows.error());
  rows->bind(1, run);
  std::int64_t tokens = 0;
  int code = SQLITE_ROW;
  while ((code = rows->step()) == SQLITE_ROW) {
    const std::int64_t count = rows->integer(1);
    if (tokens % kBlockTokens != 0 || rows->integer(0) != tokens / kBlockTokens || count < 1 ||
        count > kBlockTokens)
      return tokens;
    tokens += count;
  }
  if (code != SQLITE_DONE) return fail(database.error(code));
  return tokens;
}

}  // namespace

Result<RunCounts> countRun(Database& database, const RunRecord& run) {
  RunCounts counts;
  const auto tokens = countTokens(database, run.id);
  if (!tokens) return fail(tokens.error());
  counts.tokens = *tokens;
  const auto sequences =
      database.integer(fmt::format("SELECT count(*) FROM sequence WHERE run = {}", run.id));
  if (!sequences) return fail(sequences.error());
  counts.sequences = *sequences;
  counts.routedTokens = std::clamp<std::int64_t>(run.routedTokens, 0, counts.tokens);
  if (run.capture == CaptureLevel::None) return counts;
  const auto encoderLayers = readEncoderLayers(database, run.model);
  if (!encoderLayers) return fail(encoderLayers.error());
  // A token is seen by the routers of its part of the model. A router without any block has decided nothing,
  // so it counts as 0 too.
  const auto routed = database.integer(fmt::format(
      "SELECT coalesce(sum(least), 0) FROM (SELECT min(decided) AS least FROM (SELECT r.layer >= {} AS part,"
      " coalesce(sum(s.tokens), 0) AS decided FROM router r"
      " LEFT JOIN summary s ON s.run = {} AND s.router = r.router AND s.level = 0"
      " WHERE r.model = {} GROUP BY r.router) GROUP BY part)",
      *encoderLayers, run.id, run.model));
  if (!routed) return fail(routed.error());
  counts.routedTokens = std::clamp<std::int64_t>(*routed, 0, counts.tokens);
  return counts;
}

Result<void> writeCounts(Database& database, RunId run, const RunCounts& counts) {
  return database.execute(
      fmt::format("UPDATE run SET tokens = {1}, routed_tokens = {2}, sequences = {3} WHERE id = {0};"
                  "UPDATE sequence SET length = max(0, {1} - first_token), complete = 0"
                  " WHERE run = {0} AND first_token + length > {1}",
                  run, counts.tokens, counts.routedTokens, counts.sequences));
}

Result<void> repairOpenRuns(Database& database) {
  const auto runs = readRuns(database);
  if (!runs) return fail(runs.error());
  const bool any =
      std::ranges::any_of(*runs, [](const RunRecord& run) { return run.status == RunStatus::Open; });
  if (!any) return {};
  return inTransaction(database, [&]() -> Result<void> {
    for (const RunRecord& run : *runs) {
      if (run.status != RunStatus::Open) continue;
      const auto counts = countRun(database, run);
      if (!counts) return fail(counts.error());
      if (auto written = writeCounts(database, run.id, *counts); !written) return written;
      auto closed = database.execute(fmt::format("UPDATE run SET status = 'aborted' WHERE id = {}", run.id));
      if (!closed) return closed;
    }
    return {};
  });
}

}  // namespace moescope::trace
