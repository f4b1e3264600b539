// The numbers of the expert load panel: metrics against numpy's, and a reopened file against the live one.
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/canvas/expert_load_bench.h"
#include "tests/support/gui_test.h"
#include "views/models/load_metrics_model.h"

namespace moescope::views {

namespace {

/// A run of one router with exactly these counts over `tokens` rows.
trace::RunId recordCounts(trace::TraceStore& store, const std::vector<std::int64_t>& counts,
                          std::int64_t tokens) {
  std::vector<std::vector<std::int32_t>> choices(static_cast<std::size_t>(tokens));
  std::size_t at = 0;
  for (std::size_t expert = 0; expert < counts.size(); ++expert) {
    for (std::int64_t n = 0; n < counts[expert]; ++n) {
      choices[at++ % choices.size()].push_back(static_cast<std::int32_t>(expert));
    }
  }
  std::size_t width = 1;
  for (const auto& row : choices) width = std::max(width, row.size());
  RouterSpec router;
  router.layer = LayerIndex{5};
  router.experts = static_cast<int>(counts.size());
  router.topK = static_cast<int>(std::min(width, counts.size()));
  trace::RunRecord run = fixture::runRecord(trace::CaptureLevel::Ids);
  trace::ModelRecord model = fixture::modelRecord({router});
  model.weightsFingerprint = std::to_string(counts.size()) + "/" + std::to_string(router.topK);
  auto recorder = *store.startRun(model, run);
  recorder->beginSequence({0, "", {}});
  const std::vector<float> logits(counts.size()), weights(width, 0.1F);
  for (std::int64_t t = 0; t < tokens; ++t) {
    trace::TokenRow row;
    row.position = static_cast<std::int32_t>(t);
    const std::string bytes = "x";
    auto ids = choices[static_cast<std::size_t>(t)];
    ids.resize(width, -1);
    const float entropy = 0;
    trace::RoutingBatch batch{t, 1, std::span(&entropy, 1), {}};
    batch.routers.push_back({static_cast<int>(width), logits, ids, weights, {}, {}});
    if (!recorder->appendTokens(std::span(&row, 1), std::span(&bytes, 1)) ||
        !recorder->appendRouting(batch)) {
      qFatal("the run was not recorded");
    }
  }
  if (!recorder->endSequence(true) || !recorder->end(trace::RunStatus::Closed)) qFatal("the run did not end");
  return recorder->run();
}

}  // namespace

class TestExpertLoadMetrics : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    m_recorded = recorded();
    m_end = m_recorded->store->run(m_recorded->id)->routedTokens;
  }

  void metricsAreNumpys() {
    std::ifstream file(MOESCOPE_TEST_DATA "/analysis/load_vectors.json");
    const auto document = nlohmann::json::parse(file);
    const QTemporaryDir folder;
    const auto store =
        *trace::TraceStore::create(folder.filePath(QStringLiteral("v.moescope")).toStdString());
    int compared = 0;
    for (const auto& entry : document["cases"]) {
      const auto counts = entry["counts"].get<std::vector<std::int64_t>>();
      const auto tokens = entry["tokens"].get<std::int64_t>();
      if (*std::ranges::max_element(counts) > tokens) continue;  // no routing can give that
      LoadPictureRequest request;
      request.run = recordCounts(*store, counts, tokens);
      request.router = LayerIndex{5};
      const auto picture = pictureOf(*store, request);
      LoadMetricsModel model;
      model.setRows(picture->rows, QStringLiteral("Layer 5"), 1);
      QCOMPARE(model.rowCount(), static_cast<int>(analysis::loadMeasures().size()));
      for (int row = 0; row < model.rowCount(); ++row) {
        const auto& info = analysis::loadMeasures()[static_cast<std::size_t>(row)];
        const double expected = entry["metrics"].at(std::string(info.id)).get<double>();
        for (const int column : {LoadMetricsModel::kLayer, LoadMetricsModel::kMean}) {
          const double actual = model.index(row, column).data(LoadMetricsModel::ValueRole).toDouble();
          QVERIFY2(std::abs(actual - expected) <= 1e-12 * std::max(1.0, std::abs(expected)), info.id.data());
        }
        const QString shown = model.index(row, LoadMetricsModel::kLayer).data().toString();
        const bool whole = info.id == "dead" || info.id == "nearly-dead";
        QCOMPARE(shown, QString::number(expected, 'f', whole ? 0 : info.decimals));
        QVERIFY(!model.index(row, 0).data(Qt::ToolTipRole).toString().isEmpty());
      }
      ++compared;
    }
    QVERIFY(compared >= 5);
  }

  void meanOfLayersAndUniform() {
    const auto picture = pictureOf(*m_recorded->store, requestOf(*m_recorded));
    QCOMPARE(picture->routers.size(), std::size_t{4});
    double sum = 0;
    for (int router = 0; router < 4; ++router) {
      sum += cvOf(m_recorded->store->load(m_recorded->id, router, {0, m_end}).counts);
    }
    const LoadRow& cv = picture->rows[static_cast<std::size_t>(analysis::LoadMeasure::Cv)];
    QVERIFY(std::abs(cv.mean - sum / 4) < 1e-12);
    QCOMPARE(cv.uniform, 0.0);
    QCOMPARE(picture->rows[static_cast<std::size_t>(analysis::LoadMeasure::EffectiveExperts)].uniform, 64.0);
    QCOMPARE(picture->rows[static_cast<std::size_t>(analysis::LoadMeasure::Mri)].uniform, 8.0 / 64);
  }

  void reopenedShowsWhatLiveShowed() {
    const QTemporaryDir folder;
    const auto path = folder.filePath(QStringLiteral("l.moescope")).toStdString();
    const auto run = fixture::synthesize(5, {200, 333});
    auto store = *trace::TraceStore::create(path);
    auto recorder =
        *store->startRun(fixture::modelRecord(run.routers), fixture::runRecord(trace::CaptureLevel::Weights));
    fixture::feed(*recorder, run, 0, 1, 1);
    steering::SteeringProgram tried, program;  // the first is taken back before a token sees it
    tried.rules.push_back(steering::addLogitRule(tried, {kLayer, ExpertIndex{kBoosted}}, 0.5));
    QVERIFY(recorder->steeringChanged(steering::toJson(tried).dump(), false).has_value());
    program.rules.push_back(steering::banRule(program, {kLayer, ExpertIndex{kBanned}}));
    QVERIFY(recorder->steeringChanged(steering::toJson(program).dump(), false).has_value());
    fixture::feed(*recorder, run, 1, 2, 2);
    LoadPictureRequest request;
    request.run = recorder->run();
    request.router = kLayer;
    request.window = {LoadWindow::Kind::Last, 300};
    const auto live = pictureOf(*store, request);
    std::vector<figure::ReferenceLine> changes;
    for (const auto& line : live->course->references) {
      if (!line.horizontal) changes.push_back(line);
    }
    QCOMPARE(changes.size(), std::size_t{1});
    QCOMPARE(changes[0].label, std::string("ban added"));
    QVERIFY(recorder->end(trace::RunStatus::Closed).has_value());
    recorder.reset();
    QVERIFY(store->close().has_value());
    store = *trace::TraceStore::open(path, trace::OpenMode::ReadOnly);
    const auto reopened = pictureOf(*store, request);
    QCOMPARE(figure::toCsv(reopened->bars), figure::toCsv(live->bars));
    QCOMPARE(figure::toCsv(*reopened->course), figure::toCsv(*live->course));
    QCOMPARE(reopened->bars.sampleLine, live->bars.sampleLine);
    QVERIFY(reopened->marks == live->marks && !live->marks.empty());
    QVERIFY(reopened->load.gateMass == live->load.gateMass);
    for (std::size_t i = 0; i < live->rows.size(); ++i) {
      QCOMPARE(reopened->rows[i].layer, live->rows[i].layer);
      QCOMPARE(reopened->rows[i].mean, live->rows[i].mean);
    }
  }

 private:
  std::unique_ptr<Recorded> m_recorded;
  std::int64_t m_end = 0;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestExpertLoadMetrics)
#include "tst_expert_load_metrics.moc"
