// parallelJobs: many independent jobs on a few threads, with progress and a stop token.
// Not for jobs that depend on each other or on which thread they run.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace moescope::analysis {

/// Threads of an analysis: it runs beside a window and often beside a model.
inline constexpr int kAnalysisThreads = 2;

/// Calls `job(index)` once for each of [0, jobs), in any order. The calling thread waits and calls
/// `report(done)` a few times a second (may be empty). Jobs that have not begun when `stop` is requested are
/// left out; a running job must look at the token itself. Returns true if all jobs were done. An exception of
/// a job ends the others and is thrown on.
bool parallelJobs(std::size_t jobs, int threads, const std::stop_token& stop,
                  const std::function<void(std::size_t)>& job,
                  const std::function<void(std::size_t)>& report);

}  // namespace moescope::analysis
