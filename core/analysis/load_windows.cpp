#include "core/analysis/load_windows.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

constexpr std::int64_t kMostWindows = 50;
constexpr std::int64_t kFewestTokens = 16;

/// Window w holds rows [start(w), start(w + 1)): as even as whole rows allow.
struct Windows {
  std::int64_t rows, count;

  [[nodiscard]] std::int64_t start(std::int64_t window) const { return rows * window / count; }
  [[nodiscard]] std::int64_t of(std::int64_t row) const {
    std::int64_t window = row * count / rows;
    while (window + 1 < count && start(window + 1) <= row) ++window;
    return window;
  }
};

RouterLoads loadsOf(const trace::TraceStore& store, trace::RunId run, int router, int experts,
                    const Windows& windows, const std::stop_token& stop) {
  RouterLoads loads(experts, static_cast<int>(windows.count));
  for (std::int64_t w = 0; w < windows.count && !stop.stop_requested(); ++w) {
    const trace::LoadSummary load = store.load(run, router, {windows.start(w), windows.start(w + 1)}, stop);
    loads.tokens[static_cast<std::size_t>(w)] = static_cast<double>(load.tokens);
    for (std::size_t e = 0; e < load.counts.size() && e < static_cast<std::size_t>(experts); ++e)
      loads.counts[static_cast<std::size_t>(w * experts) + e] = static_cast<double>(load.counts[e]);
  }
  return loads;
}

void readLosses(SeriesPoint& point, const trace::TraceStore& store, const Windows& windows) {
  point.lossSum.assign(static_cast<std::size_t>(windows.count), 0.0);
  point.lossTokens = point.lossSum;
  for (std::int64_t b = 0; b * trace::kBlockTokens < windows.rows; ++b) {
    const auto block = store.tokenBlock(point.run, b);
    if (!block || block->damaged) continue;
    for (std::int64_t i = 0; i < block->count && b * trace::kBlockTokens + i < windows.rows; ++i) {
      const float logProb = block->logProbs[static_cast<std::size_t>(i)];
      if (!std::isfinite(logProb)) continue;
      const auto window = static_cast<std::size_t>(windows.of(b * trace::kBlockTokens + i));
      point.lossSum[window] -= static_cast<double>(logProb);
      point.lossTokens[window] += 1.0;
    }
  }
}

}  // namespace

Result<SeriesLoads> readLoadWindows(const trace::TraceStore& store, trace::RunId run,
                                    const std::stop_token& stop) {
  const auto record = store.run(run);
  if (!record)
    return fail("trace.no_such_run", store.path().string(), "", fmt::format("there is no run {}", run));
  if (record->routedTokens <= 0) {
    return fail("analysis.no_texts", store.path().string(), fmt::format("run {}", run),
                "no token of the run has been routed", "generate a text or record a corpus");
  }
  const Windows windows{record->routedTokens,
                        std::clamp(record->routedTokens / kFewestTokens, std::int64_t{1}, kMostWindows)};
  SeriesLoads series;
  series.routers = store.routers(run);
  series.texts = static_cast<int>(windows.count);
  series.drawn = fmt::format("{} windows of about {} tokens", windows.count, windows.rows / windows.count);
  series.sample = fmt::format("run {} “{}”, {} tokens, {}, capture {}", run, record->name, windows.rows,
                              series.drawn, name(record->capture));
  series.notes.push_back(fmt::format(
      "Fewer than {} finished texts: windows of tokens are resampled, so intervals leave out what "
      "texts differ by.",
      kFewTexts));
  SeriesPoint& point = series.points.emplace_back();
  point.run = run;
  point.checkpoint = record->checkpointLabel.empty() ? record->name : record->checkpointLabel;
  point.step = record->trainStep;
  point.trainTokens = record->trainTokens;
  for (std::size_t r = 0; r < series.routers.size(); ++r) {
    point.routers.push_back(
        loadsOf(store, run, static_cast<int>(r), series.routers[r].experts, windows, stop));
    series.routers[r].selectionBias.clear();
  }
  readLosses(point, store, windows);
  if (stop.stop_requested()) return fail("cancelled", "", "", "cancelled");
  return series;
}

}  // namespace moescope::analysis
