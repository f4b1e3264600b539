#include <cmath>
#include <random>

#include "app/bench/bench.h"
#include "app/bench/measure.h"
#include "core/analysis/congestion_series.h"

namespace moescope::bench {

namespace {

using nlohmann::ordered_json;
using namespace analysis;

constexpr int kLayers = 16, kExperts = 64, kTopK = 8, kTexts = 50, kCheckpoints = 20, kDraws = 1000;
constexpr double kTextTokens = 2048.0;
/// What the fit with all its draws may take on two processors.
constexpr double kMostSeconds = 10.0;

/// Near normal, the same on every machine.
double normal(std::mt19937_64& random) {
  double sum = -6.0;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(random() >> 11) * 0x1p-53;
  return sum;
}

RouterLoads syntheticLoads(std::mt19937_64& random, double gamma) {
  RouterLoads loads(kExperts, kTexts);
  std::vector<double> q(kExperts);
  for (double& value : q) value = 0.6 * normal(random);
  const auto m = equilibriumR1(q, gamma);
  for (std::size_t t = 0; t < kTexts; ++t) {
    loads.tokens[t] = kTextTokens;
    for (std::size_t e = 0; e < kExperts; ++e) {
      const std::size_t cell = t * kExperts + e;
      // Texts differ in what they ask for and in what they get.
      const double own = q[e] + 0.3 * normal(random);
      loads.counts[cell] = std::floor(kTextTokens * kTopK * m[e] * std::exp(0.3 * normal(random)));
      loads.logitSum[cell] = kTextTokens * own;
      loads.probabilitySum[cell] = kTextTokens * std::exp(own) / (2.0 * kExperts);
      loads.gateMass[cell] = loads.counts[cell] * 0.05 * std::exp(0.3 * own);
    }
  }
  return loads;
}

/// gamma rises to 38 at the fifth checkpoint and falls to 9.
SeriesLoads syntheticSeries() {
  std::mt19937_64 random(3);
  SeriesLoads series;
  series.texts = kTexts;
  series.routers.resize(kLayers);
  for (int layer = 0; layer < kLayers; ++layer) {
    RouterSpec& router = series.routers[static_cast<std::size_t>(layer)];
    router.layer = LayerIndex{layer};
    router.experts = kExperts;
    router.topK = kTopK;
  }
  for (int c = 0; c < kCheckpoints; ++c) {
    SeriesPoint& point = series.points.emplace_back();
    point.run = c + 1;
    point.step = 5000 * (c + 1);
    const double gamma = c < 5 ? 14.0 + 6.0 * c : 38.0 - 29.0 * (c - 4) / (kCheckpoints - 5);
    for (int layer = 0; layer < kLayers; ++layer) point.routers.push_back(syntheticLoads(random, gamma));
  }
  return series;
}

}  // namespace

Result<ordered_json> benchCongestion(const BenchOptions& options) {
  const SeriesLoads loads = syntheticSeries();
  CongestionSettings settings;
  settings.draws = kDraws;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  double pointSeconds = 0.0;
  CongestionCallbacks callbacks{{}, [&](const CongestionSeries&) { pointSeconds = elapsed(); }, options.stop};
  const double processorBefore = processSeconds();
  const auto series = fitCongestionSeries(loads, {}, settings, callbacks);
  if (!series) return fail(series.error());
  const double seconds = elapsed();
  return ordered_json{{"bench", "congestion"},
                      {"machine", machineLine()},
                      {"layers", kLayers},
                      {"experts", kExperts},
                      {"texts", kTexts},
                      {"checkpoints", kCheckpoints},
                      {"draws", kDraws},
                      {"threads", settings.threads},
                      {"point_estimates_seconds", pointSeconds},
                      {"seconds", seconds},
                      {"processor_seconds", processSeconds() - processorBefore},
                      {"gamma_first", series->points.front().gamma.value},
                      {"bars", ordered_json::array({{{"name", "fit with 1000 draws, seconds on 2 processors"},
                                                     {"value", seconds},
                                                     {"limit", kMostSeconds},
                                                     {"met", seconds <= kMostSeconds}}})}};
}

}  // namespace moescope::bench
