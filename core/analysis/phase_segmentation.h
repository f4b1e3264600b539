// PhaseSegmentation: surge, stabilization and relaxation of the congestion coefficient over training, where
// the data carry them. Not for drawing, and not for phases of other measures.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/analysis/bootstrap.h"

namespace moescope::analysis {

/// Fewer checkpoints after step 0 than this have no phases.
inline constexpr std::size_t kFewestCheckpoints = 6;

/// One checkpoint as the segmentation sees it.
struct PhasePoint {
  std::optional<std::int64_t> step;
  double gamma = 0.0;
  Interval interval;               ///< 95 % of gamma
  double peakFactor = 0.0;         ///< B_0a
  int fits = 0, boundaryFits = 0;  ///< layers, and those whose fit is on a boundary
  std::vector<double> replicates;  ///< [draws] gamma of each bootstrap draw, the same texts at every point
};

enum class PhaseKind : std::uint8_t { Surge, Stabilization, Relaxation, Transition };
std::string_view name(PhaseKind kind);

struct Phase {
  PhaseKind kind = PhaseKind::Transition;
  std::size_t first = 0, last = 0;  ///< indices into the points, both inclusive: neighbours share one
  double slope = 0.0;               ///< d gamma / d ln step
  Interval slopeInterval;           ///< 95 %, break points kept; NaN for the surge
  double peakFactorSlope = 0.0;     ///< d ln B_0a / d ln step
};

struct PhaseSegmentation {
  std::vector<Phase> phases;  ///< empty when withheld
  std::string withheld;       ///< the reason; empty when there are phases
};

/// analyses.md 1.12 with the rules of section 10. The surge goes up to the largest gamma, whose interval must
/// lie above that of the first checkpoint; what follows is a continuous piecewise line of gamma over
/// log(step) with 1 to 3 segments, break points at checkpoints, chosen by BIC. Stabilization:
/// |d ln B_0a / d ln step| < 0.1. Relaxation: the last segment with a negative slope whose interval excludes
/// 0; it goes before stabilization. Withheld with the reason for fewer than 6 checkpoints after step 0,
/// unknown or equal steps, no surge, or more than a quarter of a segment's fits on a boundary.
PhaseSegmentation segmentPhases(const std::vector<PhasePoint>& points);

}  // namespace moescope::analysis
