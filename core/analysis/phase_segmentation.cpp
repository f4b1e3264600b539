#include "core/analysis/phase_segmentation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/analysis/piecewise_line.h"

namespace moescope::analysis {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
/// |d ln B_0a / d ln step| below this is steady balance.
constexpr double kSteady = 0.1;
/// More than this share of a segment's fits on a boundary makes it meaningless.
constexpr double kMostBoundary = 0.25;

constexpr std::array<std::string_view, 4> kNames{"surge", "stabilization", "relaxation", "transition"};

using Indices = std::vector<std::size_t>;

PhaseSegmentation withheld(std::string reason) { return {{}, std::move(reason)}; }

double logStep(const PhasePoint& point) { return std::log(static_cast<double>(*point.step)); }

/// Of `values` over log(step), for points [first, last].
double slopeOver(const std::vector<PhasePoint>& points, const Indices& used, std::size_t first,
                 std::size_t last, const auto& valueOf) {
  std::vector<double> x, y;
  for (std::size_t i = first; i <= last; ++i) {
    x.push_back(logStep(points[used[i]]));
    y.push_back(valueOf(points[used[i]]));
  }
  return fitPiecewiseLine(x, y, {}).slopes[0];
}

/// Intervals of the slopes of the line through points `peak`.. with the same bends, over the draws.
std::vector<Interval> slopeIntervals(const std::vector<PhasePoint>& points, const Indices& used,
                                     std::size_t peak, const std::vector<double>& x,
                                     const PiecewiseLine& line) {
  std::size_t draws = std::numeric_limits<std::size_t>::max();
  for (std::size_t i = peak; i < used.size(); ++i) draws = std::min(draws, points[used[i]].replicates.size());
  std::vector<std::vector<double>> slopes(line.slopes.size());
  std::vector<double> y(x.size());
  for (std::size_t draw = 0; draw < draws; ++draw) {
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = points[used[peak + i]].replicates[draw];
    const auto found = fitPiecewiseLine(x, y, line.breaks).slopes;
    for (std::size_t s = 0; s < found.size(); ++s) slopes[s].push_back(found[s]);
  }
  std::vector<Interval> out;
  for (std::size_t s = 0; s < slopes.size(); ++s)
    out.push_back(bootstrapInterval(line.slopes[s], slopes[s]).percentile);
  return out;
}

/// Empty if enough fits of every phase are inside the range of gamma.
std::string boundaryReason(const std::vector<PhasePoint>& points, const Indices& used,
                           const std::vector<Phase>& phases) {
  for (const Phase& phase : phases) {
    int fits = 0, boundary = 0;
    for (std::size_t i = phase.first; i <= phase.last; ++i) {
      fits += points[used[i]].fits;
      boundary += points[used[i]].boundaryFits;
    }
    if (boundary <= kMostBoundary * fits) continue;
    return fmt::format("{} of {} fits from step {} to {} are on a boundary: gamma means little there",
                       boundary, fits, *points[used[phase.first]].step, *points[used[phase.last]].step);
  }
  return {};
}

void nameSegments(std::vector<Phase>& segments) {
  for (Phase& segment : segments) {
    if (std::abs(segment.peakFactorSlope) < kSteady) segment.kind = PhaseKind::Stabilization;
  }
  const auto falls = [](const Phase& s) { return s.slope < 0.0 && s.slopeInterval.high < 0.0; };
  const auto last = std::find_if(segments.rbegin(), segments.rend(), falls);
  if (last != segments.rend()) last->kind = PhaseKind::Relaxation;
}

std::vector<Phase> segmentsAfter(const std::vector<PhasePoint>& points, const Indices& used,
                                 std::size_t peak) {
  std::vector<double> x, y;
  for (std::size_t i = peak; i < used.size(); ++i) {
    x.push_back(logStep(points[used[i]]));
    y.push_back(points[used[i]].gamma);
  }
  if (x.size() < 2) return {};
  const PiecewiseLine line = bestPiecewiseLine(x, y);
  const auto intervals = slopeIntervals(points, used, peak, x, line);
  std::vector<Phase> segments;
  std::size_t first = peak;
  for (std::size_t s = 0; s < line.slopes.size(); ++s) {
    const std::size_t last = s < line.breaks.size() ? peak + line.breaks[s] : used.size() - 1;
    Phase& phase =
        segments.emplace_back(Phase{PhaseKind::Transition, first, last, line.slopes[s], intervals[s], kNaN});
    phase.peakFactorSlope =
        slopeOver(points, used, first, last, [](const PhasePoint& p) { return std::log(p.peakFactor); });
    first = last;
  }
  nameSegments(segments);
  return segments;
}

/// Points after step 0 in order of their steps; a reason if there is no such order.
std::string usablePoints(const std::vector<PhasePoint>& points, Indices& used) {
  std::size_t unknown = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!points[i].step) ++unknown;
    if (points[i].step && *points[i].step > 0 && std::isfinite(points[i].gamma)) used.push_back(i);
  }
  if (unknown > 0)
    return fmt::format("the training step of {} of {} checkpoints is not known", unknown, points.size());
  std::ranges::stable_sort(used, {}, [&](std::size_t i) { return *points[i].step; });
  const auto equal = std::ranges::adjacent_find(used, {}, [&](std::size_t i) { return *points[i].step; });
  if (equal != used.end()) return fmt::format("two checkpoints have the step {}", *points[*equal].step);
  if (used.size() < kFewestCheckpoints) {
    return fmt::format("too few checkpoints for phases: {} with a fit after step 0, needs {}", used.size(),
                       kFewestCheckpoints);
  }
  return {};
}

}  // namespace

std::string_view name(PhaseKind kind) { return kNames[static_cast<std::size_t>(kind)]; }

PhaseSegmentation segmentPhases(const std::vector<PhasePoint>& points) {
  Indices used;
  if (std::string reason = usablePoints(points, used); !reason.empty()) return withheld(std::move(reason));
  const auto top = std::ranges::max_element(used, {}, [&](std::size_t i) { return points[i].gamma; });
  const auto peak = static_cast<std::size_t>(top - used.begin());
  const PhasePoint& first = points[used[0]];
  const PhasePoint& highest = points[used[peak]];
  if (!std::isfinite(highest.interval.low) || !std::isfinite(first.interval.high))
    return withheld("without intervals it is not known whether gamma changes");
  if (peak == 0 || !(highest.interval.low > first.interval.high)) {
    return withheld(fmt::format(
        "no surge seen: the intervals of the largest gamma (step {}, {:.3g} to {:.3g}) and of the first "
        "checkpoint (step {}, {:.3g} to {:.3g}) overlap",
        *highest.step, highest.interval.low, highest.interval.high, *first.step, first.interval.low,
        first.interval.high));
  }
  PhaseSegmentation out;
  out.phases.push_back(
      {PhaseKind::Surge,
       0,
       peak,
       slopeOver(points, used, 0, peak, [](const PhasePoint& p) { return p.gamma; }),
       {kNaN, kNaN},
       slopeOver(points, used, 0, peak, [](const PhasePoint& p) { return std::log(p.peakFactor); })});
  for (const Phase& segment : segmentsAfter(points, used, peak)) out.phases.push_back(segment);
  if (std::string reason = boundaryReason(points, used, out.phases); !reason.empty())
    return withheld(std::move(reason));
  for (Phase& phase : out.phases) {
    phase.first = used[phase.first];
    phase.last = used[phase.last];
  }
  return out;
}

}  // namespace moescope::analysis
