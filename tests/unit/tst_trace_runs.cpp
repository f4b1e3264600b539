// Runs of a trace: resume, copies of rows and files, names, notes, deletion.
#include <QTemporaryDir>
#include <QTest>

#include <fmt/format.h>
#include <sqlite3.h>

#include "tests/support/outside_reader.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
namespace fs = std::filesystem;

class TestTraceRuns : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  int m_files = 0;
  fs::path fresh() { return fs::path(m_folder.path().toStdString()) / fmt::format("{}.moescope", ++m_files); }

 private Q_SLOTS:
  /// Every kind of router comes back as it was written, and sqlite sees its group rule as words.
  void routersOfEveryKindComeBack() {
    std::vector<RouterSpec> specs(4);
    for (std::size_t r = 0; r < specs.size(); ++r) {
      specs[r].layer = LayerIndex{static_cast<std::int32_t>(r)};
      specs[r].experts = 16;
      specs[r].topK = 2;
    }
    specs[0].score = ScoreKind::SparseMixer;
    specs[0].mixerEps = 0.01;
    specs[1].norm = WeightNorm::ClampedSum;
    specs[1].normParameter = 1e-12;
    specs[1].groups = {4, 2, GroupScore::Max, true};
    specs[2].norm = WeightNorm::Power;
    specs[2].normParameter = 2.0;
    specs[3].groups = {8, 4, GroupScore::TopTwoSum, false};
    const fs::path path = fresh();
    writeTrace(path, synthesize(36, {20}, 0.0, specs), CaptureLevel::Ids);
    const auto store = TraceStore::open(path, OpenMode::ReadOnly);
    QVERIFY(store.has_value());
    const auto stored = (*store)->routers(1);
    QCOMPARE(stored.size(), specs.size());
    for (std::size_t r = 0; r < specs.size(); ++r)
      QVERIFY2(stored[r] == specs[r], qPrintable(QString::number(r)));
    QCOMPARE(tests::outside(path, "SELECT group_rule FROM router WHERE router = 3"),
             std::string("8 groups, 4 kept, top2_sum, masked -inf"));
  }

  void resumeGoesOnAfterTheLastSequence_data() {
    QTest::addColumn<int>("capture");
    for (const auto level :
         {CaptureLevel::None, CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full})
      QTest::newRow(std::string(name(level)).c_str()) << static_cast<int>(level);
  }

  /// A run that was interrupted anywhere ends as one that was not.
  void resumeGoesOnAfterTheLastSequence() {
    QFETCH(int, capture);
    const auto level = static_cast<CaptureLevel>(capture);
    const SyntheticRun run = synthesize(36, {300, 200, 77, 2600, 1, 90});
    const fs::path straight = fresh();
    writeTrace(straight, run, level);
    const auto whole = TraceStore::open(straight, OpenMode::ReadOnly);
    for (const std::size_t complete : {0U, 1U, 2U, 4U, 5U, 6U}) {
      const fs::path path = fresh();
      auto store = TraceStore::create(path);
      {
        auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(level));
        feed(**recorder, run, 0, complete, 1);
        if (complete < run.sequences.size()) {
          (*recorder)->beginSequence({3, "cut", {}});
          const Sequence& cut = run.sequences[complete];
          feedRows(**recorder, run, cut.first, cut.first + (cut.length + 1) / 2);
          QVERIFY((*recorder)->steeringChanged("{}", false).has_value());
        }
      }  // the recorder ends the run as aborted
      QVERIFY((*store)->close().has_value());
      store = TraceStore::open(path, OpenMode::ReadWrite);
      QCOMPARE((*store)->run(1)->status, RunStatus::Aborted);
      auto recorder = (*store)->resumeRun(1);
      QVERIFY2(recorder.has_value(), recorder ? "" : recorder.error().text().c_str());
      QVERIFY(!(*store)->resumeRun(1).has_value());
      QCOMPARE((*store)->sequences(1).size(), complete);
      QCOMPARE((*recorder)->tokens(),
               complete == 0 ? 0 : run.sequences[complete - 1].first + run.sequences[complete - 1].length);
      feed(**recorder, run, complete, run.sequences.size(), 8);
      QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
      recorder->reset();
      QVERIFY((*store)->close().has_value());
      store = TraceStore::open(path, OpenMode::ReadOnly);
      for (std::int64_t block = 0; block * kBlockTokens < (*whole)->run(1)->tokens; ++block) {
        QCOMPARE(difference(*(*store)->tokenBlock(1, block), *(*whole)->tokenBlock(1, block)), std::string());
        for (int r = 0; r < 4 && level != CaptureLevel::None; ++r) {
          const auto a = (*store)->routeBlock(1, r, block);
          const auto b = (*whole)->routeBlock(1, r, block);
          QCOMPARE(a != nullptr, b != nullptr);
          if (a) QCOMPARE(difference(*a, *b), std::string());
        }
      }
      for (int r = 0; r < 4; ++r) {
        const TokenRange all{0, (*whole)->run(1)->tokens};
        QCOMPARE(difference((*store)->load(1, r, all), (*whole)->load(1, r, all),
                            level == CaptureLevel::Full ? 1e-3 : 1e-6),
                 std::string());
      }
      QCOMPARE((*store)->run(1)->routedTokens, (*whole)->run(1)->routedTokens);
      const auto issues = checkTrace(path, false, {}, {});
      for (const CheckIssue& issue : *issues)
        QVERIFY2(issue.message.find("top-") == 0, (issue.place + ": " + issue.message).c_str());
    }
  }

  void resumeRefusesDamage() {
    const fs::path path = fresh();
    const SyntheticRun run = synthesize(37, {700, 40});
    auto store = TraceStore::create(path);
    {
      auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Weights));
      feed(**recorder, run, 0, 1, 1);
    }
    QVERIFY((*store)->close().has_value());
    sqlite3* raw = nullptr;
    sqlite3_open(path.c_str(), &raw);
    sqlite3_exec(raw,
                 "UPDATE route_block SET crc = 0 WHERE block = 0 AND router = 1; UPDATE summary SET crc = 0 "
                 "WHERE router = 1",
                 nullptr, nullptr, nullptr);
    sqlite3_close(raw);
    store = TraceStore::open(path, OpenMode::ReadWrite);
    const auto resumed = (*store)->resumeRun(1);
    QVERIFY(!resumed.has_value());
    QCOMPARE(resumed.error().kind, std::string("trace.bad_block"));
    QCOMPARE((*store)->run(1)->tokens, std::int64_t{700});  // nothing was cut
    QCOMPARE((*store)->resumeRun(5).error().kind, std::string("trace.no_such_run"));
  }

  void namesNotesAndDeletion() {
    const fs::path path = fresh();
    const SyntheticRun run = synthesize(38, {400});
    auto store = TraceStore::create(path);
    auto first = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Full));
    feed(**first, run, 0, 1, 1);
    std::vector<StoreEvent> events;
    const int receiver = (*store)->subscribe([&](const StoreEvent& event) { events.push_back(event); });
    QVERIFY((*store)->renameRun(1, "renamed while it runs").has_value());
    QVERIFY((*store)->setNotes(1, "line 1\nline 2").has_value());
    QCOMPARE((*store)->run(1)->name, std::string("renamed while it runs"));
    QCOMPARE((*store)->deleteRun(1).error().kind, std::string("trace.busy"));
    QVERIFY((*first)->end(RunStatus::Closed).has_value());
    first->reset();
    writeSecond(**store, run);
    QCOMPARE((*store)->run(1)->notes, std::string("line 1\nline 2"));
    QCOMPARE((*store)->renameRun(9, "x").error().kind, std::string("trace.no_such_run"));

    const std::string id = (*store)->contentId();
    QVERIFY((*store)->flush().has_value());
    QVERIFY((*store)->deleteRun(1).has_value());
    QVERIFY((*store)->contentId() != id);
    QVERIFY(!(*store)->run(1) && !(*store)->tokenBlock(1, 0) && !(*store)->routeBlock(1, 0, 0));
    QCOMPARE((*store)->runs().size(), std::size_t{1});
    for (std::size_t i = 1; i < events.size(); ++i) QCOMPARE(events[i].number, events[i - 1].number + 1);
    QCOMPARE(events.back().kind, StoreEvent::Kind::RunDeleted);
    (*store)->unsubscribe(receiver);
    const std::size_t seen = events.size();
    QVERIFY((*store)->setNotes(2, "quiet").has_value());
    QCOMPARE(events.size(), seen);
    const auto before = fs::file_size(path);
    QVERIFY((*store)->close().has_value());
    QVERIFY(fs::file_size(path) < before || before < 2'000'000);
    for (const char* table : {"token_block", "route_block", "logit_block", "summary", "sequence_stats",
                              "sequence", "sequence_label"})
      QCOMPARE(tests::outside(path, fmt::format("SELECT count(*) FROM {} WHERE run = 1", table)),
               std::string("0"));
    QVERIFY(checkTrace(path, false, {}, {}).has_value());
  }

  static void writeSecond(TraceStore& store, const SyntheticRun& run) {
    auto recorder = store.startRun(modelRecord(run.routers), runRecord(CaptureLevel::Ids));
    feed(**recorder, run, 0, 1, 1);
    QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
    QCOMPARE(store.runs().size(), std::size_t{2});
    QCOMPARE(store.run(2)->model, store.run(1)->model);
  }

  void copies() {
    const fs::path path = fresh();
    const fs::path target = fresh();
    const SyntheticRun run = synthesize(39, {400, 100});
    auto store = TraceStore::create(path);
    auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Weights));
    feed(**recorder, run, 0, 2, 1);
    // Left by a killed program under that name: it must not be played into the copy.
    QVERIFY(fs::copy_file(path, target));
    fs::copy_file(path.string() + "-wal", target.string() + "-wal");
    QVERIFY((*store)->saveCopy(target).has_value());
    QVERIFY(!fs::exists(target.string() + "-wal") && !fs::exists(target.string() + ".part"));
    const auto copy = TraceStore::open(target, OpenMode::ReadOnly);
    QVERIFY(copy.has_value());
    QVERIFY(fingerprint(**copy, 1) == fingerprint(**store, 1));
    QCOMPARE((*copy)->run(1)->status, RunStatus::Aborted);
    QCOMPARE((*store)->run(1)->status, RunStatus::Open);
    QCOMPARE((*store)->saveCopy(path).error().kind, std::string("trace.exists"));
    const auto nowhere = (*store)->saveCopy(fs::path("/proc/copy.moescope"));
    QCOMPARE(nowhere.error().kind, std::string("trace.unwritable"));
    QCOMPARE(nowhere.error().file, std::string("/proc/copy.moescope"));
    const auto other = TraceStore::create(fresh());
    QCOMPARE((*store)->saveCopy((*other)->path()).error().kind, std::string("trace.locked"));
    QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
  }

  /// A counterfactual replay keeps what stands before the rows that change.
  void copiedRowsAreTheSame() {
    const SyntheticRun run = synthesize(41, {700});
    const fs::path path = fresh();
    auto store = TraceStore::create(path);
    auto source = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Full));
    feed(**source, run, 0, 1, 1);
    QVERIFY((*source)->end(RunStatus::Closed).has_value());
    for (const std::int64_t end : {0, 1, 255, 256, 300, 699}) {
      auto copy = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Full));
      QVERIFY2((*copy)->copyRows(1, end).has_value(), std::to_string(end).c_str());
      if (end == 0) (*copy)->beginSequence({3, "hash 0", run.sequences[0].labels});
      for (std::int64_t at = end; at < 700; at = (at / 50 + 1) * 50)
        feedRows(**copy, run, at, std::min<std::int64_t>(700, (at / 50 + 1) * 50));
      QVERIFY((*copy)->endSequence(true).has_value());
      const RunId id = (*copy)->run();
      QVERIFY((*copy)->end(RunStatus::Closed).has_value());
      for (std::int64_t block = 0; block < 3; ++block) {
        QCOMPARE(difference(*(*store)->tokenBlock(id, block), *(*store)->tokenBlock(1, block)),
                 std::string());
        for (int r = 0; r < 4; ++r) {
          const std::string place = fmt::format("up to {}, block {}, router {}: ", end, block, r);
          const std::string different =
              difference(*(*store)->routeBlock(id, r, block), *(*store)->routeBlock(1, r, block));
          QVERIFY2(different.empty(), (place + different).c_str());
        }
      }
      QCOMPARE(difference((*store)->load(id, 2, {0, 700}), (*store)->load(1, 2, {0, 700}), 1e-3),
               std::string());
      QCOMPARE((*store)->sequences(id)[0].length, std::int64_t{700});
    }
    auto other = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Ids));
    QVERIFY(!(*other)->copyRows(1, 10).has_value());
    QVERIFY(!(*other)->copyRows(77, 10).has_value());
  }
};

QTEST_GUILESS_MAIN(TestTraceRuns)
#include "tst_trace_runs.moc"
