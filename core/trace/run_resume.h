// Cuts a run back to its last complete sequence, so that recording can go on without a lost or doubled
// token. Not the decision whether it may (the corpus run compares settings).
#pragma once

#include "core/base/result.h"
#include "core/trace/live_run.h"
#include "core/trace/sqlite_handle.h"

namespace moescope::trace {

struct ResumedRun {
  RunRecord run;
  ModelRecord model;
  RunTail tail;
};

/// Inside a transaction of the caller: removes what stands after the last complete sequence, sets the
/// status to open, and returns the state to go on from. Errors: `trace.no_such_run`, `trace.bad_block` if
/// the tail is damaged.
Result<ResumedRun> cutToLastSequence(Database& database, RunId run);

}  // namespace moescope::trace
