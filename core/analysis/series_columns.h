// Series columns: the first columns of every table over a series: which run, which checkpoint, which layer.
// Not for the order of a series (that is the runs' order).
#pragma once

#include <vector>

#include "core/analysis/analysis_result.h"
#include "core/trace/routing_types.h"

namespace moescope::analysis {

/// run, checkpoint, step, train_tokens.
std::vector<ResultColumn> checkpointColumns();
std::vector<ResultCell> checkpointCells(trace::RunId run, const std::string& checkpoint,
                                        const std::optional<std::int64_t>& step,
                                        const std::optional<std::int64_t>& trainTokens);
/// The same, and layer.
std::vector<ResultColumn> seriesColumns();
std::vector<ResultCell> seriesCells(const trace::RunRecord& run, int layer);

/// Where each checkpoint stands in [0, 1]: step / last step where all runs know their step and the steps do
/// not fall, else by order (`bySteps` says which).
struct TrainingProgress {
  std::vector<double> places;  ///< [runs]
  bool bySteps = false;
};
TrainingProgress trainingProgress(const std::vector<trace::RunRecord>& runs);

}  // namespace moescope::analysis
