// Load metrics over a series with bootstrap intervals, against numpy with the same draws.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/analysis/load_series.h"
#include "tests/support/congestion_vectors.h"

using namespace moescope;
using namespace moescope::analysis;

namespace {

SeriesLoads loadsOf(const nlohmann::json& entry, int points) {
  SeriesLoads loads;
  SeriesPoint point;
  for (const auto& layer : entry["layers"]) {
    point.routers.push_back(vectors::loadsOf(layer));
    RouterSpec router;
    router.layer = LayerIndex{static_cast<int>(loads.routers.size())};
    router.experts = point.routers.back().experts;
    router.topK = 2;
    loads.routers.push_back(router);
  }
  point.lossSum = entry["loss_sum"].get<std::vector<double>>();
  point.lossTokens = entry["loss_tokens"].get<std::vector<double>>();
  loads.texts = point.routers[0].texts;
  loads.points.assign(static_cast<std::size_t>(points), point);
  return loads;
}

LoadSeriesSettings settingsOf(const nlohmann::json& entry, int threads = 2) {
  return {entry["draws"], entry["seed"], threads};
}

bool near(const IntervalValue& actual, const nlohmann::json& expected) {
  const std::array<double, 3> numbers{actual.value, actual.low, actual.high};
  for (std::size_t i = 0; i < 3; ++i) {
    if (!(std::abs(numbers[i] - expected[i].get<double>()) < 1e-11)) return false;
  }
  return true;
}

const IntervalValue& at(const LoadValues& values, const std::string& id) {
  return values[static_cast<std::size_t>(loadMeasureFrom(id).value())];
}

}  // namespace

class TestLoadSeries : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void againstNumpy() {
    const auto& entry = vectors::document()["load_series"];
    const auto series = computeLoadSeries(loadsOf(entry, 1), settingsOf(entry), {});
    QVERIFY(series && series->hasIntervals);
    const LoadPoint& point = series->points[0];
    QVERIFY(near(point.loss, entry["loss"]));
    for (const auto& [id, expected] : entry["mean"].items())
      QVERIFY2(near(at(point.mean, id), expected), id.c_str());
    for (std::size_t r = 0; r < 2; ++r) {
      for (const auto& [id, expected] : entry["by_layer"][r].items())
        QVERIFY2(near(at(point.layers[r], id), expected), id.c_str());
    }
  }

  void everyMeasureHasAnInterval() {
    const auto& entry = vectors::document()["load_series"];
    const auto series = computeLoadSeries(loadsOf(entry, 1), settingsOf(entry), {});
    for (const IntervalValue& value : series->points[0].mean)
      QVERIFY(std::isfinite(value.value) && value.low <= value.high);
  }

  void threadsDoNotMatter() {
    const auto& entry = vectors::document()["load_series"];
    const auto loads = loadsOf(entry, 5);
    const auto one = computeLoadSeries(loads, settingsOf(entry, 1), {});
    const auto three = computeLoadSeries(loads, settingsOf(entry, 3), {});
    for (std::size_t p = 0; p < 5; ++p) {
      for (std::size_t m = 0; m < kLoadMeasures; ++m) {
        QCOMPARE(one->points[p].mean[m].low, three->points[p].mean[m].low);
        QCOMPARE(one->points[p].mean[m].high, one->points[0].mean[m].high);
      }
    }
  }

  void valuesComeBeforeIntervals() {
    const auto& entry = vectors::document()["load_series"];
    int calls = 0;
    LoadSeriesCallbacks callbacks;
    callbacks.partial = [&](const LoadSeries& series) {
      ++calls;
      QVERIFY(!series.hasIntervals);
      QVERIFY(std::isfinite(series.points[0].mean[0].value) && std::isnan(series.points[0].mean[0].low));
    };
    QVERIFY(computeLoadSeries(loadsOf(entry, 1), settingsOf(entry), callbacks));
    QCOMPARE(calls, 1);
  }

  void aLayerWithoutLoadIsLeftOutOfTheMean() {
    const auto& entry = vectors::document()["load_series"];
    SeriesLoads loads = loadsOf(entry, 1);
    loads.points[0].routers[1] = RouterLoads(8, loads.texts);
    const auto series = computeLoadSeries(loads, settingsOf(entry), {});
    const LoadPoint& point = series->points[0];
    QVERIFY(std::isnan(at(point.layers[1], "cv").value) && std::isnan(at(point.layers[1], "dead").value));
    QCOMPARE(at(point.mean, "cv").value, at(point.layers[0], "cv").value);
    QCOMPARE(at(point.mean, "cv").high, at(point.layers[0], "cv").high);
  }

  void oneTextHasNoInterval() {
    SeriesLoads loads;
    loads.texts = 1;
    loads.routers.resize(1);
    RouterLoads router(2, 1);
    router.tokens = {10};
    router.counts = {4, 6};
    loads.points.emplace_back().routers = {router};
    const auto series = computeLoadSeries(loads, {}, {});
    QVERIFY(!series->hasIntervals);
    QCOMPARE(at(series->points[0].mean, "cv").value, 0.2);
    QVERIFY(std::isnan(series->points[0].loss.value));
  }

  void cancelled() {
    const auto& entry = vectors::document()["load_series"];
    std::stop_source stop;
    stop.request_stop();
    LoadSeriesCallbacks callbacks;
    callbacks.stop = stop.get_token();
    const auto series = computeLoadSeries(loadsOf(entry, 3), settingsOf(entry), callbacks);
    QVERIFY(!series);
    QCOMPARE(series.error().kind, std::string("cancelled"));
  }
};

QTEST_APPLESS_MAIN(TestLoadSeries)
#include "tst_load_series.moc"
