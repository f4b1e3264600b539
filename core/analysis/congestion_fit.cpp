#include "core/analysis/congestion_fit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/analysis/inclusion_shares.h"

namespace moescope::analysis {

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Experts that have a quality, and shares restricted to them.
struct Included {
  std::vector<std::size_t> experts;
  std::vector<double> q;

  explicit Included(std::span<const double> quality) {
    for (std::size_t e = 0; e < quality.size(); ++e) {
      if (!std::isfinite(quality[e])) continue;
      experts.push_back(e);
      q.push_back(quality[e]);
    }
  }
  [[nodiscard]] std::vector<double> restricted(std::span<const double> shares) const {
    std::vector<double> out;
    for (const std::size_t e : experts) out.push_back(shares[e]);
    return out;
  }
  /// Zero for experts that are left out.
  [[nodiscard]] std::vector<double> expanded(std::span<const double> shares, std::size_t size) const {
    std::vector<double> out(size, 0.0);
    for (std::size_t i = 0; i < experts.size(); ++i) out[experts[i]] = shares[i];
    return out;
  }
};

std::vector<double> normalized(std::vector<double> counts) {
  double sum = 0.0;
  for (const double n : counts) sum += n;
  if (!(sum > 0.0)) return {};
  for (double& n : counts) n /= sum;
  return counts;
}

double l1(std::span<const double> predicted, std::span<const double> observed) {
  return observed.empty() ? kNaN : lossBetween(FitLoss::L1, predicted, observed);
}

/// Gap between the best utility and the mean one (the potential game of the equilibrium kind). Experts
/// without load count as if they had one choice.
double nashGap(Equilibrium kind, double gamma, std::span<const double> q, std::span<const double> m,
               double choices) {
  double best = -std::numeric_limits<double>::infinity(), mean = 0.0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    const double logShare = std::log(m[i] > 0.0 ? m[i] : 1.0 / choices);
    const double congestion = kind == Equilibrium::R2 ? gamma * logShare : gamma * m[i];
    const double utility = q[i] - congestion - (kind == Equilibrium::R3 ? 0.0 : logShare);
    best = std::max(best, utility);
    mean += m[i] * utility;
  }
  return best - mean;
}

CongestionFit undefinedFit() {
  CongestionFit fit;
  for (double* value :
       {&fit.gamma, &fit.loss, &fit.gammaOls, &fit.temperature, &fit.qualityCorrelation, &fit.tau,
        &fit.heldOutL1, &fit.uniformL1, &fit.softmaxL1, &fit.temperatureL1, &fit.trainLoadL1, &fit.peakFactor,
        &fit.uncongestedPeak, &fit.epsilonNash, &fit.epsilonResidual, &fit.inclusionL1}) {
    *value = kNaN;
  }
  return fit;
}

/// Of the experts that have a quality.
double uncongestedPeakOf(std::span<const double> quality) {
  const Included included(quality);
  if (included.q.empty()) return kNaN;
  const std::vector<double> shares = softmaxShares(included.q);
  return static_cast<double>(quality.size()) * *std::ranges::max_element(shares);
}

}  // namespace

HalvedLoads halvedLoads(const RouterLoads& loads, const QualityPool& pool,
                        std::span<const std::uint16_t> times) {
  const auto experts = static_cast<std::size_t>(loads.experts);
  HalvedLoads out;
  out.quality.resize(experts);
  out.allQuality.resize(experts);
  pool.quality(times, Half::Train, out.quality);
  pool.quality(times, Half::Both, out.allQuality);
  std::vector<double> train(experts, 0.0), heldOut(experts, 0.0), all(experts);
  for (std::size_t t = 0; t < times.size(); ++t) {
    if (times[t] == 0) continue;
    const double weight = times[t];
    double* counts = isIn(Half::Train, t) ? train.data() : heldOut.data();
    const double* row = loads.counts.data() + t * experts;
    for (std::size_t e = 0; e < experts; ++e) counts[e] += weight * row[e];
  }
  for (std::size_t e = 0; e < experts; ++e) {
    all[e] = train[e] + heldOut[e];
    out.trainChoices += train[e];
  }
  out.train = normalized(std::move(train));
  out.heldOut = normalized(std::move(heldOut));
  out.all = normalized(std::move(all));
  return out;
}

double correlation(std::span<const double> a, std::span<const double> b) {
  double n = 0.0, meanA = 0.0, meanB = 0.0;
  const auto isPair = [&](std::size_t i) { return std::isfinite(a[i]) && std::isfinite(b[i]); };
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!isPair(i)) continue;
    n += 1.0;
    meanA += a[i];
    meanB += b[i];
  }
  if (n < 2.0) return kNaN;
  meanA /= n;
  meanB /= n;
  double ab = 0.0, aa = 0.0, bb = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!isPair(i)) continue;
    ab += (a[i] - meanA) * (b[i] - meanB);
    aa += (a[i] - meanA) * (a[i] - meanA);
    bb += (b[i] - meanB) * (b[i] - meanB);
  }
  return aa > 0.0 && bb > 0.0 ? ab / std::sqrt(aa * bb) : kNaN;
}

double gammaByRegression(std::span<const double> q, std::span<const double> shares) {
  double n = 0.0, meanX = 0.0, meanY = 0.0;
  const auto isUsed = [&](std::size_t i) { return shares[i] > 0.0 && std::isfinite(q[i]); };
  for (std::size_t i = 0; i < q.size(); ++i) {
    if (!isUsed(i)) continue;
    n += 1.0;
    meanX += shares[i];
    meanY += std::log(shares[i]) - q[i];
  }
  meanX /= n;
  meanY /= n;
  double xy = 0.0, xx = 0.0;
  for (std::size_t i = 0; i < q.size(); ++i) {
    if (!isUsed(i)) continue;
    xy += (shares[i] - meanX) * (std::log(shares[i]) - q[i] - meanY);
    xx += (shares[i] - meanX) * (shares[i] - meanX);
  }
  return xx > 0.0 ? -xy / xx : kNaN;
}

double peakFactorOf(std::span<const double> shares) {
  if (shares.empty()) return kNaN;
  return static_cast<double>(shares.size()) * *std::ranges::max_element(shares);
}

CongestionFit fitCongestion(const HalvedLoads& loads, const GammaSettings& settings, int topK) {
  CongestionFit fit = undefinedFit();
  fit.peakFactor = peakFactorOf(loads.all);
  const Included included(loads.quality);
  const std::size_t experts = loads.quality.size();
  fit.leftOut = static_cast<int>(experts - included.experts.size());
  if (loads.train.empty() || included.q.empty()) return fit;
  fit.uncongestedPeak = uncongestedPeakOf(loads.allQuality);

  const std::vector<double> train = included.restricted(loads.train);
  GammaSearch search(settings);
  search.set(included.q, train);
  const GammaFit found = search.onGrid(settings.gridPoints, settings.tolerance);
  fit.gamma = found.gamma;
  fit.loss = found.loss;
  fit.boundary = found.boundary;
  fit.gammaOls = gammaByRegression(included.q, train);
  fit.temperature = effectiveTemperature(settings.equilibrium, found.gamma, static_cast<int>(experts));
  fit.qualityCorrelation = correlation(included.q, train);

  const auto predicted =
      included.expanded(equilibrium(settings.equilibrium, included.q, found.gamma), experts);
  const TemperatureFit temperature = fitTemperature(included.q, train, settings.loss);
  fit.tau = temperature.tau;
  fit.tauBoundary = temperature.boundary;
  const std::vector<double> uniform(experts, 1.0 / static_cast<double>(experts));
  fit.heldOutL1 = l1(predicted, loads.heldOut);
  fit.uniformL1 = l1(uniform, loads.heldOut);
  fit.softmaxL1 = l1(included.expanded(softmaxShares(included.q), experts), loads.heldOut);
  fit.temperatureL1 =
      l1(included.expanded(softmaxShares(included.q, temperature.tau), experts), loads.heldOut);
  fit.trainLoadL1 = l1(loads.train, loads.heldOut);

  fit.epsilonNash = nashGap(settings.equilibrium, found.gamma, included.q, train, loads.trainChoices);
  const double unevenness = l1(uniform, loads.train);
  if (unevenness > 0.0) fit.epsilonResidual = l1(predicted, loads.train) / unevenness;
  if (topK > 0 && settings.equilibrium != Equilibrium::R3)
    fit.inclusionL1 = l1(predicted, inclusionShares(predicted, topK));
  return fit;
}

ReplicateFit fitReplicate(const HalvedLoads& loads, GammaSearch& search, double start) {
  ReplicateFit fit{kNaN, kNaN, peakFactorOf(loads.all), uncongestedPeakOf(loads.allQuality)};
  const Included included(loads.quality);
  if (loads.train.empty() || included.q.empty() || !std::isfinite(start)) return fit;
  search.set(included.q, included.restricted(loads.train));
  fit.gamma = search.near(start).gamma;
  const auto predicted = included.expanded(search.predicted(fit.gamma), loads.quality.size());
  fit.heldOutL1 = l1(predicted, loads.heldOut);
  return fit;
}

}  // namespace moescope::analysis
