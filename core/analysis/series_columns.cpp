#include "core/analysis/series_columns.h"

#include <algorithm>

#include "core/analysis/result_cells.h"

namespace moescope::analysis {

std::vector<ResultColumn> checkpointColumns() {
  return {{"run", ""}, {"checkpoint", ""}, {"step", "steps"}, {"train_tokens", "tokens"}};
}

std::vector<ResultCell> checkpointCells(trace::RunId run, const std::string& checkpoint,
                                        const std::optional<std::int64_t>& step,
                                        const std::optional<std::int64_t>& trainTokens) {
  return {run, checkpoint, cell(step), cell(trainTokens)};
}

std::vector<ResultColumn> seriesColumns() {
  auto columns = checkpointColumns();
  columns.push_back({"layer", ""});
  return columns;
}

std::vector<ResultCell> seriesCells(const trace::RunRecord& run, int layer) {
  auto cells = checkpointCells(run.id, run.checkpointLabel.empty() ? run.name : run.checkpointLabel,
                               run.trainStep, run.trainTokens);
  cells.push_back(cell(layer));
  return cells;
}

TrainingProgress trainingProgress(const std::vector<trace::RunRecord>& runs) {
  TrainingProgress out;
  const bool allKnown = std::ranges::all_of(runs, [](const auto& run) { return run.trainStep.has_value(); });
  const bool ascending = allKnown && std::ranges::is_sorted(runs, {}, &trace::RunRecord::trainStep);
  out.bySteps = ascending && !runs.empty() && *runs.back().trainStep > 0;
  for (std::size_t r = 0; r < runs.size(); ++r) {
    const double place = out.bySteps ? static_cast<double>(*runs[r].trainStep) : static_cast<double>(r);
    const double last = out.bySteps ? static_cast<double>(*runs.back().trainStep)
                                    : static_cast<double>(std::max<std::size_t>(runs.size() - 1, 1));
    out.places.push_back(place / last);
  }
  return out;
}

}  // namespace moescope::analysis
