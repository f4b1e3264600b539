// What the figures of a series share: one column of a metric over the checkpoints, and axes, names and errors
// for it. Not for whole figures (series_figures.h) or their marks (series_marks.h).
#pragma once

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/analysis/series_metrics.h"
#include "core/figure/figure_spec.h"

namespace moescope::figure {

/// Values of one column of a metric with their intervals, checkpoint by checkpoint.
struct Course {
  std::vector<double> values, low, high;
};

/// The finite values that were taken lie in it.
struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void take(double value);
  void take(const Course& course);
  [[nodiscard]] bool empty() const { return low > high; }
};

Course courseOf(const analysis::SeriesMetrics& series, const analysis::SeriesMetric& metric,
                std::size_t column);
bool hasIntervals(const Course& course);

/// Whether the step of every checkpoint is known, and training is seen at all; else x is a checkpoint's
/// place.
bool isOnSteps(std::span<const analysis::SeriesMetrics> all);
/// x of the checkpoints: steps or places as `isOnSteps` of all that share the axis says.
std::vector<double> stepsOf(const analysis::SeriesMetrics& series, bool onSteps);
/// Logarithmic with step 0 apart, or plain places.
Axis stepAxis(std::span<const analysis::SeriesMetrics> all);

/// "Loss, nat per token".
std::string axisLabel(const analysis::SeriesMetric& metric);
Axis axisFor(const std::string& label, Range range);

/// The metric; `figure.no_series`, `figure.no_such_layer`, `figure.no_such_metric` or `figure.not_recorded`
/// if it cannot be drawn.
Result<const analysis::SeriesMetric*> metricOf(const analysis::SeriesMetrics& series, const std::string& id,
                                               std::size_t column);
/// Place of the checkpoint that the run recorded; -1: none.
int ringedOf(const analysis::SeriesMetrics& series, trace::RunId run);
/// In place of a series that lacks a metric: nothing to see but its name.
Line missingLine(const analysis::SeriesMetrics& series);

/// A figure with what is said about the first series.
FigureSpec startSeries(std::span<const analysis::SeriesMetrics> all, const std::string& kind,
                       const std::string& title, std::size_t column);
/// The metric's baseline, if the axis reaches it.
void addBaseline(std::vector<ReferenceLine>& lines, const analysis::SeriesMetric& metric, const Axis& axis,
                 bool horizontal);

}  // namespace moescope::figure
