// Fits of one router against scipy (make_congestion_vectors.py), and hard input.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/analysis/congestion_fit.h"
#include "core/analysis/inclusion_shares.h"
#include "tests/support/congestion_vectors.h"

using namespace moescope::analysis;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool near(double actual, double expected, double tolerance) {
  return std::abs(actual - expected) <= tolerance;
}

GammaSettings settingsOf(const std::string& loss) {
  GammaSettings settings;
  settings.loss = fitLossFrom(loss).value();
  return settings;
}

CongestionFit fitOf(const RouterLoads& loads, QualityEstimator estimator,
                    const GammaSettings& settings = {}) {
  const QualityPool pool(estimator, loads, nullptr);
  return fitCongestion(halvedLoads(loads, pool, vectors::once(loads)), settings);
}

/// Loads that follow R1 with this gamma exactly, up to whole counts.
RouterLoads exactLoads(double gamma, int texts) {
  std::vector<double> q;
  for (int i = 0; i < 8; ++i) q.push_back(0.3 * i);
  const auto m = equilibriumR1(q, gamma);
  RouterLoads loads(8, texts);
  for (std::size_t t = 0; t < static_cast<std::size_t>(texts); ++t) {
    loads.tokens[t] = 1e6;
    for (std::size_t e = 0; e < 8; ++e) {
      loads.counts[t * 8 + e] = std::round(2e6 * m[e]);
      loads.logitSum[t * 8 + e] = 1e6 * q[e];
    }
  }
  return loads;
}

}  // namespace

class TestCongestionFit : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void pointEstimatesAgainstScipy() {
    int boundaries = 0, deadExperts = 0;
    for (const auto& entry : vectors::document()["cases"]) {
      const RouterLoads loads = vectors::loadsOf(entry);
      for (const auto& expected : entry["points"]) {
        const auto estimator = qualityEstimatorFrom(expected["estimator"].get<std::string>()).value();
        const CongestionFit fit = fitOf(loads, estimator, settingsOf(expected["loss"]));
        const auto is = [&](double actual, const char* key, double tolerance) {
          const double value = expected[key].get<double>();
          const bool same = near(actual, value, tolerance * std::max(1.0, std::abs(value)));
          if (!same) qWarning("%s %s: %.12g, scipy %.12g", expected.dump().c_str(), key, actual, value);
          return same;
        };
        QVERIFY(is(fit.loss, "value", 1e-8));
        QVERIFY(is(fit.gamma, "gamma", 1e-5));
        QVERIFY(is(fit.gammaOls, "gamma_ols", 1e-9));
        QVERIFY(is(fit.tau, "tau", 1e-12));
        QVERIFY(is(fit.qualityCorrelation, "r", 1e-11));
        QVERIFY(is(fit.heldOutL1, "heldout", 1e-6));
        QVERIFY(is(fit.uniformL1, "uniform", 1e-12));
        QVERIFY(is(fit.softmaxL1, "softmax", 1e-12));
        QVERIFY(is(fit.temperatureL1, "temperature", 1e-12));
        QVERIFY(is(fit.trainLoadL1, "train_load", 1e-12));
        QVERIFY(is(fit.peakFactor, "b0a", 1e-12));
        QVERIFY(is(fit.uncongestedPeak, "b0b", 1e-11));
        QVERIFY(is(fit.epsilonNash, "epsilon_nash", 1e-5));
        QVERIFY(is(fit.epsilonResidual, "epsilon_residual", 1e-5));
        const double gamma = expected["gamma"].get<double>();
        QCOMPARE(fit.boundary == GammaBoundary::Zero, gamma == 0.0);
        boundaries += gamma == 0.0 ? 1 : 0;
        QCOMPARE(fit.leftOut, 0);
      }
      for (int e = 0; e < loads.experts; ++e) {
        double sum = 0.0;
        for (int t = 0; t < loads.texts; ++t)
          sum += loads.counts[static_cast<std::size_t>(t * loads.experts + e)];
        deadExperts += sum == 0.0 ? 1 : 0;
      }
    }
    // The vectors hold what is hard: a fit on the boundary, an expert that is never chosen.
    QVERIFY(boundaries > 0);
    QVERIFY(deadExperts > 0);
  }

  /// The loss can have two minima that are nearly as deep, between which the grids of two programs may choose
  /// differently; then ours must be at least as deep.
  void bootstrapAgainstScipy() {
    int agreeing = 0;
    for (const auto& entry : vectors::document()["cases"]) {
      const RouterLoads loads = vectors::loadsOf(entry);
      const QualityPool pool(QualityEstimator::Q1, loads, nullptr);
      std::vector<std::uint16_t> flat;
      for (const auto& draw : entry["draws"]) {
        for (const auto& n : draw) flat.push_back(n.get<std::uint16_t>());
      }
      const TextDraws draws(loads.texts, std::move(flat));
      const CongestionFit fit = fitOf(loads, QualityEstimator::Q1);
      GammaSearch search{GammaSettings{}};
      std::vector<double> gammas, peaks, uncongested, heldOut;
      const auto& expected = entry["bootstrap"];
      const auto scipyGammas = expected["gammas"].get<std::vector<double>>();
      int different = 0;
      for (int d = 0; d < draws.draws(); ++d) {
        const HalvedLoads halves = halvedLoads(loads, pool, draws.draw(d));
        const ReplicateFit replicate = fitReplicate(halves, search, fit.gamma);
        const double scipy = scipyGammas[static_cast<std::size_t>(d)];
        if (!near(replicate.gamma, scipy, 2e-3)) {
          ++different;
          const auto lossAt = [&](double gamma) {
            return lossBetween(FitLoss::L1, equilibriumR1(halves.quality, gamma), halves.train);
          };
          QVERIFY(lossAt(replicate.gamma) <= lossAt(scipy));
        }
        gammas.push_back(replicate.gamma);
        peaks.push_back(replicate.peakFactor);
        uncongested.push_back(replicate.uncongestedPeak);
        heldOut.push_back(replicate.heldOutL1);
      }
      QVERIFY(different <= 2);
      const auto ends = [&](const Interval& interval, const char* key, double tolerance) {
        return near(interval.low, expected[key][0].get<double>(), tolerance) &&
               near(interval.high, expected[key][1].get<double>(), tolerance);
      };
      QVERIFY(ends(bootstrapInterval(0.0, peaks).percentile, "b0a", 1e-10));
      QVERIFY(ends(bootstrapInterval(0.0, uncongested).percentile, "b0b", 1e-10));
      QVERIFY(ends(bootstrapInterval(fit.gamma, scipyGammas).percentile, "gamma", 1e-12));
      if (different > 0) continue;
      ++agreeing;
      const BootstrapInterval gamma = bootstrapInterval(fit.gamma, gammas);
      QVERIFY(ends(gamma.percentile, "gamma", 2e-3));
      QVERIFY(ends(gamma.basic, "gamma_basic", 2e-3));
      QVERIFY(ends(bootstrapInterval(0.0, heldOut).percentile, "heldout", 1e-4));
    }
    QVERIFY(agreeing >= 3);
  }

  /// Bracketing from the point estimate finds what the full grid finds.
  void bracketsAgreeWithTheGrid() {
    int replicates = 0;
    for (const auto& entry : vectors::document()["cases"]) {
      const RouterLoads loads = vectors::loadsOf(entry);
      const QualityPool pool(QualityEstimator::Q1, loads, nullptr);
      const double start = fitOf(loads, QualityEstimator::Q1).gamma;
      GammaSearch near1{GammaSettings{}}, grid{GammaSettings{}};
      const TextDraws draws(loads.texts, 50, 21);
      for (int d = 0; d < draws.draws(); ++d, ++replicates) {
        const HalvedLoads halves = halvedLoads(loads, pool, draws.draw(d));
        if (halves.train.empty()) continue;
        near1.set(halves.quality, halves.train);
        grid.set(halves.quality, halves.train);
        const GammaFit a = near1.near(start), b = grid.onGrid(401, 1e-3);
        QVERIFY(near(a.loss, b.loss, 1e-6 + 1e-4 * b.loss));
        QVERIFY(near(a.gamma, b.gamma, 5e-3));
        QCOMPARE(a.boundary, b.boundary);
      }
    }
    QCOMPARE(replicates, 200);
  }

  void exactLoadIsRecovered() {
    for (const double gamma : {1.0, 9.0, 36.0, 120.0}) {
      const CongestionFit fit = fitOf(exactLoads(gamma, 4), QualityEstimator::Q1);
      QVERIFY(near(fit.gamma, gamma, 1e-3 * gamma));
      QVERIFY(near(fit.gammaOls, gamma, 1e-3 * gamma));
      QVERIFY(fit.epsilonNash >= 0.0 && fit.epsilonNash < 1e-4);
      QVERIFY(fit.heldOutL1 < 1e-5 && fit.uniformL1 > 10.0 * fit.heldOutL1);
      QCOMPARE(fit.boundary, GammaBoundary::None);
    }
  }

  void otherEquilibria() {
    std::vector<double> q{1.0, 0.4, 0.0, -0.7};
    for (const Equilibrium kind : {Equilibrium::R2, Equilibrium::R3}) {
      const auto m = equilibrium(kind, q, 2.5);
      GammaSettings settings;
      settings.equilibrium = kind;
      GammaSearch search(settings);
      search.set(q, m);
      QVERIFY(near(search.onGrid(settings.gridPoints, settings.tolerance).gamma, 2.5, 1e-5));
    }
  }

  void inclusionSharesAgainstExactSums() {
    for (const auto& expected : vectors::document()["inclusion"]) {
      const auto weights = expected["weights"].get<std::vector<double>>();
      const int taken = expected["taken"].get<int>();
      auto shares = inclusionShares(weights, taken);
      QCOMPARE(shares.size(), weights.size());
      for (std::size_t i = 0; i < shares.size(); ++i)
        QVERIFY(near(taken * shares[i], expected["chance"][i].get<double>(), 1e-9));
      // Only the weights' ratios count.
      std::vector<double> larger = weights;
      for (double& weight : larger) weight *= 1e6;
      shares = inclusionShares(larger, taken);
      QVERIFY(near(taken * shares[0], expected["chance"][0].get<double>(), 1e-9));
    }
    // By hand: first 1/2; second after the 1/3: 1/3 x 3/4, after the 1/6: 1/6 x 3/5.
    const std::vector<double> weights{1.0 / 2.0, 1.0 / 3.0, 1.0 / 6.0};
    QVERIFY(near(2.0 * inclusionShares(weights, 2)[0], 0.85, 1e-10));
  }

  void inclusionSharesAtTheirLimits() {
    const std::vector<double> weights{0.7, 0.2, 0.1, 0.0};
    const auto one = inclusionShares(weights, 1);
    for (std::size_t i = 0; i < 4; ++i) QVERIFY(near(one[i], weights[i], 1e-11));
    const std::vector<double> thirds{1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0};
    QVERIFY(inclusionShares(weights, 3) == thirds);  // all that have weight
    QVERIFY(inclusionShares(weights, 9) == thirds);
    QVERIFY(inclusionShares(weights, 0).empty());
    QVERIFY(inclusionShares(std::vector<double>(4, 0.0), 2).empty());
    QVERIFY(inclusionShares({}, 2).empty());
    const std::vector<double> vanishing{1.0, 1e-280, 1e-308};
    QVERIFY(near(inclusionShares(vanishing, 2)[1], 0.5, 1e-10));
    QVERIFY(near(inclusionShares(vanishing, 1)[0], 1.0, 1e-10));
    // One expert takes nearly everything; the other choice is shared by weight.
    const std::vector<double> steep{1.0, 3e-12, 1e-12};
    const auto shares = inclusionShares(steep, 2);
    QVERIFY(near(shares[0], 0.5, 1e-10) && near(shares[1], 0.375, 1e-10) && near(shares[2], 0.125, 1e-10));
  }

  void whatSingleChoicesLeaveOut() {
    // Loads 1/2, 1/3, 1/6 are R1's at gamma 5; with K = 2 their inclusion shares are 51, 44 and 25 of 120.
    RouterLoads loads(3, 2);
    const std::vector<double> m{1.0 / 2.0, 1.0 / 3.0, 1.0 / 6.0};
    for (std::size_t t = 0; t < 2; ++t) {
      loads.tokens[t] = 6000.0;
      for (std::size_t e = 0; e < 3; ++e) {
        loads.counts[t * 3 + e] = 12000.0 * m[e];
        loads.logitSum[t * 3 + e] = 6000.0 * (std::log(m[e]) + 5.0 * m[e]);
      }
    }
    const HalvedLoads halves = halvedLoads(loads, QualityPool(QualityEstimator::Q1, loads, nullptr),
                                           std::vector<std::uint16_t>{1, 1});
    QVERIFY(near(fitCongestion(halves, {}, 2).inclusionL1, 0.15, 1e-5));
    QVERIFY(near(fitCongestion(halves, {}, 1).inclusionL1, 0.0, 1e-10));
    QVERIFY(near(fitCongestion(halves, {}, 3).inclusionL1, 1.0 / 3.0, 1e-5));  // everyone is in
    QVERIFY(std::isnan(fitCongestion(halves, {}).inclusionL1));
    GammaSettings wardrop;
    wardrop.equilibrium = Equilibrium::R3;
    QVERIFY(std::isnan(fitCongestion(halves, wardrop, 2).inclusionL1));
  }

  void loadTooEvenForTheRange() {
    // Uniform load with unequal q: the more congestion the better, up to the end of the range.
    RouterLoads loads = exactLoads(5.0, 4);
    std::ranges::fill(loads.counts, 1000.0);
    const CongestionFit fit = fitOf(loads, QualityEstimator::Q1);
    QCOMPARE(fit.boundary, GammaBoundary::Largest);
    QCOMPARE(fit.gamma, 200.0);
    QVERIFY(std::isnan(fit.gammaOls));         // no variation of m
    QVERIFY(std::isnan(fit.epsilonResidual));  // nothing to be relative to
    QVERIFY(std::isnan(fit.qualityCorrelation));
    QVERIFY(near(fit.peakFactor, 1.0, 1e-12));
  }

  void neverChosenExpertsAreLeftOutOfQ4() {
    RouterLoads loads = vectors::loadsOf(vectors::document()["cases"][1]);
    const CongestionFit fit = fitOf(loads, QualityEstimator::Q4);
    QCOMPARE(fit.leftOut, 1);
    QVERIFY(std::isfinite(fit.gamma) && std::isfinite(fit.heldOutL1));
    QCOMPARE(fitOf(loads, QualityEstimator::Q1).leftOut, 0);
  }

  void oneTextHasNothingHeldOut() {
    const CongestionFit fit = fitOf(exactLoads(9.0, 1), QualityEstimator::Q1);
    QVERIFY(near(fit.gamma, 9.0, 0.01));
    QVERIFY(std::isnan(fit.heldOutL1) && std::isnan(fit.uniformL1) && std::isnan(fit.trainLoadL1));
  }

  void nothingChosen() {
    RouterLoads loads(4, 3);
    const CongestionFit empty = fitOf(loads, QualityEstimator::Q1);
    QVERIFY(std::isnan(empty.gamma) && std::isnan(empty.peakFactor) && std::isnan(empty.tau));
    GammaSearch search{GammaSettings{}};
    const QualityPool pool(QualityEstimator::Q1, loads, nullptr);
    QVERIFY(std::isnan(fitReplicate(halvedLoads(loads, pool, vectors::once(loads)), search, kNaN).gamma));
    QVERIFY(!QualityPool(QualityEstimator::Q3, loads, nullptr).possible());
    QVERIFY(std::isnan(fitOf(loads, QualityEstimator::Q3).gamma));
  }

  void sumsThatAreNotNumbers() {
    RouterLoads loads = exactLoads(9.0, 4);
    loads.logitSum[3] = kNaN;
    const CongestionFit fit = fitOf(loads, QualityEstimator::Q1);
    QCOMPARE(fit.leftOut, 1);
    QVERIFY(std::isfinite(fit.gamma));
    std::ranges::fill(loads.logitSum, kNaN);
    QVERIFY(std::isnan(fitOf(loads, QualityEstimator::Q1).gamma));
  }

  void aDrawWithoutTrainTexts() {
    const RouterLoads loads = exactLoads(9.0, 2);
    const QualityPool pool(QualityEstimator::Q1, loads, nullptr);
    const std::vector<std::uint16_t> onlyHeldOut{0, 2};
    GammaSearch search{GammaSettings{}};
    const ReplicateFit fit = fitReplicate(halvedLoads(loads, pool, onlyHeldOut), search, 9.0);
    QVERIFY(std::isnan(fit.gamma));
    QVERIFY(std::isfinite(fit.peakFactor));
  }

  void words() {
    QVERIFY(qualityEstimatorFrom("q4") == QualityEstimator::Q4);
    QVERIFY(!qualityEstimatorFrom("q5") && !fitLossFrom("l3") && !equilibriumFrom(""));
    QVERIFY(equilibriumFrom("r3") == Equilibrium::R3);
  }
};

QTEST_APPLESS_MAIN(TestCongestionFit)
#include "tst_congestion_fit.moc"
