// `congestion-fit` of runs, from a trace to its result.
#include <QTest>

#include <cmath>

#include "core/analysis/load_metrics.h"
#include "tests/unit/series_fixture.h"

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::analysis::series_fixture;

class TestCongestionOfSeries : public SeriesTest {
  Q_OBJECT

 private Q_SLOTS:
  void init() { openTrace(); }
  void cleanup() { closeTrace(); }

  void congestionOfASeries() {
    const auto runs = record({{.step = 0, .seed = 1}, {.step = 500, .seed = 2}, {.step = 2000, .seed = 3}});
    int partials = 0;
    const auto result = must(run(m_fit, ids(runs), {{"draws", "100"}}, &partials));
    QCOMPARE(partials, 1);
    QCOMPARE(result.table("series")->rows.size(), std::size_t{3});
    QCOMPARE(result.table("layers")->rows.size(), std::size_t{3 * kLayers});
    for (std::size_t p = 0; p < 3; ++p) {
      // Top-2 of noisy logits with rising means: the load rises with q.
      QVERIFY(number(result, "series", p, "r_quality_load") > 0.9);
      const auto& counts = runs[p].counts;
      double peak = 0.0;
      for (const auto& layer : counts)
        peak += loadMetrics(layer, 24 * kTokens).peakFactor / static_cast<double>(counts.size());
      QVERIFY(std::abs(number(result, "series", p, "b0a") - peak) < 1e-12);
      QVERIFY(number(result, "series", p, "heldout_l1") < 2.0);
    }
    // alpha from the model's config.
    QVERIFY(std::abs(number(result, "series", 0, "gamma_explicit") - 0.01 * kExperts) < 1e-12);
    QVERIFY(mentions(result, "Q4 is the log of the mean gate weight"));
    QVERIFY(mentions(result, "too few checkpoints for phases: 2"));
    QVERIFY(mentions(result, "Lowest correlation of two estimators"));
    QVERIFY(std::isnan(number(result, "estimators", 0, "gamma_q3")));
  }

  void fullCaptureHasMediansAndTypes() {
    const auto runs = record({{.capture = trace::CaptureLevel::Full, .step = 1, .seed = 4},
                              {.capture = trace::CaptureLevel::Full, .step = 2, .seed = 5}});
    const auto result = must(run(m_fit, ids(runs), {{"draws", "30"}, {"estimator", "q3"}, {"types", "3"}}));
    QVERIFY(std::isfinite(number(result, "estimators", 0, "gamma_q3")));
    QVERIFY(std::isfinite(number(result, "layers", 0, "gamma_multi_type")));
    QCOMPARE(number(result, "layers", 0, "types"), 3.0);
    QCOMPARE(result.table("agreement")->rows.size(), std::size_t{6});
    QVERIFY(!mentions(result, "Q4 is the log"));
    QVERIFY(number(result, "layers", 0, "gamma_low") <= number(result, "layers", 0, "gamma_high"));
  }

  void deadExperts() {
    const auto runs =
        record({{.step = 1, .deadExpert = 2, .seed = 1}, {.step = 2, .deadExpert = 2, .seed = 2}});
    const auto result = must(run(m_fit, ids(runs), {{"draws", "20"}, {"estimator", "q4"}}));
    QCOMPARE(number(result, "layers", 0, "experts_left_out"), 1.0);
    QVERIFY(mentions(result, "4 experts in 4 fits were never chosen"));
    const auto balance = must(run(m_balance, ids(runs), {{"draws", "20"}}));
    QCOMPARE(number(balance, "series", 0, "dead"), 1.0);
  }
};

QTEST_APPLESS_MAIN(TestCongestionOfSeries)
#include "tst_congestion_of_series.moc"
