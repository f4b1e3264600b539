// What is read from a trace, live and reopened, against a straightforward recomputation from the rows.
#include <QTest>

#include <random>

#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;

namespace {

std::filesystem::path in(const QTemporaryDir& folder, const char* name) {
  return std::filesystem::path(folder.path().toStdString()) / name;
}

void compareBlocks(const TraceStore& store, RunId id, const SyntheticRun& run, CaptureLevel capture) {
  const auto rows = static_cast<std::int64_t>(run.rows.size());
  const std::int64_t routedEnd = routedEndOf(run);
  const std::int64_t blocks = (rows + kBlockTokens - 1) / kBlockTokens;
  for (std::int64_t block = 0; block < blocks; ++block) {
    const auto tokens = store.tokenBlock(id, block);
    QVERIFY(tokens);
    QCOMPARE(difference(*tokens, expectedTokens(run, block, rows)), std::string());
    for (int r = 0; r < static_cast<int>(run.routers.size()); ++r) {
      const auto route = store.routeBlock(id, r, block);
      QCOMPARE(route != nullptr, capture != CaptureLevel::None && block * kBlockTokens < routedEnd);
      if (route)
        QCOMPARE(difference(*route, expectedRoutes(run, r, block, routedEnd, capture)), std::string());
      const auto logits = store.logitBlock(id, r, block);
      QCOMPARE(logits != nullptr, route && capture == CaptureLevel::Full);
      if (logits) QCOMPARE(difference(*logits, expectedLogits(run, r, block, routedEnd)), std::string());
    }
  }
  QVERIFY(!store.tokenBlock(id, blocks));
  QVERIFY(!store.routeBlock(id, 0, blocks));
  QVERIFY(!store.routeBlock(id, 99, 0));
  QVERIFY(!store.tokenBlock(id + 1, 0));
}

void compareLoads(const TraceStore& store, RunId id, const SyntheticRun& run, CaptureLevel capture) {
  std::mt19937 random(5);
  const auto rows = static_cast<std::int64_t>(run.rows.size());
  for (int round = 0; round < 24; ++round) {
    TokenRange range{static_cast<std::int64_t>(random() % static_cast<unsigned>(rows)), 0};
    if (round % 3 == 0) range.begin = range.begin / 256 * 256;
    range.end = range.begin + static_cast<std::int64_t>(random() % static_cast<unsigned>(rows));
    if (round == 1) range = {0, rows};
    if (round == 2) range = {-5, rows + 9000};
    const int r = round % static_cast<int>(run.routers.size());
    const LoadSummary load = store.load(id, r, range);
    LoadSummary expected = expectedLoad(run, r, range, capture);
    // The edges of a range have no logits below capture full, and no weights at ids: what is covered is
    // counted, and never more than there is.
    QVERIFY(load.entropyTokens <= expected.entropyTokens);
    if (capture != CaptureLevel::Full && load.entropyTokens < expected.entropyTokens) {
      expected.entropyTokens = load.entropyTokens;
      expected.entropySum = load.entropySum;
    }
    if (capture == CaptureLevel::Ids && load.massTokens < expected.massTokens) {
      expected.massTokens = load.massTokens;
      expected.gateMass = load.gateMass;
    }
    // At full the edges are recomputed from float16 logits.
    QCOMPARE(difference(load, expected, capture == CaptureLevel::Full ? 1e-3 : 1e-6), std::string());
  }
  const LoadSummary all = store.load(id, 1, {0, rows});
  QCOMPARE(difference(all, expectedLoad(run, 1, {0, rows}, capture), 1e-6), std::string());
}

void compareStats(const TraceStore& store, RunId id, const SyntheticRun& run, CaptureLevel capture) {
  for (std::size_t s = 0; s < run.sequences.size(); ++s) {
    for (int r = 0; r < static_cast<int>(run.routers.size()); ++r) {
      const auto stats = store.sequenceStats(id, r, static_cast<std::int32_t>(s));
      QCOMPARE(stats.has_value(), capture != CaptureLevel::None);
      if (stats)
        QCOMPARE(difference(*stats, expectedStats(run, r, run.sequences[s], capture), 1e-6), std::string());
    }
  }
}

}  // namespace

class TestTraceStore : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void readsBackWhatWasAppended_data() {
    QTest::addColumn<int>("capture");
    QTest::newRow("none") << static_cast<int>(CaptureLevel::None);
    QTest::newRow("ids") << static_cast<int>(CaptureLevel::Ids);
    QTest::newRow("weights") << static_cast<int>(CaptureLevel::Weights);
    QTest::newRow("full") << static_cast<int>(CaptureLevel::Full);
  }

  void readsBackWhatWasAppended() {
    QFETCH(int, capture);
    const auto level = static_cast<CaptureLevel>(capture);
    const QTemporaryDir folder;
    const auto path = in(folder, "a.moescope");
    const SyntheticRun run = synthesize(11, {300, 200, 77, 700, 1, 2, 600});
    StoreOptions options;
    options.commitIntervalMs = 3;  // many transactions meet the appending
    auto store = TraceStore::create(path, options);
    QVERIFY(store.has_value());
    auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(level));
    QVERIFY(recorder.has_value());
    const RunId id = (*recorder)->run();
    feed(**recorder, run, 0, 4, 1);
    QVERIFY((*recorder)->steeringChanged("{\"rules\":[]}", true).has_value());
    feed(**recorder, run, 4, run.sequences.size(), 2);
    QCOMPARE((*recorder)->tokens(), static_cast<std::int64_t>(run.rows.size()));

    compareBlocks(**store, id, run, level);
    if (level != CaptureLevel::None) compareLoads(**store, id, run, level);
    compareStats(**store, id, run, level);
    const std::string live = fingerprint(**store, id);
    QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
    QVERIFY(fingerprint(**store, id) == live);
    recorder->reset();
    QVERIFY((*store)->close().has_value());
    store->reset();

    auto reopened = TraceStore::open(path, OpenMode::ReadOnly);
    QVERIFY(reopened.has_value());
    const auto record = (*reopened)->run(id);
    QVERIFY(record.has_value());
    QCOMPARE(record->status, RunStatus::Closed);
    QCOMPARE(record->seed, runRecord(level).seed);
    QVERIFY(record->trainStep == 7);
    QVERIFY(!record->trainTokens);
    QVERIFY((*reopened)->routers(id) == run.routers);
    compareBlocks(**reopened, id, run, level);
    if (level != CaptureLevel::None) compareLoads(**reopened, id, run, level);
    compareStats(**reopened, id, run, level);
    QVERIFY(fingerprint(**reopened, id) == live);
    QVERIFY((*reopened)->warnings().empty());
    QCOMPARE((*reopened)->steeringEvents(id).size(), std::size_t{1});
    QCOMPARE((*reopened)->steeringEvents(id)[0].token, run.sequences[3].first + run.sequences[3].length);
    QCOMPARE((*reopened)->sequences(id)[0].labels, run.sequences[0].labels);
  }
};

QTEST_APPLESS_MAIN(TestTraceStore)
#include "tst_trace_store.moc"
