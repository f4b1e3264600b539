#include "core/figure/series_marks.h"

#include <array>
#include <string_view>

#include "core/figure/series_figures.h"

namespace moescope::figure {

namespace {

using analysis::SeriesMetric;
using analysis::SeriesMetrics;

/// Share of fits on a boundary above which a coefficient says nothing (analyses.md 10).
constexpr double kMostOnBoundary = 0.25;

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

}  // namespace

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

void markBoundaries(FigureSpec& spec, Line& line, const SeriesMetrics& series, std::size_t column,
                    std::initializer_list<const SeriesMetric*> metrics) {
  std::vector<bool> on(series.checkpoints.size());
  bool any = false;
  for (const SeriesMetric* metric : metrics) {
    for (std::size_t c = 0; c < on.size() && !metric->boundary.empty(); ++c) {
      on[c] = on[c] || metric->boundary[series.at(c, column)] > kMostOnBoundary;
      any = any || on[c];
    }
  }
  if (!any) return;
  const bool hasPhases = !line.groups.empty();
  if (!hasPhases) {
    spec.groups.push_back({"fits inside the search range", line.colour, Marker::Circle});
    line.groups.assign(on.size(), 0);
  }
  const int group = static_cast<int>(spec.groups.size());
  spec.groups.push_back(
      {column == 0 ? "over a quarter of the layers’ fits on a boundary" : "fit on a boundary",
       hasPhases ? kPlainColour : line.colour, hasPhases ? Marker::Cross : Marker::Ring});
  for (std::size_t c = 0; c < on.size(); ++c) {
    if (on[c]) line.groups[c] = group;
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

}  // namespace moescope::figure
