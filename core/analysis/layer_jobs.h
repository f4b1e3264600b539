// LayerJobs: the frame of an analysis that treats each router by itself: parameters, threads, progress,
// notes. Not for what is computed.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/analysis/analysed_run.h"
#include "core/analysis/analysis.h"

namespace moescope::analysis {

struct LayerSettings {
  std::vector<int> routers;  ///< indices
  int draws = 0;             ///< of the bootstrap
  std::uint64_t seed = 0;
};
/// The parameters `layer`, `draws` and `seed`.
std::vector<ParameterInfo> layerParameters(const std::string& draws = "1000");
/// Errors: `analysis.bad_param`.
Result<LayerSettings> layerSettings(const AnalysisParameters& parameters,
                                    const std::vector<RouterSpec>& routers);

/// Calls `job(index)` for every index of `jobs` layers on a few threads, with the input's progress. Errors:
/// the first of a job, `cancelled`.
Result<void> forEachLayer(const AnalysisInput& input, const std::string& activity, std::size_t jobs,
                          const std::function<Result<void>(std::size_t)>& job);

/// Filled in: id, parameters, sample, and the note that steering changed the choices where it did.
AnalysisResult resultFor(const AnalysisInfo& info, const AnalysisInput& input, const AnalysedRun& run);

/// "0", "1", ... for rows and columns of experts.
std::vector<std::string> expertNames(int experts);
/// [layers] "0", "7": names of routers' layers.
std::vector<std::string> layerNames(const std::vector<RouterSpec>& routers, const std::vector<int>& indices);

}  // namespace moescope::analysis
