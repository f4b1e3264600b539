// CongestionSeries: the congestion fit of every layer and checkpoint of a series with bootstrap intervals.
// Not for reading traces (series_loads.h) or for tables (congestion_tables.h).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <vector>

#include "core/analysis/congestion_fit.h"
#include "core/analysis/multi_type_fit.h"
#include "core/analysis/parallel_jobs.h"
#include "core/analysis/phase_segmentation.h"
#include "core/analysis/series_loads.h"

namespace moescope::analysis {

struct CongestionSettings {
  QualityEstimator estimator = QualityEstimator::Q1;
  GammaSettings fit;
  int draws = 1000;
  std::uint64_t seed = 1;
  TokenTypeSettings types;  ///< types 0: no multi-type fit
  int threads = kAnalysisThreads;
};

/// A value with its bootstrap interval, NaN before the draws are done or without any.
struct Estimate {
  double value, low, high;
  double basicLow, basicHigh;
};

struct LayerFit {
  CongestionFit fit;
  Estimate gamma, heldOutL1, peakFactor, uncongestedPeak;
  int undefinedDraws = 0;                            ///< draws without a fit
  std::array<double, kQualityEstimators> gammaBy{};  ///< by each estimator; NaN: not possible
  std::optional<MultiTypeFit> multiType;
  double improvement;  ///< (L1 single - L1 multi) / L1 single on held-out texts
};

/// Means over the layers that have a value.
struct CheckpointFit {
  std::vector<LayerFit> layers;
  Estimate gamma, gammaMedian, temperature, heldOutL1, peakFactor, uncongestedPeak;
  std::vector<double> gammaDraws;                    ///< [draws] mean over layers
  std::array<double, kQualityEstimators> gammaBy{};  ///< mean over layers
  int boundaryFits = 0;                              ///< layers with gamma on a boundary
};

struct EstimatorAgreement {
  QualityEstimator a, b;
  double r;  ///< Pearson over the checkpoints' mean gamma; NaN for fewer than two or no variation
};

struct CongestionSeries {
  std::vector<CheckpointFit> points;
  std::vector<EstimatorAgreement> agreement;  ///< pairs of the estimators that are possible
  PhaseSegmentation phases;
  bool hasIntervals = false;
};

/// The recorded logits of a checkpoint's router; empty where there are none.
using LogitSource = std::function<TextLogits(std::size_t point, std::size_t router, const std::stop_token&)>;

struct CongestionCallbacks {
  ProgressCallback progress;
  std::function<void(const CongestionSeries&)> partial;  ///< point estimates, then with intervals
  std::stop_token stop;
};

/// Point estimates of all fits first, then the draws, then the multi-type fits. The same result whatever
/// the number of threads. Errors: `analysis.not_recorded` (an estimator without its data), `cancelled`.
Result<CongestionSeries> fitCongestionSeries(const SeriesLoads& loads, const LogitSource& logits,
                                             const CongestionSettings& settings,
                                             const CongestionCallbacks& callbacks);

/// Mean of the finite values, NaN if there is none; and their median.
double meanOf(std::span<const double> values);
double medianOf(std::vector<double> values);

}  // namespace moescope::analysis
