#include "core/analysis/congestion_series.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace moescope::analysis {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Estimate estimate(double value, std::span<const double> draws) {
  const BootstrapInterval interval = bootstrapInterval(value, draws);
  return {value, interval.percentile.low, interval.percentile.high, interval.basic.low, interval.basic.high};
}

Estimate bare(double value) { return {value, kNaN, kNaN, kNaN, kNaN}; }

using Replicates = std::vector<ReplicateFit>;  // [draws] of one fit

std::vector<double> column(const Replicates& replicates, double ReplicateFit::*member) {
  std::vector<double> out;
  out.reserve(replicates.size());
  for (const ReplicateFit& replicate : replicates) out.push_back(replicate.*member);
  return out;
}

class SeriesFitter {
 public:
  SeriesFitter(const SeriesLoads& loads, const LogitSource& logits, const CongestionSettings& settings,
               const CongestionCallbacks& callbacks)
      : m_loads(loads),
        m_logits(logits),
        m_settings(settings),
        m_callbacks(callbacks),
        m_routers(loads.routers.size()),
        m_once(static_cast<std::size_t>(loads.texts), 1) {}

  Result<CongestionSeries> run();

 private:
  using Job = void (SeriesFitter::*)(std::size_t point, std::size_t router);

  /// The job for every fit; false when cancelled.
  bool forEachFit(const std::string& activity, Job job);
  void fitPoint(std::size_t point, std::size_t router);
  void fitDraws(std::size_t point, std::size_t router);
  void fitTypes(std::size_t point, std::size_t router);
  void summarizePoint(CheckpointFit& point) const;
  void summarizeDraws(std::size_t point);
  void compareEstimators();
  void segment();
  [[nodiscard]] TextLogits logitsOf(std::size_t point, std::size_t router) const;
  [[nodiscard]] LayerFit& layer(std::size_t point, std::size_t router) {
    return m_series.points[point].layers[router];
  }
  void publish() const {
    if (m_callbacks.partial) m_callbacks.partial(m_series);
  }

  const SeriesLoads& m_loads;
  const LogitSource& m_logits;
  const CongestionSettings& m_settings;
  const CongestionCallbacks& m_callbacks;
  std::size_t m_routers;
  std::vector<std::uint16_t> m_once;  // every text once
  std::optional<TextDraws> m_draws;
  std::vector<Replicates> m_replicates;  // [points * routers]
  CongestionSeries m_series;
};

TextLogits SeriesFitter::logitsOf(std::size_t point, std::size_t router) const {
  if (!m_logits || !m_loads.points[point].hasLogits) return {};
  return m_logits(point, router, m_callbacks.stop);
}

bool SeriesFitter::forEachFit(const std::string& activity, Job job) {
  const std::size_t jobs = m_loads.points.size() * m_routers;
  return parallelJobs(
      jobs, m_settings.threads, m_callbacks.stop,
      [&](std::size_t index) { (this->*job)(index / m_routers, index % m_routers); },
      [&](std::size_t done) {
        if (m_callbacks.progress)
          m_callbacks.progress(
              {activity, static_cast<std::int64_t>(done), static_cast<std::int64_t>(jobs), "fits"});
      });
}

void SeriesFitter::fitPoint(std::size_t point, std::size_t router) {
  const RouterLoads& loads = m_loads.points[point].routers[router];
  const TextLogits logits = logitsOf(point, router);
  LayerFit& out = layer(point, router);
  for (int e = 0; e < kQualityEstimators && !m_callbacks.stop.stop_requested(); ++e) {
    const auto estimator = static_cast<QualityEstimator>(e);
    const QualityPool pool(estimator, loads, logits.rows() > 0 ? &logits : nullptr);
    const bool isMain = estimator == m_settings.estimator;
    const CongestionFit fit = fitCongestion(halvedLoads(loads, pool, m_once), m_settings.fit,
                                            isMain ? m_loads.routers[router].topK : 0);
    out.gammaBy[static_cast<std::size_t>(e)] = fit.gamma;
    if (isMain) out.fit = fit;
  }
  out.gamma = bare(out.fit.gamma);
  out.heldOutL1 = bare(out.fit.heldOutL1);
  out.peakFactor = bare(out.fit.peakFactor);
  out.uncongestedPeak = bare(out.fit.uncongestedPeak);
  out.improvement = kNaN;
}

void SeriesFitter::fitDraws(std::size_t point, std::size_t router) {
  const RouterLoads& loads = m_loads.points[point].routers[router];
  const bool usesLogits =
      m_settings.estimator == QualityEstimator::Q3 || m_settings.estimator == QualityEstimator::Q4;
  const TextLogits logits = usesLogits ? logitsOf(point, router) : TextLogits{};
  const QualityPool pool(m_settings.estimator, loads, logits.rows() > 0 ? &logits : nullptr);
  LayerFit& out = layer(point, router);
  GammaSearch search(m_settings.fit);
  Replicates& replicates = m_replicates[point * m_routers + router];
  replicates.reserve(static_cast<std::size_t>(m_draws->draws()));
  for (int draw = 0; draw < m_draws->draws(); ++draw) {
    if (m_callbacks.stop.stop_requested()) return;
    replicates.push_back(fitReplicate(halvedLoads(loads, pool, m_draws->draw(draw)), search, out.fit.gamma));
  }
  const auto gammas = column(replicates, &ReplicateFit::gamma);
  out.gamma = estimate(out.fit.gamma, gammas);
  out.heldOutL1 = estimate(out.fit.heldOutL1, column(replicates, &ReplicateFit::heldOutL1));
  out.peakFactor = estimate(out.fit.peakFactor, column(replicates, &ReplicateFit::peakFactor));
  out.uncongestedPeak = estimate(out.fit.uncongestedPeak, column(replicates, &ReplicateFit::uncongestedPeak));
  out.undefinedDraws =
      static_cast<int>(std::ranges::count_if(gammas, [](double g) { return !std::isfinite(g); }));
}

void SeriesFitter::fitTypes(std::size_t point, std::size_t router) {
  const TextLogits logits = logitsOf(point, router);
  if (logits.rows() == 0) return;
  const RouterLoads& loads = m_loads.points[point].routers[router];
  const TokenTypes types = findTokenTypes(logits, m_settings.types, m_callbacks.stop);
  const HalvedLoads halves = halvedLoads(loads, QualityPool(QualityEstimator::Q1, loads, nullptr), m_once);
  LayerFit& out = layer(point, router);
  out.multiType = fitMultiType(types, halves.train, halves.heldOut, m_settings.fit, m_callbacks.stop);
  out.improvement = (out.fit.heldOutL1 - out.multiType->heldOutL1) / out.fit.heldOutL1;
}

void SeriesFitter::summarizePoint(CheckpointFit& point) const {
  const auto valuesOf = [&](const auto& valueOf) {
    std::vector<double> values;
    for (std::size_t r = 0; r < m_routers; ++r) values.push_back(valueOf(point.layers[r]));
    return values;
  };
  const auto gammas = valuesOf([](const LayerFit& l) { return l.fit.gamma; });
  point.gamma = bare(meanOf(gammas));
  point.gammaMedian = bare(medianOf(gammas));
  point.temperature = bare(meanOf(valuesOf([](const LayerFit& l) { return l.fit.temperature; })));
  point.heldOutL1 = bare(meanOf(valuesOf([](const LayerFit& l) { return l.fit.heldOutL1; })));
  point.peakFactor = bare(meanOf(valuesOf([](const LayerFit& l) { return l.fit.peakFactor; })));
  point.uncongestedPeak = bare(meanOf(valuesOf([](const LayerFit& l) { return l.fit.uncongestedPeak; })));
  for (std::size_t e = 0; e < point.gammaBy.size(); ++e)
    point.gammaBy[e] = meanOf(valuesOf([e](const LayerFit& l) { return l.gammaBy[e]; }));
  point.boundaryFits = static_cast<int>(std::ranges::count_if(
      point.layers, [](const LayerFit& l) { return l.fit.boundary != GammaBoundary::None; }));
}

void SeriesFitter::summarizeDraws(std::size_t index) {
  CheckpointFit& point = m_series.points[index];
  std::array<std::vector<double>, 6> draws;
  std::array<std::vector<double>, 5> layers;
  for (int d = 0; d < m_draws->draws(); ++d) {
    for (auto& values : layers) values.clear();
    for (std::size_t r = 0; r < m_routers; ++r) {
      const ReplicateFit& replicate = m_replicates[index * m_routers + r][static_cast<std::size_t>(d)];
      layers[0].push_back(replicate.gamma);
      layers[1].push_back(
          effectiveTemperature(m_settings.fit.equilibrium, replicate.gamma, m_loads.routers[r].experts));
      layers[2].push_back(replicate.heldOutL1);
      layers[3].push_back(replicate.peakFactor);
      layers[4].push_back(replicate.uncongestedPeak);
    }
    for (std::size_t i = 0; i < layers.size(); ++i) draws[i].push_back(meanOf(layers[i]));
    draws[5].push_back(medianOf(layers[0]));
  }
  point.gamma = estimate(point.gamma.value, draws[0]);
  point.temperature = estimate(point.temperature.value, draws[1]);
  point.heldOutL1 = estimate(point.heldOutL1.value, draws[2]);
  point.peakFactor = estimate(point.peakFactor.value, draws[3]);
  point.uncongestedPeak = estimate(point.uncongestedPeak.value, draws[4]);
  point.gammaMedian = estimate(point.gammaMedian.value, draws[5]);
  point.gammaDraws = std::move(draws[0]);
}

void SeriesFitter::compareEstimators() {
  const auto seriesOf = [&](int estimator) {
    std::vector<double> values;
    for (const CheckpointFit& point : m_series.points)
      values.push_back(point.gammaBy[static_cast<std::size_t>(estimator)]);
    return values;
  };
  const auto isPossible = [](const std::vector<double>& values) {
    return std::ranges::any_of(values, [](double v) { return std::isfinite(v); });
  };
  for (int a = 0; a < kQualityEstimators; ++a) {
    for (int b = a + 1; b < kQualityEstimators; ++b) {
      const auto x = seriesOf(a), y = seriesOf(b);
      if (isPossible(x) && isPossible(y)) {
        m_series.agreement.push_back(
            {static_cast<QualityEstimator>(a), static_cast<QualityEstimator>(b), correlation(x, y)});
      }
    }
  }
}

void SeriesFitter::segment() {
  std::vector<PhasePoint> points;
  for (std::size_t p = 0; p < m_series.points.size(); ++p) {
    const CheckpointFit& fit = m_series.points[p];
    points.push_back({m_loads.points[p].step,
                      fit.gamma.value,
                      {fit.gamma.low, fit.gamma.high},
                      fit.peakFactor.value,
                      static_cast<int>(m_routers),
                      fit.boundaryFits,
                      fit.gammaDraws});
  }
  m_series.phases = segmentPhases(points);
}

Result<CongestionSeries> SeriesFitter::run() {
  const auto cancelled = [] { return fail("cancelled", "", "", "cancelled"); };
  m_series.points.resize(m_loads.points.size());
  for (CheckpointFit& point : m_series.points) point.layers.resize(m_routers);

  if (!forEachFit("Fitting", &SeriesFitter::fitPoint)) return cancelled();
  for (CheckpointFit& point : m_series.points) summarizePoint(point);
  compareEstimators();
  publish();

  if (m_settings.draws > 0 && m_loads.texts > 1) {
    m_draws.emplace(m_loads.texts, m_settings.draws, m_settings.seed);
    m_replicates.resize(m_series.points.size() * m_routers);
    if (!forEachFit("Bootstrap", &SeriesFitter::fitDraws)) return cancelled();
    for (std::size_t p = 0; p < m_series.points.size(); ++p) summarizeDraws(p);
    m_series.hasIntervals = true;
  }
  segment();

  const bool hasLogits =
      std::ranges::any_of(m_loads.points, [](const SeriesPoint& p) { return p.hasLogits; });
  if (m_settings.types.types > 0 && m_settings.fit.equilibrium == Equilibrium::R1 && m_logits && hasLogits) {
    publish();
    if (!forEachFit("Fitting types of tokens", &SeriesFitter::fitTypes)) return cancelled();
  }
  return std::move(m_series);
}

}  // namespace

double meanOf(std::span<const double> values) {
  double sum = 0.0, n = 0.0;
  for (const double value : values) {
    if (!std::isfinite(value)) continue;
    sum += value;
    n += 1.0;
  }
  return n > 0.0 ? sum / n : kNaN;
}

double medianOf(std::vector<double> values) {
  std::erase_if(values, [](double v) { return !std::isfinite(v); });
  std::ranges::sort(values);
  return quantile(values, 0.5);
}

Result<CongestionSeries> fitCongestionSeries(const SeriesLoads& loads, const LogitSource& logits,
                                             const CongestionSettings& settings,
                                             const CongestionCallbacks& callbacks) {
  if (settings.estimator == QualityEstimator::Q3) {
    for (const SeriesPoint& point : loads.points) {
      if (point.hasLogits && logits) continue;
      return fail("analysis.not_recorded", "", fmt::format("run {}", point.run),
                  "the median logit (q3) needs every token's router logits",
                  "record the runs again with capture full, or choose q1, q2 or q4");
    }
  }
  return SeriesFitter(loads, logits, settings, callbacks).run();
}

}  // namespace moescope::analysis
