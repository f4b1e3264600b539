#include "core/analysis/analysed_run.h"

#include <fmt/format.h>

namespace moescope::analysis {

Result<AnalysedRun> analysedRun(const trace::TraceStore& store, trace::RunId run, trace::CaptureLevel needs) {
  const std::string file = store.path().string();
  const std::string where = fmt::format("run {}", run);
  const auto record = store.run(run);
  if (!record) {
    return fail("analysis.no_texts", file, where, "the trace has no such run",
                "choose a run that `moescope inspect` lists");
  }
  if (record->capture < needs) {
    return fail("analysis.not_recorded", file, where,
                fmt::format("this needs capture {}, and the run was recorded with {}", name(needs),
                            name(record->capture)),
                fmt::format("record the same texts again with --capture {}", name(needs)));
  }
  if (record->routedTokens == 0) {
    return fail("analysis.no_texts", file, where, "the run has no token with routing",
                "record a corpus or generate some tokens first");
  }
  return AnalysedRun{*record, store.routers(run), store.sequences(run)};
}

Result<AnalysedRun> analysedRun(const trace::TraceStore& store, const std::vector<trace::RunId>& runs,
                                trace::CaptureLevel needs) {
  if (runs.empty()) {
    return fail("analysis.no_texts", store.path().string(), "", "no run was chosen", "choose a run");
  }
  return analysedRun(store, runs.front(), needs);
}

}  // namespace moescope::analysis
