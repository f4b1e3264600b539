#include "core/figure/series_course.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace moescope::figure {

using analysis::SeriesMetric;
using analysis::SeriesMetrics;

namespace {

/// Space around the points of a plane, as a share of their spread.
constexpr double kMargin = 0.06;

std::string columnName(const SeriesMetrics& series, std::size_t column) {
  if (column > series.layers.size()) return "no such layer";  // the caller reports it
  return column == 0 ? fmt::format("mean of {} layers", series.layers.size())
                     : fmt::format("layer {}", series.layers[column - 1]);
}

}  // namespace

void Range::take(double value) {
  if (!std::isfinite(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

void Range::take(const Course& course) {
  for (const auto* values : {&course.values, &course.low, &course.high}) {
    for (const double value : *values) take(value);
  }
}

Course courseOf(const SeriesMetrics& series, const SeriesMetric& metric, std::size_t column) {
  Course course;
  for (std::size_t c = 0; c < series.checkpoints.size(); ++c) {
    course.values.push_back(metric.values[series.at(c, column)]);
    course.low.push_back(metric.low[series.at(c, column)]);
    course.high.push_back(metric.high[series.at(c, column)]);
  }
  return course;
}

bool hasIntervals(const Course& course) {
  return std::any_of(course.low.begin(), course.low.end(), [](double v) { return std::isfinite(v); });
}

bool isOnSteps(std::span<const SeriesMetrics> all) {
  bool trained = false;
  for (const SeriesMetrics& series : all) {
    for (const auto& checkpoint : series.checkpoints) {
      if (!checkpoint.step) return false;
      trained = trained || *checkpoint.step > 0;
    }
  }
  return trained;
}

std::vector<double> stepsOf(const SeriesMetrics& series, bool onSteps) {
  std::vector<double> x;
  x.reserve(series.checkpoints.size());
  for (const auto& checkpoint : series.checkpoints)
    x.push_back(onSteps ? static_cast<double>(*checkpoint.step) : static_cast<double>(x.size()));
  return x;
}

Axis stepAxis(std::span<const SeriesMetrics> all) {
  Axis axis;
  if (!isOnSteps(all)) {
    std::size_t most = 1;
    for (const SeriesMetrics& series : all) most = std::max(most, series.checkpoints.size());
    axis.label = "Checkpoint";
    axis.min = -0.5;
    axis.max = static_cast<double>(most) - 0.5;
    return axis;
  }
  Range positive;
  bool zero = false;
  for (const SeriesMetrics& series : all) {
    for (const double step : stepsOf(series, true)) {
      zero = zero || step <= 0.0;
      if (step > 0.0) positive.take(step);
    }
  }
  axis.label = "Training step (log scale)";
  axis.kind = zero ? AxisKind::LogZero : AxisKind::Log10;
  axis.min = positive.low / 1.3;
  axis.max = positive.high * 1.3;
  return axis;
}

std::string axisLabel(const SeriesMetric& metric) {
  return metric.unit.empty() ? metric.label : metric.label + ", " + metric.unit;
}

Axis axisFor(const std::string& label, Range range) {
  if (range.empty()) return {label, 0.0, 1.0, {}, false, {}};
  const double spread = range.high - range.low;
  const double margin = kMargin * (spread > 0.0 ? spread : std::max(std::abs(range.high), 1.0));
  // A quantity that cannot be negative does not get an axis below 0.
  const double low = range.low >= 0.0 ? std::max(range.low - margin, 0.0) : range.low - margin;
  return {label, low, range.high + margin, {}, false, {}};
}

/// The metric with what is wrong if it cannot be drawn.
Result<const SeriesMetric*> metricOf(const SeriesMetrics& series, const std::string& id, std::size_t column) {
  if (series.checkpoints.empty())
    return fail("figure.no_series", "", series.name, "the series has no checkpoint",
                "record one with moescope series");
  if (column >= series.width())
    return fail("figure.no_such_layer", "", series.name, "the series has no such layer");
  const SeriesMetric* metric = series.metric(id);
  if (metric == nullptr) {
    std::string known;
    for (const SeriesMetric& m : series.metrics) known += (known.empty() ? "" : ", ") + m.id;
    return fail("figure.no_such_metric", "", id, "the series has no such metric", "it has " + known);
  }
  const Course course = courseOf(series, *metric, column);
  if (std::none_of(course.values.begin(), course.values.end(), [](double v) { return std::isfinite(v); }))
    return fail("figure.not_recorded", "", id, "the metric is undefined at every checkpoint of the series");
  return metric;
}

int ringedOf(const SeriesMetrics& series, trace::RunId run) {
  for (std::size_t c = 0; c < series.checkpoints.size(); ++c) {
    if (run > 0 && series.checkpoints[c].run == run) return static_cast<int>(c);
  }
  return -1;
}

/// In place of a series that lacks a metric: nothing to see but its name.
Line missingLine(const SeriesMetrics& series) {
  Line line;
  line.name = series.name + " (not recorded)";
  line.colour = kPlainColour;
  return line;
}

FigureSpec startSeries(std::span<const SeriesMetrics> all, const std::string& kind, const std::string& title,
                       std::size_t column) {
  FigureSpec spec;
  spec.kind = kind;
  spec.title = title;
  const SeriesMetrics& first = all.front();
  spec.sampleLine = fmt::format("{} · {} checkpoints · {}", first.name, first.checkpoints.size(),
                                columnName(first, column));
  if (!first.sample.empty()) spec.sampleLine += " · " + first.sample;
  if (!first.interval.empty()) spec.sampleLine += " · " + first.interval;
  if (!first.phasesNote.empty()) spec.provenance.emplace_back("phases", first.phasesNote);
  return spec;
}

void addBaseline(std::vector<ReferenceLine>& lines, const SeriesMetric& metric, const Axis& axis,
                 bool horizontal) {
  if (!metric.baseline || *metric.baseline < axis.min || *metric.baseline > axis.max) return;
  lines.push_back({horizontal, *metric.baseline, metric.baselineName, true});
}

}  // namespace moescope::figure
