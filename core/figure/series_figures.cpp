#include "core/figure/series_figures.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/figure/number_text.h"
#include "core/figure/series_course.h"
#include "core/figure/series_marks.h"

namespace moescope::figure {

using analysis::MetricGroup;
using analysis::SeriesMetric;
using analysis::SeriesMetrics;

namespace {

/// "0.352", "37": about three digits, for headings.
std::string shortNumber(double value) {
  const double size = std::abs(value);
  return decimalText(value, size < 1.0 ? 3 : size < 10.0 ? 2 : size < 100.0 ? 1 : 0);
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
                const SeriesFigureOptions& options, bool single, bool onSteps) {
  const auto column = static_cast<std::size_t>(std::max(options.column, 0));
  const Course course = courseOf(series, metric, column);
  Line line;
  line.name = series.name;
  line.x = stepsOf(series, onSteps);
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
    if (onSteps) spec.bands = phaseBands(series);
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

Result<FigureSpec> seriesCourseFigure(std::span<const SeriesMetrics> series, const std::string& metric,
                                      const SeriesFigureOptions& options) {
  if (series.empty())
    return fail("figure.no_series", "", "", "there is no series", "record one with moescope series");
  const auto column = static_cast<std::size_t>(std::max(options.column, 0));
  const bool onSteps = isOnSteps(series);
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
        courseLine(spec, series[i], **found, static_cast<int>(i), options, series.size() == 1, onSteps));
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
  meanLine.x = stepsOf(series, isOnSteps({&series, 1}));
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
