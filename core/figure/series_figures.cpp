#include "core/figure/series_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "core/figure/number_text.h"
#include "core/figure/series_marks.h"

namespace moescope::figure {

namespace {

using analysis::MetricGroup;
using analysis::SeriesMetric;
using analysis::SeriesMetrics;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
/// Space around the points of a plane, as a share of their spread.
constexpr double kMargin = 0.06;

/// Values of one column of a metric with their intervals, checkpoint by checkpoint.
struct Course {
  std::vector<double> values, low, high;
};

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -std::numeric_limits<double>::infinity();
  void take(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void take(const Course& course) {
    for (const auto* values : {&course.values, &course.low, &course.high}) {
      for (const double value : *values) take(value);
    }
  }
  [[nodiscard]] bool empty() const { return low > high; }
};

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

/// x of a checkpoint on the axis of steps: its step, or its place where steps are not known.
double stepOf(const SeriesMetrics& series, std::size_t checkpoint) {
  const auto& step = series.checkpoints[checkpoint].step;
  return static_cast<double>(step ? *step : static_cast<std::int64_t>(checkpoint));
}

bool knowsSteps(std::span<const SeriesMetrics> all) {
  return std::all_of(all.begin(), all.end(), [](const SeriesMetrics& series) {
    return std::all_of(series.checkpoints.begin(), series.checkpoints.end(),
                       [](const auto& c) { return c.step.has_value(); });
  });
}

Axis stepAxis(std::span<const SeriesMetrics> all) {
  Range positive;
  bool zero = false;
  std::size_t most = 1;
  for (const SeriesMetrics& series : all) {
    most = std::max(most, series.checkpoints.size());
    for (std::size_t c = 0; c < series.checkpoints.size(); ++c) {
      const double step = stepOf(series, c);
      zero = zero || step <= 0.0;
      if (step > 0.0) positive.take(step);
    }
  }
  Axis axis;
  if (!knowsSteps(all) || positive.empty()) {
    axis.label = "Checkpoint";
    axis.min = -0.5;
    axis.max = static_cast<double>(most) - 0.5;
    return axis;
  }
  axis.label = "Training step (log scale)";
  axis.kind = zero ? AxisKind::LogZero : AxisKind::Log10;
  axis.min = positive.low / 1.3;
  axis.max = positive.high * 1.3;
  return axis;
}

std::string columnName(const SeriesMetrics& series, std::size_t column) {
  if (column > series.layers.size()) return "no such layer";  // the caller reports it
  return column == 0 ? fmt::format("mean of {} layers", series.layers.size())
                     : fmt::format("layer {}", series.layers[column - 1]);
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

/// Names for first, last, lowest and highest point: enough to read the direction of training.
std::vector<std::string> pointLabels(const SeriesMetrics& series, const Course& y) {
  std::vector<std::string> labels(series.checkpoints.size());
  const auto label = [&](std::size_t i) {
    const auto& checkpoint = series.checkpoints[i];
    labels[i] = checkpoint.step ? stepText(*checkpoint.step) : checkpoint.label;
  };
  std::size_t highest = 0;
  for (std::size_t i = 0; i < y.values.size(); ++i) {
    if (y.values[i] > y.values[highest] || !std::isfinite(y.values[highest])) highest = i;
  }
  label(0);
  label(highest);
  label(labels.size() - 1);
  return labels;
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

/// "0.352", "37": about three digits, for headings.
std::string shortNumber(double value) {
  const double size = std::abs(value);
  return decimalText(value, size < 1.0 ? 3 : size < 10.0 ? 2 : size < 100.0 ? 1 : 0);
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

Line planeLine(FigureSpec& spec, const SeriesMetrics& series, const Course& x, const Course& y, int index,
               const SeriesFigureOptions& options, bool single) {
  Line line;
  line.name = series.name;
  line.x = x.values;
  line.y = y.values;
  line.colour = index % (kLastColour + 1);
  line.marker = Marker::Circle;
  line.arrows = true;
  if (options.bands) {
    if (hasIntervals(y)) {
      line.low = y.low;
      line.high = y.high;
      line.whiskers = true;
    }
    if (hasIntervals(x)) {
      line.xLow = x.low;
      line.xHigh = x.high;
    }
  }
  line.labels = pointLabels(series, y);
  line.ringed = ringedOf(series, options.ringed);
  if (options.phases && single) markPhases(spec, line, series);
  return line;
}

/// The level of a metric over the steps, thin and grey.
void addLevel(FigureSpec& spec, const SeriesMetrics& series, const SeriesMetric& shown, std::size_t column,
              Range& range) {
  const SeriesMetric* level = shown.level.empty() ? nullptr : series.metric(shown.level);
  if (level == nullptr) return;
  Line line;
  line.name = shown.levelName;
  line.x = spec.lines.front().x;
  line.y = courseOf(series, *level, column).values;
  line.colour = kPlainColour;
  for (const double value : line.y) range.take(value);
  spec.lines.push_back(std::move(line));
}

Line courseLine(FigureSpec& spec, const SeriesMetrics& series, const SeriesMetric& metric, int index,
                const SeriesFigureOptions& options, bool single) {
  const auto column = static_cast<std::size_t>(std::max(options.column, 0));
  const Course course = courseOf(series, metric, column);
  Line line;
  line.name = series.name;
  for (std::size_t c = 0; c < course.values.size(); ++c) line.x.push_back(stepOf(series, c));
  line.y = course.values;
  line.colour = index % (kLastColour + 1);
  line.marker = Marker::Circle;
  if (options.bands && hasIntervals(course)) {
    line.low = course.low;
    line.high = course.high;
  }
  line.ringed = ringedOf(series, options.ringed);
  if (options.phases && single) {
    markPhases(spec, line, series);
    spec.bands = phaseBands(series);
  }
  if (single) markBoundaries(spec, line, series, column, {&metric});
  return line;
}

/// "peak 0.352 at 35 k"; empty where steps are not known.
std::string peakText(const SeriesMetrics& series, const Course& course) {
  std::size_t highest = course.values.size();
  for (std::size_t c = 0; c < course.values.size(); ++c) {
    if (!std::isfinite(course.values[c])) continue;
    if (highest == course.values.size() || course.values[c] > course.values[highest]) highest = c;
  }
  if (highest == course.values.size() || !series.checkpoints[highest].step) return {};
  return fmt::format("peak {} at {}", shortNumber(course.values[highest]),
                     stepText(*series.checkpoints[highest].step));
}

}  // namespace

std::string titleOf(const SeriesMetric& metric) {
  return metric.group == MetricGroup::Congestion ? "Congestion fit (R1): " + metric.label : metric.label;
}

std::string stepText(std::int64_t step) {
  const auto scaled = [](double value, const char* suffix) {
    return std::abs(value - std::round(value)) < 0.05 ? fmt::format("{:.0f} {}", value, suffix)
                                                      : fmt::format("{:.1f} {}", value, suffix);
  };
  if (step >= 1'000'000) return scaled(static_cast<double>(step) / 1e6, "M");
  if (step >= 10'000 || (step >= 1000 && step % 1000 == 0))
    return scaled(static_cast<double>(step) / 1e3, "k");
  return std::to_string(step);
}

Result<FigureSpec> seriesPlaneFigure(std::span<const SeriesMetrics> series, const std::string& x,
                                     const std::string& y, const SeriesFigureOptions& options,
                                     std::span<const SeriesExtraPoint> extra) {
  if (series.empty())
    return fail("figure.no_series", "", "", "there is no series", "record one with moescope series");
  const auto column = static_cast<std::size_t>(std::max(options.column, 0));
  FigureSpec spec = startSeries(series, "phase-plane", "Trajectory", column);
  Range xRange, yRange;
  const SeriesMetric *xShown = nullptr, *yShown = nullptr;
  std::optional<Error> problem;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto xMetric = metricOf(series[i], x, column), yMetric = metricOf(series[i], y, column);
    if (!xMetric || !yMetric) {
      if (!problem) problem = xMetric ? yMetric.error() : xMetric.error();
      spec.lines.push_back(missingLine(series[i]));
      continue;
    }
    const Course xs = courseOf(series[i], **xMetric, column), ys = courseOf(series[i], **yMetric, column);
    xRange.take(xs);
    yRange.take(ys);
    const bool isSingle = series.size() == 1;
    Line line = planeLine(spec, series[i], xs, ys, static_cast<int>(i), options, isSingle);
    if (isSingle) markBoundaries(spec, line, series[i], column, {*xMetric, *yMetric});
    spec.lines.push_back(std::move(line));
    if (xShown == nullptr) xShown = *xMetric;
    if (yShown == nullptr) yShown = *yMetric;
  }
  if (xShown == nullptr) return fail(*problem);
  for (const SeriesExtraPoint& point : extra) {
    xRange.take(point.x);
    yRange.take(point.y);
    Line line;
    line.name = point.name;
    line.x = {point.x};
    line.y = {point.y};
    line.colour = kLastColour;
    line.marker = Marker::Diamond;
    line.labels = {point.name};
    spec.lines.push_back(std::move(line));
  }
  const bool isFit = xShown->group == MetricGroup::Congestion || yShown->group == MetricGroup::Congestion;
  spec.title = fmt::format("{}: {} and {}", isFit ? "Congestion fit (R1), trajectory" : "Trajectory",
                           xShown->label, yShown->label);
  spec.x = axisFor(axisLabel(*xShown), xRange);
  spec.y = axisFor(axisLabel(*yShown), yRange);
  addBaseline(spec.references, *xShown, spec.x, false);
  addBaseline(spec.references, *yShown, spec.y, true);
  return spec;
}

Result<FigureSpec> seriesCourseFigure(std::span<const SeriesMetrics> series, const std::string& metric,
                                      const SeriesFigureOptions& options) {
  if (series.empty())
    return fail("figure.no_series", "", "", "there is no series", "record one with moescope series");
  const auto column = static_cast<std::size_t>(std::max(options.column, 0));
  FigureSpec spec = startSeries(series, "phase-course", "", column);
  Range range;
  const SeriesMetric* shown = nullptr;
  std::optional<Error> problem;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto found = metricOf(series[i], metric, column);
    if (!found) {
      if (!problem) problem = found.error();
      spec.lines.push_back(missingLine(series[i]));
      continue;
    }
    if (shown == nullptr) shown = *found;
    range.take(courseOf(series[i], **found, column));
    spec.lines.push_back(
        courseLine(spec, series[i], **found, static_cast<int>(i), options, series.size() == 1));
  }
  if (shown == nullptr) return fail(*problem);
  if (series.size() == 1) addLevel(spec, series.front(), *shown, column, range);
  spec.title = titleOf(*shown) + " over training";
  spec.x = stepAxis(series);
  spec.y = axisFor(axisLabel(*shown), range);
  addBaseline(spec.references, *shown, spec.y, true);
  return spec;
}

Result<FigureSpec> seriesLayersFigure(const SeriesMetrics& series, const std::string& metric,
                                      const SeriesFigureOptions& options, bool sharedScale) {
  const auto found = metricOf(series, metric, 0);
  if (!found) return fail(found.error());
  const SeriesMetric& shown = **found;
  const Course mean = courseOf(series, shown, 0);
  FigureSpec spec = startSeries({&series, 1}, "phase-layers", titleOf(shown) + " in each layer", 0);
  spec.widthInches = 6.75;
  spec.heightInches = 3.4;
  Line meanLine;
  meanLine.name = "mean of layers";
  for (std::size_t c = 0; c < series.checkpoints.size(); ++c) meanLine.x.push_back(stepOf(series, c));
  meanLine.y = mean.values;
  meanLine.colour = kPlainColour;
  Range all;
  for (std::size_t layer = 0; layer < series.layers.size(); ++layer) {
    const Course course = courseOf(series, shown, layer + 1);
    FigurePanel panel;
    panel.heading = fmt::format("L{}", series.layers[layer]);
    Line line;
    line.name = "layer";
    line.x = meanLine.x;
    line.y = course.values;
    line.marker = Marker::None;
    if (options.bands && hasIntervals(course)) {
      line.low = course.low;
      line.high = course.high;
    }
    Range own;
    own.take(course);
    for (const double value : mean.values) own.take(value);
    all.take(own.low);
    all.take(own.high);
    panel.headingNote = peakText(series, course);
    panel.lines = {meanLine, std::move(line)};
    if (!sharedScale) {
      panel.x = stepAxis({&series, 1});
      panel.y = axisFor("", own);
    }
    spec.panels.push_back(std::move(panel));
  }
  spec.x = stepAxis({&series, 1});
  spec.y = axisFor(axisLabel(shown), all);
  spec.sharedX = true;
  spec.sharedY = sharedScale;
  return spec;
}

}  // namespace moescope::figure
