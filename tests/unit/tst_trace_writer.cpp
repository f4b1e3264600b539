// The writer: tails on disk, the bounded queue, a full disk, readers beside it, misuse.
#include <QTemporaryDir>
#include <QTest>

#include <atomic>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <sqlite3.h>

#include "tests/support/outside_reader.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
namespace fs = std::filesystem;

class TestTraceWriter : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  int m_files = 0;
  fs::path fresh() { return fs::path(m_folder.path().toStdString()) / fmt::format("{}.moescope", ++m_files); }

 private Q_SLOTS:
  void tailsAreReplacedOnDisk() {
    const fs::path path = fresh();
    const SyntheticRun run = synthesize(31, {700});
    auto store = TraceStore::create(path);
    auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Weights));
    QVERIFY(recorder.has_value());
    (*recorder)->beginSequence({3, "h", {}});
    for (const std::int64_t end : {10, 200, 256, 300, 700}) {
      feedRows(**recorder, run, (*recorder)->tokens(), end);
      QVERIFY((*store)->flush().has_value());
      const std::int64_t blocks = (end + 255) / 256;
      QCOMPARE(tests::outside(path, "SELECT count(*) || ' ' || sum(count) FROM token_block"),
               fmt::format("{} {}", blocks, end));
      QCOMPARE(tests::outside(path, "SELECT count(*) || ' ' || sum(count) FROM route_block WHERE router = 2"),
               fmt::format("{} {}", blocks, end));
      QCOMPARE(tests::outside(path, "SELECT sum(tokens) FROM summary WHERE level = 0 AND router = 1"),
               fmt::format("{}", end));
      QCOMPARE(tests::outside(path, "SELECT tokens || ' ' || routed_tokens || ' ' || status FROM run"),
               fmt::format("{0} {0} open", end));
    }
    QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
  }

  void rowsReachTheDiskWithinTheInterval() {
    const fs::path path = fresh();
    const SyntheticRun run = synthesize(32, {40});
    auto store = TraceStore::create(path);
    auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Full));
    (*recorder)->beginSequence({3, "h", {}});
    feedRows(**recorder, run, 0, 40);
    QTRY_COMPARE_WITH_TIMEOUT(tests::outside(path, "SELECT tokens FROM run"), std::string("40"), 5000);
    QCOMPARE((*store)->writerState().queuedBytes, std::int64_t{0});
  }

  void fullDiskEndsTheRecordingOnly() {
    const fs::path path = fresh();
    const SyntheticRun run = synthesize(33, {2000, 2000});
    StoreOptions options;
    options.maxPages = 400;
    options.commitIntervalMs = 1;
    auto store = TraceStore::create(path, options);
    QVERIFY(store.has_value());
    std::atomic<int> failures = 0;
    std::string kind;
    (*store)->subscribe([&](const StoreEvent& event) {
      if (event.kind != StoreEvent::Kind::RecordingFailed) return;
      ++failures;
      kind = event.error ? event.error->kind : "none";
    });
    auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Full));
    QVERIFY(recorder.has_value());
    const RunId id = (*recorder)->run();
    (*recorder)->beginSequence({3, "h", {}});
    std::int64_t acknowledged = 0;
    Result<void> flushed;
    while (flushed && acknowledged < 2000) {
      feedRows(**recorder, run, acknowledged, acknowledged + 50);
      if (QTest::currentTestFailed()) return;
      flushed = (*store)->flush();
      if (flushed) acknowledged += 50;
    }
    QVERIFY(!flushed.has_value());
    QCOMPARE(flushed.error().kind, std::string("machine.disk_full"));
    QTRY_COMPARE_WITH_TIMEOUT(failures.load(), 1, 5000);
    QCOMPARE(kind, std::string("machine.disk_full"));
    QVERIFY(acknowledged >= 100);

    // The model goes on; its recorder says what happened and does nothing.
    const TokenRow token;
    const std::string bytes = "x";
    const auto appended = (*recorder)->appendTokens({&token, 1}, {&bytes, 1});
    QVERIFY(!appended.has_value());
    QCOMPARE(appended.error().kind, std::string("machine.disk_full"));
    QVERIFY(!(*recorder)->end(RunStatus::Closed).has_value());
    recorder->reset();
    QCOMPARE(failures.load(), 1);

    const auto checkKept = [&](const TraceStore& reader) {
      QCOMPARE(reader.run(id)->tokens, acknowledged);
      QCOMPARE(reader.run(id)->status, RunStatus::Aborted);
      for (std::int64_t block = 0; block * kBlockTokens < acknowledged; ++block) {
        QCOMPARE(difference(*reader.tokenBlock(id, block), expectedTokens(run, block, acknowledged)),
                 std::string());
        for (int r = 0; r < 4; ++r)
          QCOMPARE(difference(*reader.routeBlock(id, r, block),
                              expectedRoutes(run, r, block, acknowledged, CaptureLevel::Full)),
                   std::string());
      }
      QCOMPARE(reader.load(id, 1, {0, acknowledged}).tokens, acknowledged);
    };
    checkKept(**store);
    const auto closed = (*store)->close();
    QVERIFY(!closed.has_value());
    QCOMPARE(closed.error().kind, std::string("machine.disk_full"));
    store->reset();
    QVERIFY(!fs::exists(path.string() + "-wal"));
    const auto reopened = TraceStore::open(path, OpenMode::ReadOnly);
    QVERIFY(reopened.has_value());
    checkKept(**reopened);
    const auto issues = checkTrace(path, false, {}, {});
    QVERIFY(issues.has_value());
    for (const CheckIssue& issue : *issues) QVERIFY2(issue.message.find("top-") == 0, issue.message.c_str());
  }

  void queueIsBounded() {
    const fs::path path = fresh();
    const SyntheticRun run = synthesize(34, {3000});
    StoreOptions options;
    options.queueLimitBytes = 200'000;
    auto store = TraceStore::create(path, options);
    auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Full));
    (*recorder)->beginSequence({3, "h", {}});
    // Another program holds the write lock: the writer waits for it, and the engine for the writer.
    sqlite3* raw = nullptr;
    QCOMPARE(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    QCOMPARE(sqlite3_exec(raw, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
    std::atomic<bool> released = false;
    std::thread other([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(400));
      released = true;
      sqlite3_close(raw);
    });
    std::int64_t most = 0;
    std::int64_t beforeRelease = 0;
    for (std::int64_t at = 0; at < 3000; at += 20) {
      feedRows(**recorder, run, at, at + 20);
      const WriterState state = (*store)->writerState();
      QCOMPARE(state.queueLimitBytes, std::int64_t{200'000});
      most = std::max(most, state.queuedBytes);
      if (!released) beforeRelease = at;
    }
    other.join();
    // One step may stand above the limit: 20 rows of about 1.6 kB.
    QVERIFY2(most <= 200'000 + 20 * 2 * 1800, std::to_string(most).c_str());
    QVERIFY2(beforeRelease < 1000, std::to_string(beforeRelease).c_str());
    QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
    QVERIFY((*store)->close().has_value());
    const auto reopened = TraceStore::open(path, OpenMode::ReadOnly);
    QCOMPARE((*reopened)->run(1)->tokens, std::int64_t{3000});
  }

  void readersSeeConsistentRowsWhileItIsWritten() {
    const fs::path path = fresh();
    const SyntheticRun run = synthesize(35, {1500, 900});
    StoreOptions options;
    options.commitIntervalMs = 1;
    auto store = TraceStore::create(path, options);
    auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Full));
    const RunId id = (*recorder)->run();
    std::atomic<bool> done = false;
    std::atomic<int> wrong = 0, rounds = 0;
    std::vector<std::jthread> readers;
    for (int reader = 0; reader < 3; ++reader) {
      readers.emplace_back([&, reader] {
        std::mt19937 random(static_cast<unsigned>(reader));
        while (!done) {
          ++rounds;
          const std::int64_t rows = (*store)->run(id)->routedTokens / 2;  // far enough behind the tail
          if (rows < 2) continue;
          const auto begin = static_cast<std::int64_t>(random() % static_cast<unsigned>(rows));
          const int r = static_cast<int>(random() % 4);
          const LoadSummary load = (*store)->load(id, r, {begin, rows});
          const auto expected = expectedLoad(run, r, {begin, rows}, CaptureLevel::Full);
          const auto block = (*store)->routeBlock(id, r, begin / kBlockTokens);
          const auto tokens = (*store)->tokenBlock(id, begin / kBlockTokens);
          if (load.counts != expected.counts || load.tokens != expected.tokens || !block || block->damaged ||
              !tokens || tokens->count < block->count)
            ++wrong;
        }
      });
    }
    feed(**recorder, run, 0, 2, 3);
    QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
    done = true;
    readers.clear();
    QCOMPARE(wrong.load(), 0);
    QVERIFY(rounds > 3);
    QVERIFY((*store)->warnings().empty());
  }

  void misuseIsRefused() {
    const SyntheticRun run = synthesize(40, {20});
    auto store = TraceStore::create(fresh());
    auto recorder = (*store)->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Full));
    const TokenRow token;
    const std::string bytes = "x";
    QCOMPARE((*recorder)->appendTokens({&token, 1}, {&bytes, 1}).error().kind,
             std::string("trace.bad_batch"));
    (*recorder)->beginSequence({1, "h", {}});
    TokenRow wrong;
    wrong.sequence = 3;
    QVERIFY(!(*recorder)->appendTokens({&wrong, 1}, {&bytes, 1}).has_value());
    QVERIFY(!(*recorder)->appendTokens({&token, 1}, {}).has_value());
    feedRows(**recorder, run, 0, 20);
    RoutingBatch batch;
    batch.count = 1;
    QVERIFY(!(*recorder)->appendRouting(batch).has_value());  // decided already
    batch.firstToken = 20;
    QVERIFY(!(*recorder)->appendRouting(batch).has_value());  // no such row
    QVERIFY((*recorder)->appendTokens({&token, 1}, {&bytes, 1}).has_value());
    QVERIFY(!(*recorder)->appendRouting(batch).has_value());  // routers missing
    QCOMPARE((*store)->run(1)->tokens, std::int64_t{21});
    ModelRecord model = modelRecord(run.routers);
    model.routers[0].topK = 9;
    QCOMPARE((*store)->startRun(model, runRecord(CaptureLevel::Ids)).error().kind,
             std::string("trace.bad_batch"));
    QVERIFY((*store)->close().has_value());
    QVERIFY(!(*recorder)->appendTokens({&token, 1}, {&bytes, 1}).has_value());
    QVERIFY(!(*store)->flush().has_value());
  }
};

QTEST_GUILESS_MAIN(TestTraceWriter)
#include "tst_trace_writer.moc"
