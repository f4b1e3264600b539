// Marks of the figures of a series: phases as bands and as groups of points, fits on a boundary as open
// points. Not for lines and axes (series_figures.h).
#pragma once

#include <initializer_list>
#include <vector>

#include "core/analysis/series_metrics.h"
#include "core/figure/figure_spec.h"

namespace moescope::figure {

/// Groups of the points of a series with phases; the last group lies between phases.
void markPhases(FigureSpec& spec, Line& line, const analysis::SeriesMetrics& series);
/// Points where more than a quarter of the fits behind one of the metrics lie on a boundary become open;
/// crosses where rings mean something else already. After markPhases().
void markBoundaries(FigureSpec& spec, Line& line, const analysis::SeriesMetrics& series, std::size_t column,
                    std::initializer_list<const analysis::SeriesMetric*> metrics);
/// The phases on the axis of steps.
std::vector<Band> phaseBands(const analysis::SeriesMetrics& series);

}  // namespace moescope::figure
