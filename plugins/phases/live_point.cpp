#include "plugins/phases/live_point.h"

#include <algorithm>
#include <cmath>

#include "core/analysis/load_measure.h"

namespace moescope::phases {

namespace {

std::optional<double> lossOf(const trace::TraceStore& store, const trace::RunRecord& run) {
  double sum = 0.0;
  std::int64_t tokens = 0;
  for (std::int64_t block = 0; block * trace::kBlockTokens < run.tokens; ++block) {
    const auto rows = store.tokenBlock(run.id, block);
    if (!rows || rows->damaged) continue;
    for (const float logProb : rows->logProbs) {
      if (!std::isfinite(logProb)) continue;
      sum -= logProb;
      ++tokens;
    }
  }
  if (tokens == 0) return std::nullopt;
  return sum / static_cast<double>(tokens);
}

std::optional<double> loadOf(const trace::TraceStore& store, const trace::RunRecord& run, int router,
                             analysis::LoadMeasure measure) {
  const trace::LoadSummary load = store.load(run.id, router, {0, run.routedTokens});
  if (load.slots == 0) return std::nullopt;
  return analysis::valueOf(analysis::loadMetrics(load.counts, load.tokens), measure);
}

}  // namespace

std::optional<double> liveValue(const trace::TraceStore& store, const trace::RunRecord& run,
                                const std::string& metric, int column) {
  if (metric == "loss") return lossOf(store, run);
  std::string id = metric;
  std::replace(id.begin(), id.end(), '_', '-');
  const auto measure = analysis::loadMeasureFrom(id);
  const int routers = static_cast<int>(store.routers(run.id).size());
  if (!measure || column > routers) return std::nullopt;
  if (column > 0) return loadOf(store, run, column - 1, *measure);
  double sum = 0.0;
  for (int router = 0; router < routers; ++router) {
    const auto value = loadOf(store, run, router, *measure);
    if (!value) return std::nullopt;
    sum += *value;
  }
  return routers > 0 ? std::optional(sum / routers) : std::nullopt;
}

}  // namespace moescope::phases
