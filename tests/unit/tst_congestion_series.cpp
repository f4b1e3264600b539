// The congestion fit over a series: summaries, order of results, determinism, cancelling, notes.
#include <QTest>

#include <chrono>
#include <cmath>
#include <random>
#include <thread>

#include "core/analysis/congestion_tables.h"

using namespace moescope;
using namespace moescope::analysis;

namespace {

class Random {
 public:
  explicit Random(std::uint64_t seed) : m_random(seed) {}
  double unit() { return static_cast<double>(m_random() >> 11) * 0x1p-53; }
  /// Near normal: a sum of uniforms.
  double normal() {
    double sum = -6.0;
    for (int i = 0; i < 12; ++i) sum += unit();
    return sum;
  }

 private:
  std::mt19937_64 m_random;
};

/// Texts whose load follows R1 with the given gamma at each checkpoint, up to noise.
SeriesLoads synthetic(const std::vector<double>& gammas, int layers, int experts, int texts,
                      double qualityScale = 1.0) {
  Random random(17);
  SeriesLoads loads;
  loads.texts = texts;
  loads.drawn = std::to_string(texts) + " texts";
  for (int l = 0; l < layers; ++l) {
    RouterSpec router;
    router.layer = LayerIndex{l};
    router.experts = experts;
    router.topK = 2;
    loads.routers.push_back(router);
  }
  for (const double gamma : gammas) {
    SeriesPoint& point = loads.points.emplace_back();
    point.run = static_cast<trace::RunId>(loads.points.size());
    point.step = 1000 * point.run;
    for (int l = 0; l < layers; ++l) {
      std::vector<double> q;
      for (int e = 0; e < experts; ++e) q.push_back(0.6 * random.normal());
      const auto m = equilibriumR1(q, gamma);
      RouterLoads& router = point.routers.emplace_back(experts, texts);
      for (int t = 0; t < texts; ++t) {
        router.tokens[static_cast<std::size_t>(t)] = 2000.0;
        for (int e = 0; e < experts; ++e) {
          const auto cell = static_cast<std::size_t>(t * experts + e);
          const auto expert = static_cast<std::size_t>(e);
          const double own = qualityScale * q[expert] + 0.02 * random.normal();
          router.counts[cell] = std::round(4000.0 * m[expert] * std::exp(0.05 * random.normal()));
          router.logitSum[cell] = 2000.0 * own;
          router.probabilitySum[cell] = 2000.0 * std::exp(own) / 30.0;
          router.gateMass[cell] = router.counts[cell] * 0.1 * std::exp(0.3 * own);
        }
      }
    }
  }
  return loads;
}

CongestionSettings fast(int draws = 60) {
  CongestionSettings settings;
  settings.draws = draws;
  return settings;
}

bool mentions(const std::vector<std::string>& notes, const std::string& words) {
  return std::ranges::any_of(notes, [&](const std::string& n) { return n.find(words) != std::string::npos; });
}

double number(const ResultTable& table, std::size_t row, const std::string& column) {
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    if (table.columns[c].name != column) continue;
    const auto* value = std::get_if<double>(&table.rows[row][c]);
    return value ? *value : std::nan("");
  }
  qFatal("no column %s", column.c_str());
}

}  // namespace

class TestCongestionSeries : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void gammasAreRecoveredWithIntervals() {
    const std::vector<double> gammas{10, 20, 35, 30, 22, 15, 9};
    const auto series = fitCongestionSeries(synthetic(gammas, 3, 12, 24), {}, fast(), {});
    QVERIFY(series && series->hasIntervals);
    for (std::size_t p = 0; p < gammas.size(); ++p) {
      const CheckpointFit& point = series->points[p];
      QVERIFY(std::abs(point.gamma.value - gammas[p]) < 0.1 * gammas[p] + 0.5);
      QVERIFY(point.gamma.low < point.gamma.high);
      QVERIFY(std::abs(point.temperature.value - (1.0 + point.gamma.value / 12.0)) < 1e-9);
      QCOMPARE(point.gammaDraws.size(), std::size_t{60});
      double sum = 0.0;
      for (const LayerFit& layer : point.layers) sum += layer.gamma.value;
      QVERIFY(std::abs(sum / 3.0 - point.gamma.value) < 1e-12);
      // Basic and percentile intervals mirror each other at the estimate.
      QVERIFY(std::abs(point.gamma.basicLow + point.gamma.high - 2.0 * point.gamma.value) < 1e-9);
    }
    QVERIFY2(series->phases.withheld.empty(), series->phases.withheld.c_str());
    QCOMPARE(series->phases.phases[0].kind, PhaseKind::Surge);
    QCOMPARE(series->phases.phases[0].last, std::size_t{2});
  }

  void threadsDoNotMatter() {
    const auto loads = synthetic({8, 25}, 3, 10, 12);
    CongestionSettings settings = fast(30);
    settings.threads = 1;
    const auto one = fitCongestionSeries(loads, {}, settings, {});
    settings.threads = 4;
    const auto four = fitCongestionSeries(loads, {}, settings, {});
    QVERIFY(one->points[0].gammaDraws == four->points[0].gammaDraws);
    QVERIFY(one->points[1].gammaDraws == four->points[1].gammaDraws);
    QCOMPARE(toJson(congestionResult(loads, *one, settings, {})).dump(),
             toJson(congestionResult(loads, *four, settings, {})).dump());
    settings.seed = 2;
    const auto other = fitCongestionSeries(loads, {}, settings, {});
    QVERIFY(other->points[0].gammaDraws != one->points[0].gammaDraws);
    QCOMPARE(other->points[0].gamma.value, one->points[0].gamma.value);
  }

  void pointEstimatesComeFirst() {
    std::vector<CongestionSeries> seen;
    CongestionCallbacks callbacks;
    callbacks.partial = [&](const CongestionSeries& series) { seen.push_back(series); };
    const auto series = fitCongestionSeries(synthetic({8, 25}, 2, 10, 12), {}, fast(), callbacks);
    QCOMPARE(seen.size(), std::size_t{1});
    QVERIFY(!seen[0].hasIntervals);
    QCOMPARE(seen[0].points[1].gamma.value, series->points[1].gamma.value);
    QVERIFY(std::isnan(seen[0].points[1].gamma.low));
  }

  void stopIsHonouredSoon() {
    const auto loads = synthetic({8, 25, 14, 9}, 8, 64, 50);
    CongestionSettings settings = fast(100000);
    std::stop_source stop;
    CongestionCallbacks callbacks;
    callbacks.stop = stop.get_token();
    std::chrono::steady_clock::time_point asked;
    std::jthread stopper;
    callbacks.partial = [&](const CongestionSeries&) {
      stopper = std::jthread([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        asked = std::chrono::steady_clock::now();
        stop.request_stop();
      });
    };
    const auto series = fitCongestionSeries(loads, {}, settings, callbacks);
    QVERIFY(!series);
    QCOMPARE(series.error().kind, std::string("cancelled"));
    // 100 ms on an idle machine; tests run beside others.
    QVERIFY(std::chrono::steady_clock::now() - asked < std::chrono::seconds(2));
  }

  void estimatorsAreCompared() {
    const auto series = fitCongestionSeries(synthetic({8, 25, 14, 40}, 2, 12, 12), {}, fast(0), {});
    QVERIFY(!series->hasIntervals);
    QCOMPARE(series->agreement.size(), std::size_t{3});  // q1, q2, q4: q3 has no logits
    for (const EstimatorAgreement& pair : series->agreement) {
      QVERIFY(pair.a != QualityEstimator::Q3 && pair.b != QualityEstimator::Q3);
      QVERIFY(pair.r >= -1.0 && pair.r <= 1.0);
    }
    QVERIFY(series->agreement[0].r > 0.95);  // the log of a mean of near equal values
    QVERIFY(std::isnan(series->points[0].gammaBy[2]));
  }

  void meaninglessFitsSaySo() {
    // Loads much sharper than softmax(q): every fit is on the boundary 0.
    const auto loads = synthetic({1, 1, 1, 1, 1, 1, 1}, 2, 10, 12, 0.2);
    const auto settings = fast(20);
    const auto series = fitCongestionSeries(loads, {}, settings, {});
    QCOMPARE(series->points[0].boundaryFits, 2);
    QVERIFY(series->phases.phases.empty());
    const AnalysisResult result = congestionResult(loads, *series, settings, {});
    QVERIFY(mentions(result.notes, "14 of 14 fits are on a boundary"));
    QVERIFY(mentions(result.notes, "No phases: "));
    QVERIFY(mentions(result.notes, "not the number of arXiv:2604.04230"));
    QVERIFY(mentions(result.notes, "alpha"));
    QVERIFY(result.table("phases")->rows.empty());
    QVERIFY(!result.sample.empty() || loads.sample.empty());
    QVERIFY(!result.baseline.empty() && !result.interval.empty());
  }

  void decompositionAndColumns() {
    const auto loads = synthetic({12, 20}, 2, 16, 12);
    const auto settings = fast(20);
    const auto series = fitCongestionSeries(loads, {}, settings, {});
    const AnalysisResult result = congestionResult(loads, *series, settings, {0.01, 2.0});
    const ResultTable& table = *result.table("series");
    QCOMPARE(table.rows.size(), std::size_t{2});
    QVERIFY(std::abs(number(table, 0, "gamma_explicit") - 2.0 * 0.01 * 16.0) < 1e-12);
    QVERIFY(std::abs(number(table, 0, "gamma_implicit") + number(table, 0, "gamma_explicit") -
                     number(table, 0, "gamma")) < 1e-12);
    QCOMPARE(number(table, 0, "k_over_m"), 0.125);
    const double layers = number(*result.table("layers"), 0, "inclusion_l1") +
                          number(*result.table("layers"), 1, "inclusion_l1");
    QVERIFY(number(table, 0, "inclusion_l1") > 0.0);
    QVERIFY(std::abs(number(table, 0, "inclusion_l1") - layers / 2.0) < 1e-12);
    QVERIFY(number(table, 0, "heldout_l1") < number(table, 0, "l1_uniform"));
    QCOMPARE(result.table("layers")->rows.size(), std::size_t{4});
    for (const ResultTable& any : result.tables) {
      for (const auto& row : any.rows) QCOMPARE(row.size(), any.columns.size());
    }
    const auto back = resultFromJson(toJson(result).dump());
    QVERIFY(back);
    QCOMPARE(back->tables.size(), result.tables.size());
  }

  void aSelectionBiasHasNoPrice() {
    auto loads = synthetic({12, 20}, 2, 16, 12);
    const auto settings = fast(0);
    const auto series = fitCongestionSeries(loads, {}, settings, {});
    const auto explicitGamma = [&](const Decomposition& decomposition) {
      return number(*congestionResult(loads, *series, settings, decomposition).table("layers"), 0,
                    "gamma_explicit");
    };
    QVERIFY(std::isnan(explicitGamma({})));
    loads.largestBias = 0.3;
    QCOMPARE(explicitGamma({}), 0.0);
    QCOMPARE(explicitGamma({0.01, 1.0}), 0.16);
    const AnalysisResult result = congestionResult(loads, *series, settings, {});
    QCOMPARE(number(*result.table("series"), 0, "gamma_implicit"), series->points[0].gamma.value);
    QVERIFY(mentions(result.notes, "gamma_explicit is 0") && mentions(result.notes, "bias of up to 0.3"));
  }

  void typesOfTokensNeedLogits() {
    auto loads = synthetic({12}, 1, 4, 4);
    loads.points[0].hasLogits = true;
    // Two kinds of tokens, 3 : 1, that like different experts.
    const LogitSource logits = [](std::size_t, std::size_t, const std::stop_token&) {
      TextLogits out;
      out.experts = 4;
      Random random(3);
      for (int r = 0; r < 400; ++r) {
        out.texts.push_back(r / 100);
        for (int e = 0; e < 4; ++e)
          out.logits.push_back(
              static_cast<float>((e == (r % 4 == 0 ? 0 : 2) ? 4.0 : 0.0) + 0.1 * random.normal()));
        out.chosen.push_back({0, 2});
      }
      return out;
    };
    CongestionSettings settings = fast(0);
    settings.types.types = 2;
    const auto series = fitCongestionSeries(loads, logits, settings, {});
    QVERIFY(series);
    const LayerFit& layer = series->points[0].layers[0];
    QVERIFY(layer.multiType && layer.multiType->types == 2);
    QVERIFY(std::isfinite(layer.improvement));
    QVERIFY(std::isfinite(layer.gammaBy[2]));  // medians are possible
    settings.types.types = 0;
    QVERIFY(!fitCongestionSeries(loads, logits, settings, {})->points[0].layers[0].multiType);
  }

  void medianEstimatorWithoutLogits() {
    CongestionSettings settings = fast();
    settings.estimator = QualityEstimator::Q3;
    const auto series = fitCongestionSeries(synthetic({8, 25}, 1, 6, 4), {}, settings, {});
    QVERIFY(!series);
    QCOMPARE(series.error().kind, std::string("analysis.not_recorded"));
    QVERIFY(series.error().advice.find("capture full") != std::string::npos);
  }

  void oneText() {
    const auto loads = synthetic({8, 25}, 1, 6, 1);
    const auto settings = fast();
    const auto series = fitCongestionSeries(loads, {}, settings, {});
    QVERIFY(!series->hasIntervals);
    QVERIFY(std::isfinite(series->points[0].gamma.value) && std::isnan(series->points[0].heldOutL1.value));
    const AnalysisResult result = congestionResult(loads, *series, settings, {});
    QVERIFY(result.interval.starts_with("none"));
    QVERIFY(mentions(result.notes, "nothing is held out"));
  }

  void meansSkipWhatIsUndefined() {
    QCOMPARE(meanOf(std::vector<double>{1.0, std::nan(""), 3.0}), 2.0);
    QCOMPARE(medianOf({5.0, std::nan(""), 1.0, 3.0}), 3.0);
    QVERIFY(std::isnan(meanOf({})) && std::isnan(medianOf({})));
  }
};

QTEST_APPLESS_MAIN(TestCongestionSeries)
#include "tst_congestion_series.moc"
