// Analysis: the interface through which every analysis comes, built-in or from a plug-in.
// Not the formulas, which are free functions of this folder.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/analysis_result.h"
#include "core/base/progress.h"
#include "core/trace/trace_store.h"

namespace moescope::analysis {

/// What an analysis looks at.
enum class AnalysisScope : std::uint8_t {
  Run,         ///< one run
  Series,      ///< runs of the same texts through checkpoints of one model, in order of training
  Checkpoint,  ///< weights; a run only says which checkpoint
};

struct ParameterInfo {
  std::string id;            ///< "layer", "draws"
  std::string defaultValue;  ///< as typed
  std::string meaning;       ///< one line with the allowed values
};

struct AnalysisInfo {
  std::string id;     ///< "co-activation": the word on the command line and in files
  std::string label;  ///< "Co-activation": on the screen
  std::string summary;
  AnalysisScope scope = AnalysisScope::Run;
  trace::CaptureLevel needs = trace::CaptureLevel::Ids;  ///< the lowest capture level that is enough
  std::vector<ParameterInfo> parameters;
};

struct AnalysisInput {
  const trace::TraceStore& store;
  std::vector<trace::RunId> runs;  ///< one, or a series in order of training
  AnalysisParameters parameters;   ///< checked against `info().parameters`, defaults filled in
  std::optional<std::filesystem::path> checkpoint;
  ProgressCallback progress;
  /// Called with what is known so far (point estimates before intervals); may be empty.
  std::function<void(const AnalysisResult&)> partial;
  std::stop_token stop;
};

class Analysis {
 public:
  virtual ~Analysis() = default;
  [[nodiscard]] virtual const AnalysisInfo& info() const = 0;
  /// Any thread, and several at once. Errors: `analysis.*`, `cancelled`.
  [[nodiscard]] virtual Result<AnalysisResult> run(const AnalysisInput& input) const = 0;
};

}  // namespace moescope::analysis
