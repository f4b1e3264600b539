// Figures of a series of checkpoints: a plane of two metrics with the way of training through it, a metric
// over steps, and the same layer by layer. Not for computing metrics (core/analysis).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/analysis/series_metrics.h"
#include "core/figure/figure_spec.h"

namespace moescope::figure {

/// A point beside the series: the run that is being generated.
struct SeriesExtraPoint {
  std::string name;  ///< "live"
  double x = 0.0, y = 0.0;
};

struct SeriesFigureOptions {
  int column = 0;           ///< 0: mean of the layers, 1 + i: layer i
  bool bands = true;        ///< 95 % intervals
  bool phases = true;       ///< marked where the segmentation holds
  trace::RunId ringed = 0;  ///< run whose checkpoint has a ring; 0: none
};

// All errors: `figure.no_series` (no checkpoint), `figure.no_such_metric`, `figure.no_such_layer`,
// `figure.not_recorded` (the metric is undefined everywhere).

// Where more than a quarter of the fits behind a coefficient lie on an end of their search range its points
// are open and the legend says so, unless several series are overlaid.

/// One metric against another, one trajectory a series, arrows in the direction of training. A series that
/// lacks a metric others have has a line without points, so that line i is series i.
Result<FigureSpec> seriesPlaneFigure(std::span<const analysis::SeriesMetrics> series, const std::string& x,
                                     const std::string& y, const SeriesFigureOptions& options,
                                     std::span<const SeriesExtraPoint> extra = {});
/// One metric over the training step, logarithmic, step 0 apart behind a break. Line i is series i; a single
/// series has a second line with the metric's level if it has one (labels shuffled).
Result<FigureSpec> seriesCourseFigure(std::span<const analysis::SeriesMetrics> series,
                                      const std::string& metric, const SeriesFigureOptions& options);
/// The same for every layer of the first series on one scale (`sharedScale`) or each on its own, with the
/// mean of the layers in grey.
Result<FigureSpec> seriesLayersFigure(const analysis::SeriesMetrics& series, const std::string& metric,
                                      const SeriesFigureOptions& options, bool sharedScale = true);

/// "Congestion fit (R1): Median γ of the layers": the metric in titles; a fit says that it is one.
std::string titleOf(const analysis::SeriesMetric& metric);

/// "5 k", "1.2 M": steps as axes and labels write them.
std::string stepText(std::int64_t step);

}  // namespace moescope::figure
