#include "plugins/specialization/key_layer.h"

#include <limits>

namespace moescope::specialization {

using namespace analysis;

Result<RunKeys> runKeys(const trace::TraceStore& store, const AnalysedRun& run, TokenKey kind,
                        std::uint64_t seed, std::stop_token stop) {
  auto keys = tokenKeys(store, run, kind, stop);
  if (!keys) return fail(keys.error());
  RunKeys out{kind, std::move(*keys), {}};
  out.shuffled = shuffledKeys(out.keys, seed);
  return out;
}

Result<KeyLayer> keyLayer(const trace::TraceStore& store, const AnalysedRun& run, int router,
                          const RunKeys& keys, const TokenUnits& units, int choices, std::stop_token stop) {
  auto rows = keyedChoices(store, run, router, keys.keys, units.unitOfToken, choices, stop);
  if (!rows) return fail(rows.error());
  const auto shuffled = keyedChoices(store, run, router, keys.shuffled, {}, choices, stop);
  if (!shuffled) return fail(shuffled.error());
  KeyLayer out{std::move(*rows), {}, keyCounts(*shuffled)};
  out.counts = keyCounts(out.rows);
  return out;
}

Result<std::vector<Interval>> keyIntervals(
    const KeyedChoices& rows, const TextDraws& draws,
    const std::function<std::vector<double>(const KeyCounts&)>& statistics, std::stop_token stop) {
  constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::vector<double>> replicates(statistics(keyCounts(rows)).size());
  // One unit has nothing to vary.
  for (int draw = 0; draws.texts() > 1 && draw < draws.draws(); ++draw) {
    if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
    const std::vector<double> values = statistics(keyCounts(rows, draws.draw(draw)));
    for (std::size_t v = 0; v < values.size(); ++v) replicates[v].push_back(values[v]);
  }
  std::vector<Interval> out;
  out.reserve(replicates.size());
  for (const auto& each : replicates) out.push_back(bootstrapInterval(kUndefined, each).percentile);
  return out;
}

}  // namespace moescope::specialization
