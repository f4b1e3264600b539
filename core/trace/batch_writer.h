// BatchWriter: the persistent statements that write one WriteBatch. Not a transaction and not a thread
// (store_writer.h).
#pragma once

#include "core/base/result.h"
#include "core/trace/block_codec.h"
#include "core/trace/sqlite_handle.h"
#include "core/trace/write_batch.h"

namespace moescope::trace {

class BatchWriter {
 public:
  /// `database` must outlive the writer.
  static Result<BatchWriter> prepare(Database& database);

  /// Inserts or replaces every row of the batch. `routers` are those of its run.
  Result<void> write(const WriteBatch& batch, const std::vector<RouterSpec>& routers);

 private:
  Result<void> writeTokens(const WriteBatch& batch);
  Result<void> writeRoutes(const WriteBatch& batch, const std::vector<RouterSpec>& routers);
  Result<void> writeLogits(const WriteBatch& batch);
  Result<void> writeSummaries(const WriteBatch& batch);
  Result<void> writeStats(const WriteBatch& batch);
  Result<void> writeSequences(const WriteBatch& batch);
  Result<void> writeTexts(const WriteBatch& batch);
  Result<void> writeEffects(const WriteBatch& batch);
  Result<void> writeRun(const RunRecord& run);
  Result<void> done(Statement& statement);

  Database* m_database = nullptr;
  Statement m_token, m_route, m_logit, m_summary, m_stats, m_sequence, m_label, m_event, m_forgetEffects,
      m_effect, m_vocabulary, m_run, m_revision;
  RouteBlobs m_routeBlobs;  // reused
};

}  // namespace moescope::trace
