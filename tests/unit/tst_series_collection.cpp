// collectSeries on the demo's series against numbers that numpy made from the blocks of the file
// (tests/support/make_demo_series.py), and on small series that lack something.
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "core/plugin/analysis_figures.h"
#include "core/plugin/series_collection.h"
#include "core/trace/sqlite_handle.h"
#include "plugins/built_in_plugins.h"
#include "tests/support/series_trace.h"

using namespace moescope;
using namespace moescope::plugin;
using analysis::MetricGroup;
using analysis::SeriesMetrics;
using tests::SeriesShape;

namespace {

const PluginHost& host() {
  static const auto* const made = [] {
    auto* plugins = new PluginHost;
    plugins->load(builtInPlugins());
    return plugins;
  }();
  return *made;
}

SeriesMetrics collected(trace::TraceStore& store, const SeriesRequest& request) {
  auto series = collectSeries(host(), store, request);
  if (!series) qFatal("%s", series.error().text().c_str());
  return *std::move(series);
}

struct Small {
  QTemporaryDir folder;
  std::shared_ptr<trace::TraceStore> store =
      *trace::TraceStore::create(folder.filePath(QStringLiteral("t.moescope")).toStdString());
  ~Small() { (void)store->close(); }

  SeriesMetrics collect(const SeriesShape& shape) {
    tests::recordSeries(*store, shape);
    return collected(*store, {.name = shape.name, .series = shape.name, .draws = 0});
  }
};

bool says(const SeriesMetrics& series, const std::string& words) {
  for (const std::string& missing : series.missing) {
    if (missing.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

class TestSeriesCollection : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void theDemoAsNumpyCountsIt() {
    const auto store =
        trace::TraceStore::open(MOESCOPE_RESOURCES "/demo/demo.moescope", trace::OpenMode::ReadOnly);
    QVERIFY(store);
    const SeriesMetrics series = collected(**store, {.name = "trajectory", .series = "1", .draws = 0});
    std::ifstream file(MOESCOPE_TEST_DATA "/analysis/demo_series.json");
    const auto wanted = nlohmann::json::parse(file)["checkpoints"];
    QCOMPARE(series.checkpoints.size(), wanted.size());
    const auto isNear = [&](const char* id, std::size_t at, std::size_t column, const nlohmann::json& value) {
      const double have = series.metric(id)->values[series.at(at, column)];
      return value.is_null() ? std::isnan(have) : std::abs(have - value.get<double>()) < 1e-9;
    };
    for (std::size_t c = 0; c < wanted.size(); ++c) {
      QCOMPARE(series.checkpoints[c].run, wanted[c]["run"].get<trace::RunId>());
      QCOMPARE(*series.checkpoints[c].step, wanted[c]["step"].get<std::int64_t>());
      QCOMPARE(*series.checkpoints[c].tokens, wanted[c]["tokens"].get<std::int64_t>());
      QVERIFY(isNear("loss", c, 0, wanted[c]["loss"]));
      double mean = 0.0;
      for (std::size_t l = 0; l < series.layers.size(); ++l) {
        const auto& layer = wanted[c]["layers"][l];
        QCOMPARE(series.layers[l], layer["layer"].get<int>());
        for (const char* id : {"cv", "peak_factor", "saturation", "churn"})
          QVERIFY2(isNear(id, c, l + 1, layer[id]), id);
        mean += layer["cv"].get<double>() / static_cast<double>(series.layers.size());
      }
      QVERIFY(isNear("cv", c, 0, mean));
    }
    QVERIFY(series.phases.empty());
    QVERIFY2(series.phasesNote.starts_with("No phases"), series.phasesNote.c_str());
    QVERIFY(series.missing.empty());
  }

  void metricsHaveNamesAndStandInOrder() {
    Small small;
    const SeriesMetrics series = small.collect({});
    std::set<std::string> ids, labels;
    MetricGroup last = MetricGroup::Loss;
    for (const auto& metric : series.metrics) {
      QVERIFY2(ids.insert(metric.id).second, metric.id.c_str());
      QVERIFY2(labels.insert(metric.label).second, metric.label.c_str());
      QVERIFY2(metric.label.find('_') == std::string::npos, metric.label.c_str());
      QVERIFY2(metric.group != MetricGroup::Other, metric.id.c_str());
      QVERIFY(last <= metric.group);
      last = metric.group;
    }
    QVERIFY(!ids.contains("b0a"));  // the peak factor under another name
    QCOMPARE(series.metric("loss")->unit, std::string("nat per token"));
    QCOMPARE(series.metric("mutual_information")->level, std::string("mutual_information_shuffled"));
    const auto& boundary = series.metric("gamma")->boundary;
    QCOMPARE(boundary.size(), series.checkpoints.size() * series.width());
    for (std::size_t c = 0; c < series.checkpoints.size(); ++c) {
      double on = 0.0;
      for (std::size_t l = 1; l < series.width(); ++l) on += boundary[series.at(c, l)];
      QVERIFY(std::abs(boundary[series.at(c, 0)] - on / static_cast<double>(series.layers.size())) < 1e-12);
    }
  }

  void whatWasDrawn() {
    Small small;
    const auto drawn = tests::recordSeries(*small.store, {});
    const SeriesMetrics series =
        collected(*small.store, {.name = "Training", .series = "Training", .draws = 20});
    for (std::size_t c = 0; c < drawn.size(); ++c) {
      QVERIFY(std::abs(series.metric("loss")->values[series.at(c, 0)] - drawn[c].loss) < 1e-6);
      for (std::size_t l = 0; l < drawn[c].counts.size(); ++l) {
        const double cv = series.metric("cv")->values[series.at(c, l + 1)];
        QVERIFY(std::abs(cv - tests::cvOfCounts(drawn[c].counts[l])) < 1e-12);
      }
      QVERIFY(std::isfinite(series.metric("cv")->low[series.at(c, 0)]));
    }
  }

  void fewCheckpointsHaveNoPhases() {
    Small small;
    const SeriesMetrics series = small.collect({.steps = {10, 100, 1000}});
    QVERIFY(series.metric("cv") != nullptr);
    QVERIFY(series.phases.empty());
    QVERIFY2(series.phasesNote.starts_with("No phases"), series.phasesNote.c_str());
  }

  void oneCheckpointIsNoSeries() {
    Small small;
    tests::recordSeries(*small.store, {.steps = {10}});
    const auto series =
        collectSeries(host(), *small.store, {.name = "Training", .series = "Training", .draws = 0});
    QVERIFY(!series);
    QVERIFY2(series.error().message.find("two checkpoints") != std::string::npos,
             series.error().message.c_str());
    QVERIFY(!series.error().advice.empty());
  }

  void lossesThatAreMissing() {
    Small small;
    const SeriesMetrics series = small.collect({.logProbs = false});
    QVERIFY(series.metric("loss") == nullptr);
    QVERIFY(says(series, "No loss"));
    QVERIFY(series.metric("cv") != nullptr);
  }

  void textsWithoutLabels() {
    Small small;
    const SeriesMetrics series = small.collect({.labels = false});
    QVERIFY(series.metric("mutual_information") == nullptr);
    QVERIFY(says(series, "No mutual information"));
    QVERIFY(series.metric("saturation") != nullptr);
  }

  void otherTokensAreNotCompared() {
    Small small;
    const SeriesMetrics series = small.collect({.sameTokens = false});
    QVERIFY(series.metric("saturation") == nullptr);
    QVERIFY(says(series, "No saturation and churn"));
    QVERIFY(series.metric("cv") != nullptr);
  }

  void theFigureNamesTheSeriesThatItShows() {
    Small small;
    tests::recordSeries(*small.store, {.name = "first", .steps = {1, 10}, .seed = 5});
    tests::recordSeries(*small.store, {.name = "second", .steps = {1, 10}, .seed = 6});
    const auto shown = [&](const figure::FigureParameters& parameters) {
      auto with = parameters;
      with["draws"] = "0";
      return makeAnalysisFigure(host(), *small.store, "phase-course", with).value();
    };
    const auto newest = shown({}), first = shown({{"series", "first"}}), byNumber = shown({{"series", "1"}});
    QVERIFY2(newest.sampleLine.starts_with("second ·"), newest.sampleLine.c_str());
    QVERIFY2(first.sampleLine.starts_with("first ·"), first.sampleLine.c_str());
    QVERIFY2(byNumber.sampleLine.starts_with("first ·"), byNumber.sampleLine.c_str());
    QVERIFY(newest.lines[0].y != first.lines[0].y);
    QCOMPARE(byNumber.lines[0].y, first.lines[0].y);
  }

  void aKeptResultIsNotBelieved() {
    // A foreign file may keep anything under the right keys.
    Small small;
    const SeriesMetrics before = small.collect({});
    auto file = trace::Database::open(small.store->path(), SQLITE_OPEN_READONLY);
    QVERIFY(file);
    for (const auto& [name, column] :
         {std::pair{"load-balance", "baseline"}, std::pair{"congestion-fit", "phases"}}) {
      auto row = file->prepare("SELECT parameters, inputs FROM analysis_result WHERE analysis = ?");
      row->bind(1, std::string_view(name));
      QCOMPARE(row->step(), SQLITE_ROW);
      const std::string parameters = row->text(0), inputs = row->text(1);
      row->reset();
      auto result = nlohmann::ordered_json::parse(*small.store->cachedResult(name, parameters, inputs));
      auto& tables = result["tables"];
      tables.erase(
          std::remove_if(tables.begin(), tables.end(), [&](const auto& t) { return t["id"] == column; }),
          tables.end());
      const bool isBaseline = std::string_view(name) == "load-balance";
      const auto columns =
          isBaseline
              ? R"([{"name":"x","unit":""}])"
              : R"([{"name":"phase","unit":""},{"name":"first_step","unit":""},{"name":"last_step","unit":""}])";
      const auto rows = isBaseline ? "[[1]]" : R"([["surge",-1e300,1e300]])";
      tables.push_back({{"id", column},
                        {"title", ""},
                        {"columns", nlohmann::ordered_json::parse(columns)},
                        {"rows", nlohmann::ordered_json::parse(rows)}});
      QVERIFY(analysis::resultFromJson(result.dump()));
      QVERIFY(small.store->keepResult(name, parameters, inputs, result.dump()));
    }
    const SeriesMetrics after =
        collected(*small.store, {.name = "Training", .series = "Training", .draws = 0});
    QVERIFY(before.metric("cv")->baseline && !after.metric("cv")->baseline);
    QVERIFY(after.phases.empty());
    QCOMPARE(after.metric("cv")->values, before.metric("cv")->values);
  }
};

QTEST_APPLESS_MAIN(TestSeriesCollection)
#include "tst_series_collection.moc"
