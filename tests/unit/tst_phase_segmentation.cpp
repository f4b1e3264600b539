// Phases of gamma over training, and the reasons for which they are withheld; lines with bends against numpy.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/analysis/phase_segmentation.h"
#include "core/analysis/piecewise_line.h"
#include "tests/support/congestion_vectors.h"

using namespace moescope::analysis;

namespace {

/// Steady replicates around gamma: +-0.5 in turn, so that intervals are narrow.
PhasePoint point(std::int64_t step, double gamma, double peakFactor) {
  PhasePoint out{step, gamma, {gamma - 0.5, gamma + 0.5}, peakFactor, 4, 0, {}};
  for (int d = 0; d < 40; ++d) out.replicates.push_back(gamma + (d % 2 == 0 ? 0.5 : -0.5));
  return out;
}

/// The shape that the abstract of arXiv:2604.04230 gives: 14 up to 38 at 35K, level balance, down to 9.
std::vector<PhasePoint> paperShape() {
  std::vector<PhasePoint> points;
  for (const std::int64_t step : {5000, 10000, 20000, 35000}) {
    const double share = std::log(static_cast<double>(step) / 5000.0) / std::log(7.0);
    points.push_back(point(step, 14.0 + 24.0 * share, 4.0 - 1.5 * share));
  }
  for (const std::int64_t step : {60000, 100000, 160000, 250000, 400000}) {
    const double share = std::log(static_cast<double>(step) / 35000.0) / std::log(400.0 / 35.0);
    points.push_back(point(step, 38.0 - 11.0 * share, 2.5 - 0.1 * share));
  }
  for (const std::int64_t step : {550000, 700000, 900000, 1200000}) {
    const double share = std::log(static_cast<double>(step) / 400000.0) / std::log(3.0);
    points.push_back(point(step, 27.0 - 18.0 * share, 2.4));
  }
  return points;
}

}  // namespace

class TestPhaseSegmentation : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void surgeStabilizationRelaxation() {
    const auto found = segmentPhases(paperShape());
    QVERIFY2(found.withheld.empty(), found.withheld.c_str());
    QCOMPARE(found.phases.size(), std::size_t{3});
    QCOMPARE(found.phases[0].kind, PhaseKind::Surge);
    QCOMPARE(found.phases[0].first, std::size_t{0});
    QCOMPARE(found.phases[0].last, std::size_t{3});
    QCOMPARE(found.phases[1].kind, PhaseKind::Stabilization);
    QCOMPARE(found.phases[1].last, std::size_t{8});
    QCOMPARE(found.phases[2].kind, PhaseKind::Relaxation);
    QCOMPARE(found.phases[2].last, std::size_t{12});
    QVERIFY(std::abs(found.phases[2].slope + 18.0 / std::log(3.0)) < 1e-9);
    QVERIFY(found.phases[2].slopeInterval.high < 0.0);
    QVERIFY(found.phases[2].slopeInterval.low <= found.phases[2].slope);
  }

  void stepZeroStandsApart() {
    auto points = paperShape();
    points.insert(points.begin(), point(0, 200.0, 1.0));
    const auto found = segmentPhases(points);
    QVERIFY2(found.withheld.empty(), found.withheld.c_str());
    QCOMPARE(found.phases[0].first, std::size_t{1});
    QCOMPARE(found.phases[0].last, std::size_t{4});
  }

  void tooFewCheckpoints() {
    auto points = paperShape();
    points.resize(5);
    points.push_back(point(0, 3.0, 2.0));
    const auto found = segmentPhases(points);
    QVERIFY(found.phases.empty());
    QVERIFY(found.withheld.starts_with("too few checkpoints for phases: 5"));
    QVERIFY(!segmentPhases({}).withheld.empty());
  }

  void noSurge() {
    std::vector<PhasePoint> falling, level;
    for (std::int64_t i = 1; i <= 8; ++i) {
      falling.push_back(point(1000 * i, 30.0 - 2.0 * static_cast<double>(i), 2.0));
      level.push_back(point(1000 * i, 20.0 + (i == 4 ? 0.9 : 0.0), 2.0));
    }
    QVERIFY(segmentPhases(falling).withheld.starts_with("no surge seen"));
    QVERIFY(segmentPhases(level).withheld.starts_with("no surge seen"));  // 20.4 to 21.4 and 19.5 to 20.5
  }

  void boundaryFits() {
    auto points = paperShape();
    // Two of the 16 fits of the surge are few, five are more than a quarter.
    points[1].boundaryFits = 2;
    QVERIFY(segmentPhases(points).withheld.empty());
    points[2].boundaryFits = 3;
    const auto found = segmentPhases(points);
    QVERIFY(found.phases.empty());
    QVERIFY2(found.withheld.starts_with("5 of 16 fits from step 5000 to 35000"), found.withheld.c_str());
  }

  void unknownStepsAndEqualSteps() {
    auto points = paperShape();
    points[3].step = points[2].step;
    QVERIFY(segmentPhases(points).withheld.starts_with("two checkpoints have the step 20000"));
    points[3].step.reset();
    QVERIFY(segmentPhases(points).withheld.starts_with("the training step of 1 of 13"));
  }

  void withoutIntervals() {
    auto points = paperShape();
    for (PhasePoint& p : points) p.interval = {std::numeric_limits<double>::quiet_NaN(), p.gamma};
    QVERIFY(segmentPhases(points).withheld.starts_with("without intervals"));
  }

  void orderOfRunsDoesNotMatter() {
    auto points = paperShape();
    std::swap(points[0], points[12]);
    const auto found = segmentPhases(points);
    QVERIFY2(found.withheld.empty(), found.withheld.c_str());
    QCOMPARE(found.phases.front().first, std::size_t{12});
    QCOMPARE(found.phases.back().last, std::size_t{0});
  }

  void peakAtTheEnd() {
    std::vector<PhasePoint> points;
    for (std::int64_t i = 1; i <= 7; ++i)
      points.push_back(point(100 * i, 10.0 + 3.0 * static_cast<double>(i), 2.0));
    const auto found = segmentPhases(points);
    QCOMPARE(found.phases.size(), std::size_t{1});
    QCOMPARE(found.phases[0].kind, PhaseKind::Surge);
  }

  void linesAgainstNumpy() {
    const auto& entry = vectors::document()["piecewise"];
    const auto x = entry["x"].get<std::vector<double>>();
    const auto y = entry["y"].get<std::vector<double>>();
    const auto line = fitPiecewiseLine(x, y, entry["breaks"].get<std::vector<std::size_t>>());
    for (std::size_t s = 0; s < 3; ++s)
      QVERIFY(std::abs(line.slopes[s] - entry["slopes"][s].get<double>()) < 1e-8);
    QVERIFY(std::abs(line.residual - entry["residual"].get<double>()) < 1e-10);
    QVERIFY(bestPiecewiseLine(x, y).breaks == line.breaks);
  }

  void aStraightLineHasNoBends() {
    std::vector<double> x, y;
    for (int i = 0; i < 9; ++i) {
      x.push_back(i);
      y.push_back(2.0 * i + (i % 2 == 0 ? 0.1 : -0.1));
    }
    QVERIFY(bestPiecewiseLine(x, y).breaks.empty());
    QVERIFY(std::isnan(fitPiecewiseLine(std::vector<double>{1.0}, std::vector<double>{1.0}, {}).slopes[0]));
  }
};

QTEST_APPLESS_MAIN(TestPhaseSegmentation)
#include "tst_phase_segmentation.moc"
