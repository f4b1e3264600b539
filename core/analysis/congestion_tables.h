// The congestion fit of a series as tables with notes (docs/analyses/congestion.md lists the columns).
// Not for computing.
#pragma once

#include <optional>

#include "core/analysis/analysis_result.h"
#include "core/analysis/congestion_series.h"

namespace moescope::analysis {

/// gamma_explicit = factor x alpha x M (analyses.md 1.9).
struct Decomposition {
  std::optional<double> alpha;  ///< weight of the load-balancing loss; empty: not known
  double factor = 1.0;          ///< c, conversion of units
};

/// Everything but `analysis` and `parameters`.
AnalysisResult congestionResult(const SeriesLoads& loads, const CongestionSeries& series,
                                const CongestionSettings& settings, const Decomposition& decomposition);

}  // namespace moescope::analysis
