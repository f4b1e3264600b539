// Draws, quantiles and resampling units.
#include <QTest>

#include <cmath>
#include <limits>
#include <numeric>

#include "core/analysis/bootstrap.h"

using namespace moescope;
using namespace moescope::analysis;

namespace {

trace::SequenceRecord sequence(const std::string& hash) {
  trace::SequenceRecord record;
  record.textHash = hash;
  return record;
}

}  // namespace

class TestBootstrap : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void everyDrawHasAsManyTexts() {
    const TextDraws draws(50, 400, 9);
    QCOMPARE(draws.draws(), 400);
    std::vector<double> sums(50, 0.0);
    for (int d = 0; d < draws.draws(); ++d) {
      const auto draw = draws.draw(d);
      QCOMPARE(std::accumulate(draw.begin(), draw.end(), 0), 50);
      for (std::size_t t = 0; t < draw.size(); ++t) sums[t] += draw[t];
    }
    // Each text is drawn once a draw on average; 400 draws have a standard error of 0.05.
    for (const double sum : sums) QVERIFY(std::abs(sum / 400.0 - 1.0) < 0.25);
  }

  void seedsAreReproducible() {
    const TextDraws a(7, 20, 3), b(7, 20, 3), c(7, 20, 4);
    int different = 0;
    for (int d = 0; d < 20; ++d) {
      QVERIFY(std::ranges::equal(a.draw(d), b.draw(d)));
      different += std::ranges::equal(a.draw(d), c.draw(d)) ? 0 : 1;
    }
    QVERIFY(different > 10);
    QCOMPARE(TextDraws(0, 20, 3).draws(), 0);
  }

  void quantilesInterpolate() {
    // numpy.quantile([1, 2, 4, 8, 16], p)
    const std::vector<double> values{1, 2, 4, 8, 16};
    QCOMPARE(quantile(values, 0.5), 4.0);
    QCOMPARE(quantile(values, 0.1), 1.4);
    QCOMPARE(quantile(values, 0.975), 15.2);
    QCOMPARE(quantile(values, 1.0), 16.0);
    QVERIFY(std::isnan(quantile({}, 0.5)));
  }

  void basicIntervalMirrorsThePercentiles() {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const std::vector<double> replicates{8, nan, 1, 4, 16, 2, INFINITY};
    const BootstrapInterval interval = bootstrapInterval(5.0, replicates, 0.8);
    QCOMPARE(interval.undefined, 2);
    QCOMPARE(interval.percentile.low, 1.4);
    QCOMPARE(interval.percentile.high, 12.8);
    QCOMPARE(interval.basic.low, 10.0 - 12.8);
    QCOMPARE(interval.basic.high, 10.0 - 1.4);
    QVERIFY(std::isnan(bootstrapInterval(5.0, std::vector<double>{nan}).percentile.low));
  }

  void windowsOfATextAreOneUnit() {
    std::vector<trace::SequenceRecord> sequences;
    for (int text = 0; text < 25; ++text) {
      for (int window = 0; window < 3; ++window) sequences.push_back(sequence("text" + std::to_string(text)));
    }
    const ResamplingUnits units = resamplingUnits(sequences);
    QCOMPARE(units.units, 25);
    QVERIFY(!units.windows);
    QCOMPARE(units.unitOf[0], 0);
    QCOMPARE(units.unitOf[2], 0);
    QCOMPARE(units.unitOf[3], 1);
    QCOMPARE(units.description(), std::string("25 texts"));
  }

  void fewTextsAreCutIntoWindows() {
    std::vector<trace::SequenceRecord> sequences(6, sequence("a"));
    sequences.push_back(sequence("b"));
    const ResamplingUnits units = resamplingUnits(sequences);
    QVERIFY(units.windows);
    QCOMPARE(units.texts, 2);
    QCOMPARE(units.units, 7);
    QCOMPARE(units.unitOf[6], 6);
    QCOMPARE(units.description(), std::string("7 windows of 2 texts"));
  }

  void textsWithoutAHashAreTheirOwn() {
    const std::vector<trace::SequenceRecord> sequences(3, sequence(""));
    const ResamplingUnits units = resamplingUnits(sequences);
    QCOMPARE(units.units, 3);
    QVERIFY(!units.windows);
    QCOMPARE(resamplingUnits({}).units, 0);
    QCOMPARE(resamplingUnits(std::vector{sequence("x")}).description(), std::string("1 text"));
  }
};

QTEST_APPLESS_MAIN(TestBootstrap)
#include "tst_bootstrap.moc"
