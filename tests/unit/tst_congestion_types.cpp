// The multi-type extension and the median estimator, against the vectors of analyses.md 1.13 and scipy.
#include <QTest>

#include <cmath>
#include <numeric>
#include <random>

#include "core/analysis/congestion_fit.h"
#include "core/analysis/multi_type_fit.h"
#include "core/analysis/token_types.h"
#include "tests/support/congestion_vectors.h"

using namespace moescope::analysis;

namespace {

bool near(std::span<const double> actual, const std::vector<double>& expected, double tolerance) {
  if (actual.size() != expected.size()) return false;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!(std::abs(actual[i] - expected[i]) <= tolerance)) return false;
  }
  return true;
}

double unit(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

/// Rows of three far groups of sizes 3 : 2 : 1, texts of 30 rows.
TextLogits threeGroups() {
  std::mt19937_64 random(4);
  TextLogits logits;
  logits.experts = 4;
  const std::array<std::array<float, 4>, 3> centres{{{9, 0, 0, 0}, {0, 9, 0, 0}, {0, 0, 9, 9}}};
  const std::array<std::size_t, 6> order{0, 1, 0, 2, 1, 0};
  for (int r = 0; r < 360; ++r) {
    const auto& centre = centres[order[static_cast<std::size_t>(r) % 6]];
    for (const float c : centre) logits.logits.push_back(c + static_cast<float>(unit(random) - 0.5));
    logits.texts.push_back(r / 30);
    logits.chosen.push_back({0, 1});
  }
  return logits;
}

}  // namespace

class TestCongestionTypes : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void vectorsOfTwoTypes() {
    const TokenTypes types{{0.6, 0.4}, {{1, 0, 0}, {0, 0, 1}}, 0.0};
    QVERIFY(near(multiTypeEquilibrium(types, 0.0), {0.43044675, 0.21194156, 0.35761169}, 5e-9));
    QVERIFY(near(multiTypeEquilibrium(types, 2.0), {0.39384075, 0.25465589, 0.35150337}, 5e-9));
    QVERIFY(near(multiTypeEquilibrium(types, 10.0), {0.35711844, 0.30198455, 0.34089701}, 5e-9));
  }

  void againstScipy() {
    QCOMPARE(vectors::document()["multi_type"].size(), std::size_t{4});
    for (const auto& entry : vectors::document()["multi_type"]) {
      const TokenTypes types{entry["weights"], entry["means"], 0.0};
      const double gamma = entry["gamma"];
      const auto m = multiTypeEquilibrium(types, gamma);
      QVERIFY(near(m, entry["m"].get<std::vector<double>>(), 1e-10));
      // Unique: another start ends there as well.
      std::vector<double> start(m.size(), 0.0);
      start[2] = 1.0;
      QVERIFY(near(multiTypeEquilibrium(types, gamma, start), entry["m"].get<std::vector<double>>(), 1e-10));
    }
  }

  void oneTypeIsTheSingleGame() {
    const std::vector<double> q{1.0, 0.5, 0.0, -0.5};
    for (const double gamma : {0.0, 4.0, 100.0})
      QVERIFY(near(multiTypeEquilibrium({{1.0}, {q}, 0.0}, gamma), equilibriumR1(q, gamma), 1e-11));
    QVERIFY(multiTypeEquilibrium({}, 3.0).empty());
  }

  void gammaIsFoundAgain() {
    const TokenTypes types{{0.5, 0.3, 0.2}, {{2, 0, 0, 1}, {0, 2, 1, 0}, {1, 0, 3, 0}}, 0.0};
    const auto m = multiTypeEquilibrium(types, 17.3);
    const MultiTypeFit fit = fitMultiType(types, m, m, {}, {});
    QVERIFY(std::abs(fit.gamma - 17.3) < 1e-4);
    QVERIFY(fit.heldOutL1 < 1e-7);
    QCOMPARE(fit.types, 3);
    QCOMPARE(fit.boundary, GammaBoundary::None);
    QVERIFY(std::isnan(fitMultiType(types, m, {}, {}, {}).heldOutL1));
    QVERIFY(std::isnan(fitMultiType({}, m, m, {}, {}).gamma));
  }

  void groupsAreFound() {
    const TextLogits logits = threeGroups();
    TokenTypeSettings settings;
    settings.types = 3;
    const TokenTypes types = findTokenTypes(logits, settings, {});
    QCOMPARE(types.weights.size(), std::size_t{3});
    std::vector<double> weights = types.weights;
    std::ranges::sort(weights);
    QVERIFY(near(weights, {1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0}, 1e-12));
    for (const auto& mean : types.means) QVERIFY(std::abs(*std::ranges::max_element(mean) - 9.0) < 0.2);
    // A mean of squares of three uniform widths: 4 experts x 1/12.
    QVERIFY(std::abs(types.inertia - 4.0 / 12.0) < 0.05);
    const TokenTypes again = findTokenTypes(logits, settings, {});
    QVERIFY(again.means == types.means);
    settings.mostRows = 50;
    QVERIFY(near(findTokenTypes(logits, settings, {}).weights.size() == 3 ? weights : std::vector<double>{},
                 weights, 1e-12));
  }

  void hardInputForTypes() {
    TokenTypeSettings settings;
    QVERIFY(findTokenTypes({}, settings, {}).weights.empty());
    TextLogits equal;
    equal.experts = 2;
    for (int r = 0; r < 10; ++r) {
      equal.logits.insert(equal.logits.end(), {1.0F, 2.0F});
      equal.texts.push_back(0);
      equal.chosen.push_back({1});
    }
    const TokenTypes types = findTokenTypes(equal, settings, {});
    QCOMPARE(types.weights.size(), std::size_t{1});
    QVERIFY(near(types.means[0], {1.0, 2.0}, 0.0));
    std::stop_source stop;
    stop.request_stop();
    QVERIFY(findTokenTypes(equal, settings, stop.get_token()).weights.empty());
  }

  void mediansAgainstNumpy() {
    const auto& entry = vectors::document()["medians"];
    TextLogits logits;
    logits.experts = entry["experts"];
    logits.texts = entry["owners"].get<std::vector<std::int32_t>>();
    logits.logits = entry["logits"].get<std::vector<float>>();
    logits.chosen.resize(logits.rows());
    const RouterLoads loads(logits.experts, entry["texts"]);
    const QualityPool pool(QualityEstimator::Q3, loads, &logits);
    QVERIFY(pool.possible());
    for (const auto& result : entry["results"]) {
      std::vector<double> q(static_cast<std::size_t>(logits.experts));
      pool.quality(result["times"].get<std::vector<std::uint16_t>>(), Half::Train, q);
      if (result["median"].is_null()) {
        QVERIFY(std::isnan(q[0]));
      } else {
        QVERIFY(near(q, result["median"].get<std::vector<double>>(), 1e-15));
      }
    }
  }

  void meanLogitWhereChosen() {
    TextLogits logits;
    logits.experts = 3;
    logits.texts = {0, 0, 1, 2};
    logits.logits = {1, 2, 3, 4, 5, 6, 100, 100, 100, 7, 8, 9};
    logits.chosen = {{0}, {0, 1}, {0, 1, 2}, {1}};
    const RouterLoads loads(3, 3);
    const QualityPool pool(QualityEstimator::Q4, loads, &logits);
    std::vector<double> q(3);
    pool.quality(std::vector<std::uint16_t>{1, 5, 2}, Half::Train,
                 q);  // text 1 is held out, text 2 counts twice
    QCOMPARE(q[0], 2.5);
    QCOMPARE(q[1], (5.0 + 8.0 + 8.0) / 3.0);
    QVERIFY(std::isnan(q[2]));
  }
};

QTEST_APPLESS_MAIN(TestCongestionTypes)
#include "tst_congestion_types.moc"
