// SeriesLoads: the sums over texts that every analysis of a series starts from, read from a trace and packed.
// Not for anything that needs single tokens (text_logits.h).
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/bootstrap.h"
#include "core/analysis/series_columns.h"
#include "core/base/progress.h"
#include "core/base/result.h"
#include "core/trace/trace_store.h"

namespace moescope::analysis {

/// One router of one checkpoint. A text without usable sums has tokens 0 and zeros.
struct RouterLoads {
  int experts = 0, texts = 0;
  std::vector<double> tokens;                              ///< [texts]
  std::vector<double> counts;                              ///< [texts, experts] choices
  std::vector<double> logitSum, probabilitySum, gateMass;  ///< [texts, experts]

  RouterLoads() = default;
  RouterLoads(int expertCount, int textCount);
};

struct SeriesPoint {
  trace::RunId run = 0;
  std::string checkpoint;  ///< label, else the run's name
  std::optional<std::int64_t> step, trainTokens;
  std::vector<RouterLoads> routers;
  std::vector<double> lossSum, lossTokens;  ///< [texts] -log p and its tokens; empty unless asked for
  std::vector<int> unitOf;                  ///< [sequence ordinal] resampling unit, -1: none
  bool hasLogits = false;                   ///< capture full
};

/// The first cells of the point's rows: checkpointColumns().
inline std::vector<ResultCell> pointCells(const SeriesPoint& point) {
  return checkpointCells(point.run, point.checkpoint, point.step, point.trainTokens);
}

struct SeriesLoads {
  std::vector<RouterSpec> routers;  ///< of the first run, without selection bias
  double largestBias = 0.0;         ///< of a selection bias anywhere, absolute; 0: none
  int texts = 0;                    ///< resampling units
  std::string drawn;                ///< "176 texts", "60 windows of 5 texts"
  std::string sample;               ///< runs, tokens, texts, capture
  std::vector<SeriesPoint> points;
  std::vector<std::string> notes;
};

struct SeriesReading {
  bool losses = false;
  ProgressCallback progress;
  std::stop_token stop;
};

/// Complete sequences that every run has, matched by text; in order of the first run. A text whose sums are
/// missing, incomplete or not finite in a router is left out there and counted in the notes.
/// Errors: `analysis.no_texts`, `analysis.not_recorded` (capture none), `analysis.mixed_models`,
/// `trace.no_such_run`, `cancelled`.
Result<SeriesLoads> readSeries(const trace::TraceStore& store, const std::vector<trace::RunId>& runs,
                               const SeriesReading& reading);

}  // namespace moescope::analysis
