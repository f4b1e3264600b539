// LoadSeries: every load metric of every layer over a run or a series, and the validation loss, with
// bootstrap intervals over texts. Not for metrics over a window of tokens (load_course.h).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/analysis/load_measure.h"
#include "core/analysis/parallel_jobs.h"
#include "core/analysis/series_loads.h"

namespace moescope::analysis {

inline constexpr std::size_t kLoadMeasures = 13;

/// A value with its 95 % percentile interval; NaN where undefined or not yet known.
struct IntervalValue {
  double value, low, high;
};

using LoadValues = std::array<IntervalValue, kLoadMeasures>;  // in the order of loadMeasures()

struct LoadPoint {
  std::vector<LoadValues> layers;  ///< [routers]
  LoadValues mean;                 ///< over layers that have load
  IntervalValue loss;              ///< nat a token: minus the mean log-probability of the corpus
  std::int64_t lossTokens = 0;
};

struct LoadSeries {
  std::vector<LoadPoint> points;
  bool hasIntervals = false;
};

struct LoadSeriesSettings {
  int draws = 1000;
  std::uint64_t seed = 1;
  int threads = kAnalysisThreads;
};

struct LoadSeriesCallbacks {
  ProgressCallback progress;
  std::function<void(const LoadSeries&)> partial;  ///< values without intervals
  std::stop_token stop;
};

/// The same texts are drawn at every checkpoint and layer. Errors: `cancelled`.
Result<LoadSeries> computeLoadSeries(const SeriesLoads& loads, const LoadSeriesSettings& settings,
                                     const LoadSeriesCallbacks& callbacks);

}  // namespace moescope::analysis
