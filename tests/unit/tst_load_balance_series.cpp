// `load-balance` of runs, from a trace to its result.
#include <QTest>

#include <cmath>

#include "core/analysis/load_metrics.h"
#include "tests/unit/series_fixture.h"

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::analysis::series_fixture;

class TestLoadBalanceSeries : public SeriesTest {
  Q_OBJECT

 private Q_SLOTS:
  void init() { openTrace(); }
  void cleanup() { closeTrace(); }

  void loadBalanceOfASeries() {
    const auto runs = record({{.step = 0, .seed = 1}, {.step = 500, .seed = 2}, {.step = 2000, .seed = 3}});
    int partials = 0;
    const auto result = must(run(m_balance, ids(runs), {{"draws", "200"}}, &partials));
    QCOMPARE(partials, 1);
    QCOMPARE(result.analysis, std::string("load-balance"));
    QCOMPARE(result.parameters.at("seed"), std::string("1"));
    for (std::size_t p = 0; p < 3; ++p) {
      QCOMPARE(number(result, "series", p, "step"),
               static_cast<double>(*m_store->run(runs[p].run)->trainStep));
      QVERIFY(std::abs(number(result, "series", p, "loss") - runs[p].lossSum / runs[p].lossTokens) < 1e-6);
      QVERIFY(number(result, "series", p, "loss_low") < number(result, "series", p, "loss_high"));
      double mean = 0.0;
      for (std::size_t l = 0; l < kLayers; ++l) {
        const double cv = loadMetrics(runs[p].counts[l], 24 * kTokens).cv;
        QCOMPARE(number(result, "layers", p * kLayers + l, "cv"), cv);
        QVERIFY(number(result, "layers", p * kLayers + l, "cv_low") <
                number(result, "layers", p * kLayers + l, "cv_high"));
        mean += cv / kLayers;
      }
      QVERIFY(std::abs(number(result, "series", p, "cv") - mean) < 1e-12);
    }
    QCOMPARE(result.table("baseline")->rows.size(), std::size_t{13 * kLayers});
    QVERIFY(result.interval.find("24 texts") != std::string::npos);
    QVERIFY(result.sample.find("960 tokens each, 24 texts, capture ids") != std::string::npos);
  }

  void loadBalanceOfOneRun() {
    const auto runs = record({{.texts = 6, .windows = 4, .step = std::nullopt}});
    const auto result = must(run(m_balance, ids(runs), {{"draws", "100"}}));
    QVERIFY(result.interval.find("24 windows of 6 texts") != std::string::npos);
    QVERIFY(mentions(result, "windows are resampled"));
    QVERIFY(std::isfinite(number(result, "series", 0, "gini_high")));
    QVERIFY(std::isnan(number(result, "series", 0, "step")));
  }

  void oneTextIsCutIntoWindowsOfTokens() {
    for (const bool finish : {true, false}) {
      const auto runs = record({{.texts = 1, .step = std::nullopt, .finish = finish}});
      const auto result = must(run(m_balance, ids(runs), {{"draws", "100"}}));
      QVERIFY(result.interval.find("2 windows of about 20 tokens") != std::string::npos);
      QVERIFY(number(result, "series", 0, "cv_low") <= number(result, "series", 0, "cv_high"));
      QCOMPARE(number(result, "series", 0, "loss_tokens"), static_cast<double>(kTokens - 1));
      if (!finish) continue;
      QCOMPARE(number(result, "layers", 0, "cv"), loadMetrics(runs[0].counts[0], kTokens).cv);
      QVERIFY(std::abs(number(result, "series", 0, "loss") - runs[0].lossSum / runs[0].lossTokens) < 1e-6);
    }
  }

  void runsWithoutLogProbabilities() {
    const auto runs = record({{.logProbs = false}});
    const auto result = must(run(m_balance, ids(runs), {{"draws", "10"}}));
    QVERIFY(std::isnan(number(result, "series", 0, "loss")));
    QVERIFY(mentions(result, "no loss"));
  }
};

QTEST_APPLESS_MAIN(TestLoadBalanceSeries)
#include "tst_load_balance_series.moc"
