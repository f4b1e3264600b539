#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/figure/series_course.h"
#include "core/figure/series_figures.h"
#include "core/figure/series_marks.h"

namespace moescope::figure {

using analysis::MetricGroup;
using analysis::SeriesMetric;
using analysis::SeriesMetrics;

namespace {

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

}  // namespace

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

}  // namespace moescope::figure
