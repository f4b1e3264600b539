#include "core/figure/series_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/figure/number_text.h"

namespace moescope::figure {

namespace {

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

struct PhaseLook {
  std::string_view name;
  int colour;
  Marker marker;
};
/// Colour and shape together, so that a phase is known without colour.
constexpr std::array kPhaseLooks{PhaseLook{"surge", 1, Marker::Triangle},
                                 PhaseLook{"stabilization", 0, Marker::Square},
                                 PhaseLook{"relaxation", 2, Marker::Circle}};

int lookOf(const std::string& phase) {
  for (std::size_t i = 0; i < kPhaseLooks.size(); ++i) {
    if (kPhaseLooks[i].name == phase) return static_cast<int>(i);
  }
  return -1;
}

/// Groups of the points of a series with phases; the last group lies between phases.
void markPhases(FigureSpec& spec, Line& line, const SeriesMetrics& series) {
  if (series.phases.empty()) return;
  for (const PhaseLook& look : kPhaseLooks)
    spec.groups.push_back({std::string(look.name), look.colour, look.marker});
  spec.groups.push_back({"between phases", kPlainColour, Marker::Ring});
  for (const auto& checkpoint : series.checkpoints) {
    int group = static_cast<int>(kPhaseLooks.size());
    for (const auto& phase : series.phases) {
      const bool inside =
          checkpoint.step && *checkpoint.step >= phase.firstStep && *checkpoint.step <= phase.lastStep;
      if (inside && lookOf(phase.name) >= 0) group = lookOf(phase.name);
    }
    line.groups.push_back(group);
  }
}

std::vector<Band> phaseBands(const SeriesMetrics& series) {
  std::vector<Band> bands;
  for (const auto& phase : series.phases) {
    const int look = lookOf(phase.name);
    bands.push_back({static_cast<double>(phase.firstStep), static_cast<double>(phase.lastStep), phase.name,
                     stepText(phase.firstStep) + "–" + stepText(phase.lastStep),
                     look < 0 ? kPlainColour : kPhaseLooks[static_cast<std::size_t>(look)].colour});
  }
  return bands;
}

std::string columnName(const SeriesMetrics& series, std::size_t column) {
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
    if (y.values[i] > y.values[highest]) highest = i;
  }
  label(0);
  label(highest);
  label(labels.size() - 1);
  return labels;
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
  if (index == 0) line.ringed = options.ringed;
  if (options.phases && single) markPhases(spec, line, series);
  return line;
}

}  // namespace

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
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto xMetric = metricOf(series[i], x, column), yMetric = metricOf(series[i], y, column);
    if (!xMetric) return fail(xMetric.error());
    if (!yMetric) return fail(yMetric.error());
    const Course xs = courseOf(series[i], **xMetric, column), ys = courseOf(series[i], **yMetric, column);
    xRange.take(xs);
    yRange.take(ys);
    spec.lines.push_back(
        planeLine(spec, series[i], xs, ys, static_cast<int>(i), options, series.size() == 1));
  }
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
  const SeriesMetric& xMetric = *series.front().metric(x);
  const SeriesMetric& yMetric = *series.front().metric(y);
  spec.title = "Trajectory: " + xMetric.label + " and " + yMetric.label;
  spec.x = axisFor(axisLabel(xMetric), xRange);
  spec.y = axisFor(axisLabel(yMetric), yRange);
  addBaseline(spec.references, xMetric, spec.x, false);
  addBaseline(spec.references, yMetric, spec.y, true);
  return spec;
}

Result<FigureSpec> seriesCourseFigure(std::span<const SeriesMetrics> series, const std::string& metric,
                                      const SeriesFigureOptions& options) {
  if (series.empty())
    return fail("figure.no_series", "", "", "there is no series", "record one with moescope series");
  const auto column = static_cast<std::size_t>(std::max(options.column, 0));
  FigureSpec spec = startSeries(series, "phase-course", "", column);
  Range range;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const auto found = metricOf(series[i], metric, column);
    if (!found) return fail(found.error());
    const Course course = courseOf(series[i], **found, column);
    Line line;
    line.name = series[i].name;
    for (std::size_t c = 0; c < course.values.size(); ++c) line.x.push_back(stepOf(series[i], c));
    line.y = course.values;
    line.colour = static_cast<int>(i) % (kLastColour + 1);
    line.marker = Marker::Circle;
    if (options.bands && hasIntervals(course)) {
      line.low = course.low;
      line.high = course.high;
    }
    if (i == 0) line.ringed = options.ringed;
    if (options.phases && series.size() == 1) {
      markPhases(spec, line, series[i]);
      spec.bands = phaseBands(series[i]);
    }
    range.take(course);
    spec.lines.push_back(std::move(line));
  }
  const SeriesMetric& shown = *series.front().metric(metric);
  spec.title = shown.label + " over training";
  spec.x = stepAxis(series);
  spec.y = axisFor(axisLabel(shown), range);
  addBaseline(spec.references, shown, spec.y, true);
  return spec;
}

Result<FigureSpec> seriesLayersFigure(const SeriesMetrics& series, const std::string& metric,
                                      const SeriesFigureOptions& options, bool sharedScale) {
  const auto found = metricOf(series, metric, 0);
  if (!found) return fail(found.error());
  const SeriesMetric& shown = **found;
  const Course mean = courseOf(series, shown, 0);
  FigureSpec spec = startSeries({&series, 1}, "phase-layers", shown.label + " in each layer", 0);
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
    const auto highest = std::max_element(course.values.begin(), course.values.end(), [](double a, double b) {
      return (std::isfinite(a) ? a : -std::numeric_limits<double>::infinity()) <
             (std::isfinite(b) ? b : -std::numeric_limits<double>::infinity());
    });
    if (highest != course.values.end() && std::isfinite(*highest)) {
      const auto at = static_cast<std::size_t>(highest - course.values.begin());
      const auto& step = series.checkpoints[at].step;
      if (step) panel.headingNote = "peak at " + stepText(*step);
    }
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
