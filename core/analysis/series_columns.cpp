#include "core/analysis/series_columns.h"

#include <algorithm>

namespace moescope::analysis {

namespace {

ResultCell optionalCell(const std::optional<std::int64_t>& value) {
  return value ? ResultCell(*value) : ResultCell();
}

}  // namespace

std::vector<ResultColumn> seriesColumns() {
  return {{"run", ""}, {"checkpoint", ""}, {"step", "steps"}, {"train_tokens", "tokens"}, {"layer", ""}};
}

std::vector<ResultCell> seriesCells(const trace::RunRecord& run, int layer) {
  return {run.id, run.checkpointLabel, optionalCell(run.trainStep), optionalCell(run.trainTokens),
          static_cast<std::int64_t>(layer)};
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
