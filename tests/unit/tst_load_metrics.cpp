// Load metrics against the vectors of analyses.md section 7 and against numpy.
#include <QTest>

#include <array>
#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/analysis/load_measure.h"

using namespace moescope::analysis;

namespace {

nlohmann::json vectors() {
  std::ifstream file(MOESCOPE_TEST_DATA "/analysis/load_vectors.json");
  return nlohmann::json::parse(file);
}

bool near(double actual, double expected, double tolerance = 5e-10) {
  return std::abs(actual - expected) <= tolerance;
}

}  // namespace

class TestLoadMetrics : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void toyVector() {
    const std::array<std::int64_t, 4> counts{4, 2, 1, 1};
    const LoadMetrics m = loadMetrics(counts, 8);
    QCOMPARE(m.maxVio, 1.0);
    QCOMPARE(m.peakFactor, 2.0);
    QCOMPARE(m.minFactor, 0.5);
    QCOMPARE(m.mri, 0.5);
    QVERIFY(near(m.cv, 0.612372436));
    QCOMPARE(m.gini, 0.3125);
    QVERIFY(near(m.normalizedEntropy, 0.875));
    QVERIFY(near(m.effectiveExperts, 3.363585661));
    QVERIFY(near(m.inverseSimpson, 2.909090909));
    QCOMPARE(m.l1ToUniform, 0.5);
    QVERIFY(near(m.klToUniform, 0.173286795));
    QCOMPARE(m.deadExperts, 0);
    QCOMPARE(m.nearlyDeadExperts, 0);
  }

  void uniformLoad() {
    const std::array<std::int64_t, 64> counts = [] {
      std::array<std::int64_t, 64> out{};
      out.fill(16);
      return out;
    }();
    const LoadMetrics m = loadMetrics(counts, 128);
    for (const LoadMeasureInfo& info : loadMeasures()) {
      QVERIFY2(near(valueOf(m, info.measure), uniformValue(info.measure, 64, 8)), info.label.data());
    }
  }

  void worstLoad() {
    // Every token chooses the same 2 of 8: CV = sqrt(M/K - 1), MaxVio = M/K - 1, MRI = 1.
    const std::array<std::int64_t, 8> counts{10, 10, 0, 0, 0, 0, 0, 0};
    const LoadMetrics m = loadMetrics(counts, 10);
    QVERIFY(near(m.cv, std::sqrt(3.0)));
    QVERIFY(near(m.maxVio, 3.0));
    QVERIFY(near(m.mri, 1.0));
    QVERIFY(near(m.effectiveExperts, 2.0));
    QVERIFY(near(m.minFactor, 0.0));
    QCOMPARE(m.deadExperts, 6);
    QCOMPARE(m.nearlyDeadExperts, 6);
  }

  void nearlyDeadIsStrictlyBelowOneHundredth() {
    // Mean 1000: 10 is exactly one hundredth of it, 9 is below.
    QCOMPARE(loadMetrics(std::array<std::int64_t, 2>{10, 1990}, 2000).nearlyDeadExperts, 0);
    QCOMPARE(loadMetrics(std::array<std::int64_t, 2>{9, 1991}, 2000).nearlyDeadExperts, 1);
    QCOMPARE(loadMetrics(std::array<std::int64_t, 2>{9, 1991}, 2000).deadExperts, 0);
  }

  void nothingRouted() {
    const std::array<std::int64_t, 3> none{0, 0, 0};
    const LoadMetrics m = loadMetrics(none, 0);
    QVERIFY(std::isnan(m.cv));
    QVERIFY(std::isnan(m.maxVio));
    QVERIFY(std::isnan(m.effectiveExperts));
    QCOMPARE(m.deadExperts, 3);
    QVERIFY(std::isnan(loadMetrics({}, 5).cv));
  }

  void againstNumpy() {
    const nlohmann::json document = vectors();
    QVERIFY(document["cases"].size() >= 8);
    for (const auto& entry : document["cases"]) {
      const auto counts = entry["counts"].get<std::vector<std::int64_t>>();
      const LoadMetrics m = loadMetrics(counts, entry["tokens"].get<std::int64_t>());
      for (const LoadMeasureInfo& info : loadMeasures()) {
        const double expected = entry["metrics"].at(std::string(info.id)).get<double>();
        QVERIFY2(near(valueOf(m, info.measure), expected, 1e-12 * std::max(1.0, std::abs(expected))),
                 info.id.data());
      }
    }
  }

  void randomRoutingLevel() {
    const auto expected = vectors()["random_cv"];
    const double level = cvOfRandomRouting(expected["experts"].get<int>(), expected["top_k"].get<int>(),
                                           expected["tokens"].get<double>());
    QVERIFY(near(level, expected["rms"].get<double>(), 0.002));
    QVERIFY(std::isnan(cvOfRandomRouting(64, 8, 0)));
  }

  void namesAreUniqueAndFound() {
    for (const LoadMeasureInfo& info : loadMeasures()) {
      QVERIFY(loadMeasureFrom(info.id) == info.measure);
      QCOMPARE(static_cast<int>(infoOf(info.measure).measure), static_cast<int>(info.measure));
    }
    QVERIFY(!loadMeasureFrom("cov"));
  }
};

QTEST_APPLESS_MAIN(TestLoadMetrics)
#include "tst_load_metrics.moc"
