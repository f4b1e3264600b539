// Sets the counts of runs right after their program was killed. Never deletes anything.
#pragma once

#include <cstdint>

#include "core/base/result.h"
#include "core/trace/routing_types.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

/// What the blocks of a run say.
struct RunCounts {
  std::int64_t tokens = 0;        ///< rows without a hole from row 0 on
  std::int64_t routedTokens = 0;  ///< rows with a decision at every router that sees them
  std::int64_t sequences = 0;
  bool operator==(const RunCounts&) const = default;
};

Result<RunCounts> countRun(Database& database, const RunRecord& run);
/// Writes the counts into `run`, and into sequences that claim rows beyond them.
Result<void> writeCounts(Database& database, RunId run, const RunCounts& counts);
/// Every run that is still open gets its counts and the status aborted; one transaction.
Result<void> repairOpenRuns(Database& database);

}  // namespace moescope::trace
