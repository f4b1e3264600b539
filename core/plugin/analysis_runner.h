// Analysis runner: an analysis asked for in words (`moescope analyze`, the window, figures): which runs,
// which parameters, and whether they fit. Not for formulas or for showing results.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/analysis.h"
#include "core/plugin/plugin_host.h"

namespace moescope::plugin {

struct AnalysisRequest {
  std::string analysis;     ///< id
  std::string run = {};     ///< id or name; empty: the last run that has what the analysis needs
  std::string series = {};  ///< id or name; empty: the newest, or every run with a training step
  analysis::AnalysisParameters parameters = {};
  std::optional<std::filesystem::path> checkpoint = {};  ///< folder
};

struct AnalysisCallbacks {
  ProgressCallback progress;                                     ///< may be empty
  std::function<void(const analysis::AnalysisResult&)> partial;  ///< may be empty
  std::stop_token stop;
};

/// Checks `given` against the analysis and fills in its defaults. Errors: `analysis.bad_param`, which names
/// the known ones.
Result<analysis::AnalysisParameters> filledParameters(const analysis::AnalysisInfo& info,
                                                      const analysis::AnalysisParameters& given);

/// The series with this number, else the newest with this name, or without a word the newest; null if there
/// is none.
const trace::SeriesRecord* chosenSeries(std::span<const trace::SeriesRecord> all, const std::string& word);

/// The runs that the request means, in order of training for a series. Errors: `analysis.no_such_run`,
/// `analysis.no_such_series`, `analysis.bad_series` (fewer than two checkpoints, equal steps, mixed models),
/// `analysis.not_recorded` (capture level too low), `analysis.no_checkpoint`, `analysis.bad_request`.
Result<std::vector<trace::RunId>> chosenRuns(const trace::TraceStore& store,
                                             const analysis::AnalysisInfo& info,
                                             const AnalysisRequest& request);

/// Any thread. A result of the same runs, parameters and versions that the trace holds is returned at once; a
/// new one is kept there if the file is open for writing, unless it is of a checkpoint or a run that is still
/// being written. Errors: those above, `analysis.unknown`, `analysis.bad_result` (tables that do not fit
/// their columns), `cancelled`, and those of the analysis.
Result<analysis::AnalysisResult> runAnalysis(const PluginHost& host, trace::TraceStore& store,
                                             const AnalysisRequest& request,
                                             const AnalysisCallbacks& callbacks = {});

}  // namespace moescope::plugin
