// Analyses asked for in words: parameters, runs and series, and what plug-ins may not do to the program.
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

#include "core/plugin/analysis_runner.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::plugin;
namespace fixture = moescope::trace::fixture;

namespace {

AnalysisRequest withRun(const char* run) {
  AnalysisRequest request;
  request.run = run;
  return request;
}
AnalysisRequest withSeries(const char* series) {
  AnalysisRequest request;
  request.series = series;
  return request;
}
AnalysisRequest withParameter(const char* key, const char* value) {
  AnalysisRequest request;
  request.parameters[key] = value;
  return request;
}
AnalysisRequest withCheckpoint(const char* run) {
  AnalysisRequest request = withRun(run);
  request.checkpoint = "/some/folder";
  return request;
}

}  // namespace

class TestAnalysisRunner : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  std::unique_ptr<PluginHost> m_host;
  std::shared_ptr<trace::TraceStore> m_store;

  // Runs 1 to 4 are a series in another order than that of training, 5 and 6 have no step; 6 has no routing.
  void addRun(std::optional<std::int64_t> step, trace::CaptureLevel capture,
              const std::vector<RouterSpec>& routers, int sequences = 1) {
    auto record = fixture::runRecord(capture);
    record.name = step ? "step " + std::to_string(*step) : "plain";
    record.trainStep = step;
    auto model = fixture::modelRecord(routers);
    model.weightsFingerprint += record.name;
    auto recorder = m_store->startRun(model, record);
    QVERIFY(recorder);
    if (sequences > 0) {
      const auto run = fixture::synthesize(7, {40}, 0.0, routers);
      fixture::feed(**recorder, run, 0, 1, 3);
    }
    QVERIFY((*recorder)->end(trace::RunStatus::Closed));
  }

  [[nodiscard]] Result<analysis::AnalysisResult> run(const std::string& analysis,
                                                     AnalysisRequest request = {}) {
    request.analysis = analysis;
    return runAnalysis(*m_host, *m_store, request);
  }
  [[nodiscard]] QString kind(const std::string& analysis, const AnalysisRequest& request = {}) {
    const auto result = run(analysis, request);
    return result ? QStringLiteral("done") : QString::fromStdString(result.error().kind);
  }
  /// The runs that "test-cells" and its like were given.
  static QString runsOf(const Result<analysis::AnalysisResult>& result) {
    if (!result) return QString::fromStdString(result.error().text());
    QStringList ids;
    for (const auto& row : result->tables.at(0).rows) {
      if (const auto id = std::get<std::int64_t>(row[0]); id >= 0) ids << QString::number(id);
    }
    return ids.join(QLatin1Char(' '));
  }

 private Q_SLOTS:
  void init() {
    m_host = std::make_unique<PluginHost>();
    m_host->load(PluginFolder{MOESCOPE_TEST_PLUGINS, true});
    const auto path = std::filesystem::path(
        m_folder.filePath(QString::fromLatin1(QTest::currentTestFunction()) + QStringLiteral(".moescope"))
            .toStdString());
    auto created = trace::TraceStore::create(path);
    QVERIFY(created);
    m_store = *created;
    const auto routers = fixture::routers();
    for (const int step : {300, 100, 400, 200}) addRun(step, trace::CaptureLevel::Ids, routers);
    addRun(std::nullopt, trace::CaptureLevel::Full, routers);
    addRun(std::nullopt, trace::CaptureLevel::Full, routers, 0);
  }

  void parametersAreFilledAndChecked() {
    const auto plain = run("test-cells");
    QVERIFY(plain);
    QCOMPARE(plain->analysis, std::string("test-cells"));
    QVERIFY((plain->parameters == analysis::AnalysisParameters{{"text", "as is"}}));
    const auto given = run("test-cells", withParameter("text", "given"));
    QVERIFY(given);
    QCOMPARE(std::get<std::string>(given->tables[0].rows[0][1]), std::string("given"));
    const auto unknown = run("test-cells", withParameter("txt", "x"));
    QVERIFY(!unknown);
    QCOMPARE(unknown.error().kind, std::string("analysis.bad_param"));
    QCOMPARE(unknown.error().where, std::string("txt"));
    QCOMPARE(unknown.error().advice, std::string("the parameters of test-cells are text"));
    QCOMPARE(kind("no-such"), QStringLiteral("analysis.unknown"));
  }

  void runsByNumberAndName() {
    QCOMPARE(runsOf(run("test-cells")), QStringLiteral("5"));  // the last that has routing
    QCOMPARE(runsOf(run("test-cells", withRun("2"))), QStringLiteral("2"));
    QCOMPARE(runsOf(run("test-cells", withRun("step 400"))), QStringLiteral("3"));
    QCOMPARE(kind("test-cells", withRun("7")), QStringLiteral("analysis.no_such_run"));
    QCOMPARE(kind("test-cells", withRun("6")), QStringLiteral("analysis.not_recorded"));
    QCOMPARE(kind("test-cells", withSeries("1")), QStringLiteral("analysis.bad_request"));
  }

  void captureLevels() {
    QCOMPARE(runsOf(run("test-full")), QStringLiteral("5"));
    const auto low = run("test-full", withRun("1"));
    QVERIFY(!low);
    QCOMPARE(low.error().kind, std::string("analysis.not_recorded"));
    QVERIFY(low.error().message.find("needs capture full, the run was recorded with ids") !=
            std::string::npos);
    QVERIFY(m_store->deleteRun(5));
    QCOMPARE(kind("test-full"), QStringLiteral("analysis.not_recorded"));
  }

  void seriesInOrderOfTraining() {
    QCOMPARE(runsOf(run("test-series")), QStringLiteral("2 4 1 3"));
    QCOMPARE(kind("test-series", withRun("1")), QStringLiteral("analysis.bad_request"));
    QCOMPARE(kind("test-series", withSeries("none")), QStringLiteral("analysis.no_such_series"));
  }

  void seriesByNumberAndName() {
    const auto first = m_store->startSeries("first", "{}"), second = m_store->startSeries("second", "{}");
    QVERIFY(first && second);
    for (const trace::RunId id : {3, 1}) QVERIFY(m_store->addToSeries(*first, id));
    for (const trace::RunId id : {2, 4}) QVERIFY(m_store->addToSeries(*second, id));
    QCOMPARE(runsOf(run("test-series")), QStringLiteral("2 4"));
    QCOMPARE(runsOf(run("test-series", withSeries("first"))), QStringLiteral("1 3"));
    QCOMPARE(runsOf(run("test-series", withSeries(std::to_string(*second).c_str()))), QStringLiteral("2 4"));
    QCOMPARE(kind("test-series", withSeries("third")), QStringLiteral("analysis.no_such_series"));
  }

  void resultsAreKept() {
    const auto counted = [this](const AnalysisRequest& request = {}) {
      const auto result = run("test-counts", request);
      return result ? std::get<std::int64_t>(result->tables.at(0).rows.at(0).at(0)) : -1;
    };
    const auto before = counted();
    QCOMPARE(counted(), before);                                // kept
    QCOMPARE(counted(withParameter("text", "x")), before + 1);  // other parameters
    QCOMPARE(counted(withRun("1")), before + 2);                // another run
    QCOMPARE(counted(withRun("1")), before + 2);
    QCOMPARE(counted(withCheckpoint("1")), before + 3);  // weights are not in the file
    QCOMPARE(counted(withCheckpoint("1")), before + 4);
    QVERIFY(m_store->close());
    const auto opened = trace::TraceStore::open(m_store->path(), trace::OpenMode::ReadOnly);
    QVERIFY(opened);
    m_store = *opened;
    QCOMPARE(counted(), before);
    QCOMPARE(counted(withRun("2")), before + 5);
    QCOMPARE(counted(withRun("2")), before + 6);  // a file for reading keeps nothing
  }

  void badSeries() {
    addRun(400, trace::CaptureLevel::Ids, fixture::routers());
    const auto twice = run("test-series");
    QVERIFY(!twice);
    QCOMPARE(twice.error().kind, std::string("analysis.bad_series"));
    QVERIFY(twice.error().message.find("400") != std::string::npos);
    QVERIFY(m_store->deleteRun(7));
    auto routers = fixture::routers();
    routers[0].topK += 1;
    addRun(500, trace::CaptureLevel::Ids, routers);
    QCOMPARE(kind("test-series"), QStringLiteral("analysis.bad_series"));
    for (const trace::RunId id : {8, 1, 2, 3}) QVERIFY(m_store->deleteRun(id));
    const auto alone = run("test-series");
    QVERIFY(!alone);
    QVERIFY(alone.error().message.find("has 1") != std::string::npos);
  }

  void checkpoints() {
    QCOMPARE(kind("test-weights"), QStringLiteral("analysis.no_checkpoint"));
    QCOMPARE(kind("test-weights", withCheckpoint("")), QStringLiteral("done"));
    QCOMPARE(runsOf(run("test-weights", withCheckpoint("6"))), QStringLiteral("6"));
  }

  void whatThrowsIsSwitchedOff() {
    const auto thrown = run("test-throws");
    QVERIFY(!thrown);
    QCOMPARE(thrown.error().kind, std::string("analysis.plugin_failed"));
    QVERIFY(thrown.error().message.find("thrown on purpose") != std::string::npos);
    // The rest of the plug-in too, until the program starts again.
    QCOMPARE(kind("test-cells"), QStringLiteral("analysis.plugin_failed"));
    bool listed = false;
    for (const auto& failure : m_host->failures()) listed |= failure.reason.kind == "analysis.plugin_failed";
    QVERIFY(listed);
  }

  void raggedTablesStayOutside() { QCOMPARE(kind("test-ragged"), QStringLiteral("analysis.bad_result")); }

  void stops() {
    std::stop_source source;
    std::int64_t turns = 0;
    AnalysisCallbacks callbacks;
    callbacks.stop = source.get_token();
    callbacks.progress = [&](const Progress& progress) {
      turns = progress.done;
      if (turns == 3) source.request_stop();
    };
    AnalysisRequest request;
    request.analysis = "test-waits";
    const auto stopped = runAnalysis(*m_host, *m_store, request, callbacks);
    QVERIFY(!stopped);
    QCOMPARE(stopped.error().kind, std::string("cancelled"));
    QCOMPARE(turns, std::int64_t{3});
  }
};

QTEST_APPLESS_MAIN(TestAnalysisRunner)
#include "tst_analysis_runner.moc"
