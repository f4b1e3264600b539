// Equilibria against the vectors of analyses.md 1.13, and their properties.
#include <QTest>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "core/analysis/congestion_fit.h"

using namespace moescope::analysis;

namespace {

const std::vector<double> kQ{1.0, 0.5, 0.0, -0.5};

bool near(std::span<const double> actual, std::vector<double> expected, double tolerance) {
  if (actual.size() != expected.size()) return false;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    if (!(std::abs(actual[i] - expected[i]) <= tolerance)) return false;
  }
  return true;
}

double l1(std::span<const double> a, std::span<const double> b) { return lossBetween(FitLoss::L1, a, b); }

std::vector<double> sines() {
  std::vector<double> q;
  for (int i = 0; i < 64; ++i) q.push_back(0.5 * std::sin(i));
  return q;
}

std::vector<double> drawn(std::mt19937_64& random, int experts, double spread) {
  std::vector<double> q;
  for (int i = 0; i < experts; ++i)
    q.push_back(spread * (static_cast<double>(random() >> 11) * 0x1p-53 - 0.5));
  return q;
}

/// m proportional to exp(q - gamma m), whatever lambda is.
double worstResidual(std::span<const double> q, std::span<const double> m, double gamma) {
  std::vector<double> answer;
  for (std::size_t i = 0; i < q.size(); ++i) answer.push_back(q[i] - gamma * m[i]);
  answer = softmaxShares(answer);
  double worst = 0.0;
  for (std::size_t i = 0; i < m.size(); ++i) worst = std::max(worst, std::abs(answer[i] - m[i]));
  return worst;
}

}  // namespace

class TestCongestionEquilibrium : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void linearWithEntropy_data() {
    QTest::addColumn<double>("gamma");
    QTest::addColumn<QList<double>>("m");
    QTest::newRow("0") << 0.0
                       << QList<double>{0.455054233923, 0.276004344707, 0.167405097278, 0.101536324092};
    QTest::newRow("1") << 1.0
                       << QList<double>{0.408960445852, 0.281707959190, 0.187705364491, 0.121626230467};
    QTest::newRow("4") << 4.0
                       << QList<double>{0.346218183486, 0.276990064902, 0.215150744583, 0.161641007028};
    QTest::newRow("10") << 10.0
                        << QList<double>{0.304116661462, 0.267096716888, 0.231430038072, 0.197356583577};
    QTest::newRow("40") << 40.0
                        << QList<double>{0.267066721016, 0.255658153615, 0.244294792437, 0.232980332932};
    QTest::newRow("100") << 100.0
                         << QList<double>{0.257213242211, 0.252402063904, 0.247594378611, 0.242790315274};
  }
  void linearWithEntropy() {
    QFETCH(double, gamma);
    QFETCH(QList<double>, m);
    const std::vector<double> expected(m.begin(), m.end());
    const auto found = equilibriumR1(kQ, gamma);
    QVERIFY(near(found, expected, 5.1e-13));
    EquilibriumSolver solver(Equilibrium::R1);
    solver.setQuality(kQ);
    for (const double on : {0.0, 3.0, 150.0}) solver.solve(on);
    QVERIFY(near(solver.solve(gamma), expected, 2e-10));
    if (gamma > 0.0) QVERIFY(std::abs(gammaByRegression(kQ, found) - gamma) <= 1e-12 * std::max(1.0, gamma));
  }

  void sixtyFourExperts() {
    const auto q = sines();
    const auto m = equilibriumR1(q, 36.0);
    QVERIFY(std::abs(peakFactorOf(m) - 1.332415989) < 5e-10);
    QVERIFY(std::abs(64.0 * *std::ranges::min_element(m) - 0.699724676) < 5e-10);
    QVERIFY(near(std::span(m).first(3), {0.015366601625, 0.019888522071, 0.020283840594}, 5e-13));
    QVERIFY(std::abs(l1(m, std::vector<double>(64, 1.0 / 64.0)) - 0.199292) < 5e-7);
    QVERIFY(std::abs(l1(m, softmaxShares(q, effectiveTemperature(Equilibrium::R1, 36.0, 64))) - 0.005746) <
            5e-7);
    const std::vector<std::pair<double, double>> peaks{
        {9.0, 1.471229136}, {14.0, 1.436892025}, {27.0, 1.368180441}, {39.0, 1.322035610}};
    for (const auto& [gamma, peak] : peaks)
      QVERIFY(std::abs(peakFactorOf(equilibriumR1(q, gamma)) - peak) < 5e-10);
  }

  void logarithmic() {
    QVERIFY(near(equilibriumR2(kQ, 1.0), {0.349932009, 0.272527322, 0.212244492, 0.165296177}, 5e-10));
    QVERIFY(near(equilibriumR2(kQ, 10.0), {0.267294699, 0.255416934, 0.244066981, 0.233221386}, 5e-10));
    QCOMPARE(effectiveTemperature(Equilibrium::R2, 10.0, 4), 11.0);
  }

  void withoutEntropy() {
    QVERIFY(near(equilibriumR3(kQ, 1.0), {0.75, 0.25, 0.0, 0.0}, 1e-15));
    QVERIFY(near(equilibriumR3(kQ, 4.0), {0.4375, 0.3125, 0.1875, 0.0625}, 1e-15));
    QVERIFY(near(equilibriumR3(kQ, 10.0), {0.325, 0.275, 0.225, 0.175}, 1e-15));
    QVERIFY(near(equilibriumR3(std::vector<double>{2.0, 1.0, 2.0}, 0.0), {0.5, 0.0, 0.5}, 0.0));
    QVERIFY(std::isnan(effectiveTemperature(Equilibrium::R3, 4.0, 4)));
  }

  void temperatureReading() {
    const std::vector<std::pair<double, double>> rows{
        {9.0, 1.14}, {14.0, 1.22}, {27.0, 1.42}, {36.0, 1.56}, {39.0, 1.61}};
    for (const auto& [gamma, expected] : rows)
      QVERIFY(std::abs(effectiveTemperature(Equilibrium::R1, gamma, 64) - expected) <= 0.005);
  }

  void sharesSumToOneAndSolveTheGame() {
    std::mt19937_64 random(5);
    EquilibriumSolver solver(Equilibrium::R1);
    for (const int experts : {1, 2, 7, 64, 256}) {
      for (const double spread : {0.0, 1.0, 10.0, 60.0}) {
        const auto q = drawn(random, experts, spread);
        solver.setQuality(q);
        for (const double gamma : {0.0, 1e-6, 0.5, 30.0, 200.0, 5000.0}) {
          const auto m = equilibriumR1(q, gamma);
          QVERIFY(std::abs(std::accumulate(m.begin(), m.end(), 0.0) - 1.0) < 1e-13);
          QVERIFY(worstResidual(q, m, gamma) < 1e-11);
          const auto warm = solver.solve(gamma);
          QVERIFY(near(warm, m, 1e-9));
        }
      }
    }
  }

  /// Uniqueness: an iteration that starts anywhere ends at the same shares.
  void oneEquilibriumFromAnyStart() {
    std::mt19937_64 random(6);
    const auto q = drawn(random, 12, 4.0);
    const double gamma = 25.0;
    const auto expected = equilibriumR1(q, gamma);
    for (int start = 0; start < 5; ++start) {
      auto m = softmaxShares(drawn(random, 12, 12.0));
      for (int i = 0; i < 2000; ++i) {
        std::vector<double> u;
        for (std::size_t e = 0; e < m.size(); ++e) u.push_back(q[e] - gamma * m[e]);
        u = softmaxShares(u);
        for (std::size_t e = 0; e < m.size(); ++e) m[e] += (u[e] - m[e]) / (1.0 + gamma / 4.0);
      }
      QVERIFY(near(m, expected, 1e-12));
    }
  }

  void moreCongestionIsMoreEven() {
    std::mt19937_64 random(7);
    for (int round = 0; round < 5; ++round) {
      const auto q = drawn(random, 20, 6.0);
      double before = INFINITY;
      for (double gamma = 0.0; gamma <= 200.0; gamma += 2.5) {
        const auto m = equilibriumR1(q, gamma);
        QVERIFY(peakFactorOf(m) < before);
        before = peakFactorOf(m);
        // Better experts have more load.
        for (std::size_t a = 0; a < q.size(); ++a) {
          for (std::size_t b = 0; b < q.size(); ++b) QVERIFY(q[a] <= q[b] || m[a] > m[b]);
        }
      }
    }
  }

  void shiftOfQualityChangesNothing() {
    auto q = sines();
    const auto m = equilibriumR1(q, 20.0);
    for (double& value : q) value += 1234.5;
    QVERIFY(near(equilibriumR1(q, 20.0), m, 1e-12));
  }

  void noExperts() {
    QVERIFY(equilibriumR1({}, 3.0).empty());
    QVERIFY(equilibriumR3({}, 3.0).empty());
    QVERIFY(softmaxShares({}).empty());
  }
};

QTEST_APPLESS_MAIN(TestCongestionEquilibrium)
#include "tst_congestion_equilibrium.moc"
