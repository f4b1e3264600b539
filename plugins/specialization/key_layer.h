// KeyLayer: the choices of one router sorted by token id or position, with units to resample and a shuffled
// control. Not the statistics taken of them.
#pragma once

#include <functional>

#include "core/analysis/bootstrap.h"
#include "core/analysis/key_counts.h"

namespace moescope::specialization {

/// One kind of key of a run: made once, used for every router.
struct RunKeys {
  analysis::TokenKey kind = analysis::TokenKey::Input;
  std::vector<std::int32_t> keys, shuffled;  ///< [rows]
};
Result<RunKeys> runKeys(const trace::TraceStore& store, const analysis::AnalysedRun& run,
                        analysis::TokenKey kind, std::uint64_t seed, std::stop_token stop);

struct KeyLayer {
  analysis::KeyedChoices rows;
  analysis::KeyCounts counts, shuffled;
};
Result<KeyLayer> keyLayer(const trace::TraceStore& store, const analysis::AnalysedRun& run, int router,
                          const RunKeys& keys, const analysis::TokenUnits& units, int choices,
                          std::stop_token stop);

/// Percentile intervals of statistics of the counts, one for each value that `statistics` returns.
/// Errors: `cancelled`.
Result<std::vector<analysis::Interval>> keyIntervals(
    const analysis::KeyedChoices& rows, const analysis::TextDraws& draws,
    const std::function<std::vector<double>(const analysis::KeyCounts&)>& statistics, std::stop_token stop);

}  // namespace moescope::specialization
