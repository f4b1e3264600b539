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

/// Kinds of metrics, in the order in which lists offer them.
enum class MetricGroup : std::uint8_t { Loss, Balance, Information, Stability, Congestion, Other };

/// "Balance", "Congestion fit (R1)": the heading of a group in a list.
std::string_view headingOf(MetricGroup group);

/// One metric over checkpoints and layers. Column 0 is the mean of the layers, column 1 + i is layer i.
struct SeriesMetric {
  std::string id;     ///< column of the result: "cv"
  std::string label;  ///< "Peak load factor B₀ (a)"
  std::string unit;
  MetricGroup group = MetricGroup::Other;
  std::string level, levelName;    ///< id of the metric that is the level to compare with: shuffled labels
  std::optional<double> baseline;  ///< even load, chance
  std::string baselineName;        ///< "uniform", "chance"
  std::vector<double> values;      ///< [checkpoints, 1 + layers]; NaN: undefined
  std::vector<double> low, high;   ///< likewise, 95 % intervals; NaN: none
  /// Of a fitted coefficient: share of the fits that lie on an end of the search range, where the number says
  /// nothing (analyses.md 10). Empty for other metrics, NaN where it is not known.
  std::vector<double> boundary;
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
  std::vector<std::string> missing;  ///< what could not be computed, why, and what to do about it
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

/// One column of numbers of a table and what it is called on axes.
struct MetricColumn {
  std::string_view column;
  std::string_view id = {};                   ///< empty: the column's name
  std::string_view low = {}, high = {};       ///< columns; empty: `column` with _low and _high, if there
  std::string_view where = {}, whereIs = {};  ///< take only rows whose column `where` says `whereIs`
  std::string_view baseline = {};             ///< a column with the level to compare with
  std::string_view baselineName = {};
};

/// Takes one metric from a table with the columns `run` and `layer` ("mean" or the layer's number; without
/// that column every row is the mean). Rows of other runs are passed over; values that are there already
/// stay where the table has none. Nothing happens if the table has no such column.
void takeMetric(SeriesMetrics& series, const ResultTable& table, const MetricColumn& column);
/// Takes every column of numbers that is not the end of an interval or named in `leaveOut`.
void takeMetrics(SeriesMetrics& series, const ResultTable& table,
                 const std::vector<std::string_view>& leaveOut = {});
/// The numbers of a column in the places of a metric's values; NaN where the table has none.
std::vector<double> columnValues(const SeriesMetrics& series, const ResultTable& table,
                                 std::string_view column);
/// Sorts the metrics by group, then in the order of the list of known metrics.
void sortMetrics(SeriesMetrics& series);
/// Gives metrics that have layers but no mean the plain mean of the layers, without an interval.
void fillMeans(SeriesMetrics& series);

}  // namespace moescope::analysis
