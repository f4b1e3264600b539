// SeriesMetrics: what several analyses found along one series of checkpoints, metric by metric, so that any
// of them can stand on any axis. Not for computing metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/analysis_result.h"
#include "core/trace/trace_store.h"

namespace moescope::analysis {

struct SeriesCheckpoint {
  trace::RunId run = 0;
  std::string label;  ///< "step 512", or the checkpoint's own name where it has no step
  std::optional<std::int64_t> step, tokens;
};

/// One metric over checkpoints and layers. Column 0 is the mean of the layers, column 1 + i is layer i.
struct SeriesMetric {
  std::string id;     ///< column of the result: "cv"
  std::string label;  ///< "CV of the load"
  std::string unit;
  std::optional<double> baseline;  ///< even load, chance
  std::string baselineName;        ///< "uniform", "chance"
  std::vector<double> values;      ///< [checkpoints, 1 + layers]; NaN: undefined
  std::vector<double> low, high;   ///< likewise, 95 % intervals; NaN: none
};

/// A stretch of training that a segmentation names.
struct SeriesPhase {
  std::string name;  ///< "surge", "stabilization", "relaxation"
  std::int64_t firstStep = 0, lastStep = 0;
};

struct SeriesMetrics {
  std::string name;  ///< of the series
  std::vector<SeriesCheckpoint> checkpoints;
  std::vector<int> layers;  ///< layer numbers
  std::vector<SeriesMetric> metrics;
  std::vector<SeriesPhase> phases;
  std::string phasesNote;  ///< how they were found, or why there are none
  std::string sample, interval;
  std::vector<std::string> notes;

  [[nodiscard]] const SeriesMetric* metric(std::string_view id) const;
  [[nodiscard]] std::size_t width() const { return 1 + layers.size(); }
  /// Index of `column` (0 = mean of the layers) at a checkpoint in the lists of a metric.
  [[nodiscard]] std::size_t at(std::size_t checkpoint, std::size_t column) const {
    return checkpoint * width() + column;
  }
};

/// Checkpoints and layers of the runs, in their order, without metrics. Errors: `analysis.no_such_run`.
Result<SeriesMetrics> seriesOf(const trace::TraceStore& store, const std::string& name,
                               const std::vector<trace::RunId>& runs);

/// Takes the metrics of a table with the columns `run` and `layer` ("mean" or the layer's number; without
/// that column every row is the mean): each further column of numbers with its `_low` and `_high` beside it.
/// Metrics that are there already are replaced; columns named in `leaveOut` and rows of other runs are
/// passed over.
void takeMetrics(SeriesMetrics& series, const ResultTable& table,
                 const std::vector<std::string_view>& leaveOut = {});

}  // namespace moescope::analysis
