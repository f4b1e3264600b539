// SeriesTrace: small seeded series of checkpoints, recorded text by text, with what was recorded kept beside
// it. Not a model: choices are drawn, more evenly from checkpoint to checkpoint.
#pragma once

#include <string>
#include <vector>

#include "core/trace/trace_store.h"

namespace moescope::tests {

struct SeriesShape {
  std::string name = "Training";
  std::vector<std::int64_t> steps{0, 10, 100, 1000, 2000, 4000, 8000};
  int layers = 3, texts = 6;
  bool logProbs = true;    ///< else the losses are NaN
  bool labels = true;      ///< label=a, label=b by turns
  bool sameTokens = true;  ///< else every checkpoint has read other tokens in texts of the same names
  unsigned seed = 3;
};

/// One checkpoint as it was drawn.
struct RecordedCheckpoint {
  trace::RunId run = 0;
  double loss = 0.0;                              ///< nat per token
  std::vector<std::vector<std::int64_t>> counts;  ///< [layers, experts]
  std::int64_t tokens = 0;
};

inline constexpr int kSeriesExperts = 8, kSeriesTopK = 2, kSeriesTokens = 24;

/// Records the series into the store. Ends the program where the store fails.
std::vector<RecordedCheckpoint> recordSeries(trace::TraceStore& store, const SeriesShape& shape);
/// Population standard deviation of the counts over their mean.
double cvOfCounts(const std::vector<std::int64_t>& counts);

}  // namespace moescope::tests
