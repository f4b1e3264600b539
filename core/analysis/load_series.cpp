#include "core/analysis/load_series.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace moescope::analysis {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
using Metrics = std::array<double, kLoadMeasures>;

IntervalValue withInterval(double value, std::span<const double> draws) {
  const Interval interval = bootstrapInterval(value, draws).percentile;
  return {value, interval.low, interval.high};
}

/// All metrics of one router over a multiset of texts.
Metrics metricsOf(const RouterLoads& loads, std::span<const std::uint16_t> times) {
  const auto experts = static_cast<std::size_t>(loads.experts);
  std::vector<double> sums(experts, 0.0);
  double tokens = 0.0;
  for (std::size_t t = 0; t < times.size(); ++t) {
    if (times[t] == 0) continue;
    const double weight = times[t];
    tokens += weight * loads.tokens[t];
    for (std::size_t e = 0; e < experts; ++e) sums[e] += weight * loads.counts[t * experts + e];
  }
  const std::vector<std::int64_t> counts(sums.begin(), sums.end());
  const LoadMetrics metrics = loadMetrics(counts, static_cast<std::int64_t>(tokens));
  // Without a token even the number of dead experts says nothing.
  Metrics out;
  for (std::size_t m = 0; m < out.size(); ++m)
    out[m] = tokens > 0.0 ? valueOf(metrics, loadMeasures()[m].measure) : kNaN;
  return out;
}

Metrics meanOverLayers(std::span<const Metrics> layers) {
  Metrics out;
  for (std::size_t m = 0; m < out.size(); ++m) {
    double sum = 0.0, n = 0.0;
    for (const Metrics& layer : layers) {
      if (!std::isfinite(layer[m])) continue;
      sum += layer[m];
      n += 1.0;
    }
    out[m] = n > 0.0 ? sum / n : kNaN;
  }
  return out;
}

double lossOf(const SeriesPoint& point, std::span<const std::uint16_t> times) {
  double sum = 0.0, tokens = 0.0;
  for (std::size_t t = 0; t < point.lossSum.size(); ++t) {
    sum += times[t] * point.lossSum[t];
    tokens += times[t] * point.lossTokens[t];
  }
  return tokens > 0.0 ? sum / tokens : kNaN;
}

std::vector<Metrics> metricsOfLayers(const SeriesPoint& point, std::span<const std::uint16_t> times) {
  std::vector<Metrics> out;
  for (const RouterLoads& router : point.routers) out.push_back(metricsOf(router, times));
  return out;
}

LoadPoint valuesOf(const SeriesPoint& point, std::span<const std::uint16_t> once) {
  const auto plain = [](const Metrics& metrics) {
    LoadValues values;
    for (std::size_t m = 0; m < values.size(); ++m) values[m] = {metrics[m], kNaN, kNaN};
    return values;
  };
  LoadPoint out;
  const auto layers = metricsOfLayers(point, once);
  for (const Metrics& layer : layers) out.layers.push_back(plain(layer));
  out.mean = plain(meanOverLayers(layers));
  out.loss = {lossOf(point, once), kNaN, kNaN};
  for (const double tokens : point.lossTokens) out.lossTokens += static_cast<std::int64_t>(tokens);
  return out;
}

/// Replicates of all metrics of one router, or of the mean: [metrics][draws].
using Draws = std::array<std::vector<double>, kLoadMeasures>;

void add(Draws& draws, const Metrics& metrics) {
  for (std::size_t m = 0; m < metrics.size(); ++m) draws[m].push_back(metrics[m]);
}

void addIntervals(LoadValues& values, const Draws& draws) {
  for (std::size_t m = 0; m < values.size(); ++m) values[m] = withInterval(values[m].value, draws[m]);
}

void addIntervals(LoadPoint& out, const SeriesPoint& point, const TextDraws& draws,
                  const std::stop_token& stop) {
  std::vector<Draws> layers(point.routers.size());
  Draws mean;
  std::vector<double> losses;
  for (int d = 0; d < draws.draws(); ++d) {
    if (stop.stop_requested()) return;
    const auto metrics = metricsOfLayers(point, draws.draw(d));
    for (std::size_t r = 0; r < metrics.size(); ++r) add(layers[r], metrics[r]);
    add(mean, meanOverLayers(metrics));
    losses.push_back(lossOf(point, draws.draw(d)));
  }
  for (std::size_t r = 0; r < layers.size(); ++r) addIntervals(out.layers[r], layers[r]);
  addIntervals(out.mean, mean);
  out.loss = withInterval(out.loss.value, losses);
}

}  // namespace

Result<LoadSeries> computeLoadSeries(const SeriesLoads& loads, const LoadSeriesSettings& settings,
                                     const LoadSeriesCallbacks& callbacks) {
  const std::vector<std::uint16_t> once(static_cast<std::size_t>(loads.texts), 1);
  LoadSeries series;
  for (const SeriesPoint& point : loads.points) series.points.push_back(valuesOf(point, once));
  if (callbacks.partial) callbacks.partial(series);
  if (settings.draws > 0 && loads.texts > 1) {
    const TextDraws draws(loads.texts, settings.draws, settings.seed);
    const bool done = parallelJobs(
        series.points.size(), settings.threads, callbacks.stop,
        [&](std::size_t p) { addIntervals(series.points[p], loads.points[p], draws, callbacks.stop); },
        [&](std::size_t count) {
          if (callbacks.progress)
            callbacks.progress({"Bootstrap", static_cast<std::int64_t>(count),
                                static_cast<std::int64_t>(series.points.size()), "runs"});
        });
    if (!done) return fail("cancelled", "", "", "cancelled");
    series.hasIntervals = true;
  }
  return series;
}

}  // namespace moescope::analysis
