// What has to be said beside a congestion fit: what it is, what it lacks, and where it means little.
// Not for the numbers themselves (congestion_tables.h).
#pragma once

#include <string>
#include <vector>

#include "core/analysis/congestion_tables.h"

namespace moescope::analysis {

std::string congestionInterval(const SeriesLoads& loads, const CongestionSeries& series,
                               const CongestionSettings& settings);
std::vector<std::string> congestionNotes(const SeriesLoads& loads, const CongestionSeries& series,
                                         const CongestionSettings& settings,
                                         const Decomposition& decomposition);

}  // namespace moescope::analysis
