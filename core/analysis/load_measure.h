// LoadMeasure: the load metrics by name, each with its value at uniform load and how it is written.
// Not for computing them (load_metrics.h).
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/analysis/load_metrics.h"

namespace moescope::analysis {

/// The rows of the metrics table, in its order.
enum class LoadMeasure : std::uint8_t {
  MaxVio,
  PeakFactor,
  MinFactor,
  Mri,
  Cv,
  Gini,
  NormalizedEntropy,
  EffectiveExperts,
  InverseSimpson,
  KlToUniform,
  L1ToUniform,
  DeadExperts,
  NearlyDeadExperts,
};

struct LoadMeasureInfo {
  LoadMeasure measure;
  std::string_view id;       ///< "max-vio": the word on the command line and in files
  std::string_view label;    ///< "MaxVio": on the screen
  std::string_view meaning;  ///< one line with the formula, for tool tips
  std::string_view unit;     ///< "nat", "experts" or empty
  int decimals;              ///< in tables; whole numbers in a single layer have 0
};

/// All measures in table order.
std::span<const LoadMeasureInfo> loadMeasures();
const LoadMeasureInfo& infoOf(LoadMeasure measure);
std::optional<LoadMeasure> loadMeasureFrom(std::string_view id);

double valueOf(const LoadMetrics& metrics, LoadMeasure measure);
/// What a perfectly even load gives for a router with `experts` experts of which each token chooses `topK`.
double uniformValue(LoadMeasure measure, int experts, int topK);

/// Root mean square of CV when every token chooses `topK` of `experts` at random: the level that even a
/// router without preferences shows over `tokens` tokens. sqrt((M - k) / (N k)), from the variance
/// N p (1 - p) of each count with p = k / M.
double cvOfRandomRouting(int experts, int topK, double tokens);

}  // namespace moescope::analysis
