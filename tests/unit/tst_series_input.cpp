// What analyses of a series read of their runs, and what they refuse.
#include <QTest>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/analysis/series_loads.h"
#include "core/analysis/text_logits.h"
#include "tests/unit/series_fixture.h"

using namespace moescope;
using namespace moescope::analysis;
using namespace moescope::analysis::series_fixture;

class TestSeriesInput : public SeriesTest {
  Q_OBJECT

 private Q_SLOTS:
  void init() { openTrace(); }
  void cleanup() { closeTrace(); }

  void logitsAreReadByText() {
    const auto runs = record({{.capture = trace::CaptureLevel::Full}});
    const auto loads = must(readSeries(*m_store, ids(runs), {}));
    QVERIFY(loads.points[0].hasLogits);
    const TextLogits logits = readTextLogits(*m_store, runs[0].run, 0, loads.points[0].unitOf, {});
    QCOMPARE(logits.rows(), std::size_t{24 * kTokens});
    for (std::size_t e = 0; e < kExperts; ++e) {
      std::vector<float> even;
      for (std::size_t r = 0; r < logits.rows(); ++r) {
        if (logits.texts[r] % 2 == 0) even.push_back(logits.row(r)[e]);
      }
      QVERIFY(even == runs[0].logitsOfExpert[e]);
    }
    QCOMPARE(logits.chosen[7].size(), std::size_t{kTopK});
  }

  void logitsThatAreNotFinite() {
    const auto runs = record({{.step = 1, .badLogit = INFINITY, .seed = 1}, {.step = 2, .seed = 2}});
    const auto result = must(run(m_fit, ids(runs), {{"draws", "20"}}));
    QVERIFY(mentions(result, "missing, incomplete or not finite"));
    QVERIFY(std::isfinite(number(result, "series", 0, "gamma")));
  }

  void unfinishedTextsAreLeftOut() {
    const auto runs = record({{.step = 1, .finish = false, .seed = 1}, {.step = 2, .seed = 2}});
    const std::string note = "1 window is not in every run and left out.";
    // Whichever run comes first.
    for (const std::size_t unfinished : {0U, 1U}) {
      auto order = ids(runs);
      if (unfinished == 1) std::ranges::reverse(order);
      const auto loads = must(readSeries(*m_store, order, {}));
      QCOMPARE(loads.texts, 23);
      QCOMPARE(loads.drawn, std::string("23 texts"));
      QVERIFY(loads.notes == std::vector<std::string>{note});
      for (const SeriesPoint& point : loads.points) {
        for (const RouterLoads& router : point.routers) {
          QVERIFY(router.tokens == std::vector<double>(23, kTokens));
          QCOMPARE(std::accumulate(router.counts.begin(), router.counts.end(), 0.0), 23.0 * kTokens * kTopK);
        }
      }
      // The unfinished run's choices of finished texts, expert by expert.
      const auto& point = loads.points[unfinished];
      for (std::size_t l = 0; l < kLayers; ++l) {
        for (std::size_t e = 0; e < kExperts; ++e) {
          double sum = 0.0;
          for (std::size_t t = 0; t < 23; ++t) sum += point.routers[l].counts[t * kExperts + e];
          QCOMPARE(sum, static_cast<double>(runs[0].counts[l][e]));
        }
      }
    }
    // Both runs lack the text: nothing differs between them, and nothing is said.
    const auto both =
        record({{.step = 3, .finish = false, .seed = 3}, {.step = 4, .finish = false, .seed = 4}});
    const auto loads = must(readSeries(*m_store, ids(both), {}));
    QCOMPARE(loads.texts, 23);
    QVERIFY(loads.notes.empty());
  }

  void badInput() {
    const auto runs = record({{.step = 1, .seed = 1},
                              {.step = 1, .seed = 2},
                              {.experts = 8, .seed = 3},
                              {.capture = trace::CaptureLevel::None, .seed = 4},
                              {.texts = 1, .finish = false, .seed = 5}});
    const auto id = ids(runs);
    QCOMPARE(kindOf(run(m_fit, {id[0]}, {})), std::string("analysis.too_few_runs"));
    QCOMPARE(kindOf(run(m_balance, {}, {})), std::string("analysis.too_few_runs"));
    QCOMPARE(kindOf(run(m_fit, {id[0], id[2]}, {})), std::string("analysis.mixed_models"));
    QCOMPARE(kindOf(run(m_fit, {id[0], id[3]}, {})), std::string("analysis.not_recorded"));
    QCOMPARE(kindOf(run(m_balance, {id[3]}, {})), std::string("analysis.not_recorded"));
    QCOMPARE(kindOf(run(m_fit, {id[0], id[4]}, {})), std::string("analysis.no_texts"));
    QCOMPARE(kindOf(run(m_fit, {id[0], 99}, {})), std::string("trace.no_such_run"));
    QCOMPARE(kindOf(run(m_fit, {id[0], id[1]}, {{"estimator", "q3"}})), std::string("analysis.not_recorded"));
    for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"estimator", "q9"},
                                                                                      {"loss", "l0"},
                                                                                      {"equilibrium", "r4"},
                                                                                      {"draws", "-1"},
                                                                                      {"draws", "many"},
                                                                                      {"seed", "1.5"},
                                                                                      {"alpha", "nan"},
                                                                                      {"c", ""},
                                                                                      {"types", "65"}}) {
      const auto result = run(m_fit, {id[0], id[1]}, {{name, value}});
      QCOMPARE(kindOf(result), std::string("analysis.bad_param"));
      QVERIFY(result.error().text().find(name) != std::string::npos);
    }
    const auto equal = must(run(m_fit, {id[0], id[1]}, {{"draws", "5"}}));
    QVERIFY(mentions(equal, "Several runs have the training step 1"));
  }

  void cancelled() {
    const auto runs = record({{.step = 1, .seed = 1}, {.step = 2, .seed = 2}});
    std::stop_source stop;
    stop.request_stop();
    for (const Analysis* analysis : {&m_fit.only(), &m_balance.only()}) {
      const AnalysisInput input{*m_store, ids(runs), {}, {}, {}, {}, stop.get_token()};
      const auto result = analysis->run(input);
      QCOMPARE(kindOf(result), std::string("cancelled"));
    }
  }
};

QTEST_APPLESS_MAIN(TestSeriesInput)
#include "tst_series_input.moc"
