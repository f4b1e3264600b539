// What rules did, as a trace keeps it: with the rows it belongs to, in old files, after a kill.
#include <QTest>

#include <fmt/format.h>
#include <sqlite3.h>

#include <atomic>
#include <thread>

#include "tests/support/outside_reader.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
using moescope::tests::outside;
namespace fs = std::filesystem;

namespace {

const std::string kColumns =
    "rule || ' ' || tokens_in_scope || ' ' || chosen || ' ' || natively_chosen || ' ' || choices_added || ' "
    "' ||"
    " choices_dropped || ' ' || native_mass || ' ' || dropped_native_mass";

RuleEffect counted(std::int64_t rule, std::int64_t rows) {
  return {.ruleId = rule,
          .tokensInScope = rows,
          .chosen = rows / 2,
          .nativelyChosen = rows / 3,
          .choicesAdded = 1,
          .choicesDropped = 2,
          .droppedNativeMass = 0.25,
          .nativeMass = 1.5};
}

/// The same file as a program of schema 1 would have left it.
void makeSchema1(const fs::path& path, const std::string& extra = {}) {
  sqlite3* raw = nullptr;
  sqlite3_open(path.c_str(), &raw);
  const std::string sql =
      "DROP TABLE rule_effect; DROP TABLE series_run; DROP TABLE series; PRAGMA user_version = 1;" + extra;
  if (sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    qFatal("%s", sqlite3_errmsg(raw));
  sqlite3_close(raw);
}

}  // namespace

class TestTraceRuleEffects : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  int m_files = 0;
  fs::path fresh() { return fs::path(m_folder.path().toStdString()) / fmt::format("{}.moescope", ++m_files); }

 private Q_SLOTS:
  void cameWithTheNextRows() {
    const SyntheticRun run = synthesize(3, {40});
    const fs::path path = fresh();
    auto store = *TraceStore::create(path);
    auto recorder = *store->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Weights));
    recorder->beginSequence({3, "text", {}});
    feedRows(*recorder, run, 0, 10);
    recorder->setRuleEffects(std::vector{counted(7, 10), counted(2, 4)});
    QVERIFY(store->ruleEffects(1).empty());  // the rows that they count are not there
    QVERIFY(store->flush());
    QCOMPARE(outside(path, "SELECT count(*) FROM rule_effect"), std::string("0"));
    feedRows(*recorder, run, 10, 20);
    const std::vector<RuleEffect> both{counted(2, 4), counted(7, 10)};  // by rule
    QCOMPARE(store->ruleEffects(1), both);
    QVERIFY(store->flush());
    QCOMPARE(outside(path, "SELECT group_concat(" + kColumns + ", ';') FROM rule_effect WHERE run = 1"),
             std::string("2 4 2 1 1 2 1.5 0.25;7 10 5 3 1 2 1.5 0.25"));
    // A rule that is gone has no row any more.
    recorder->setRuleEffects(std::vector{counted(7, 12)});
    QVERIFY(recorder->steeringChanged("{}", false));
    QVERIFY(store->flush());
    QCOMPARE(outside(path, "SELECT group_concat(rule || ' ' || tokens_in_scope) FROM rule_effect"),
             std::string("7 12"));
    recorder->setRuleEffects(std::vector{counted(7, 13)});
    QVERIFY(recorder->end(RunStatus::Closed));
    QCOMPARE(store->ruleEffects(1), std::vector{counted(7, 13)});
    QVERIFY(store->close());
    store = *TraceStore::open(path, OpenMode::ReadOnly);
    QCOMPARE(store->ruleEffects(1), std::vector{counted(7, 13)});
    QVERIFY(store->ruleEffects(2).empty());
  }

  /// Whatever another program reads at any time: as many rows counted as there are.
  void countsAgreeWithTheRowsAtAnyTime() {
    const SyntheticRun run = synthesize(5, {700}, 0.0);
    const fs::path path = fresh();
    StoreOptions options;
    options.commitIntervalMs = 1;
    auto store = *TraceStore::create(path, options);
    auto recorder = *store->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Ids));
    recorder->beginSequence({3, "text", {}});
    std::atomic<bool> done = false;
    std::string wrong;
    int looks = 0;
    std::thread reader([&] {
      while (!done) {
        const std::string both = outside(path,
                                         "SELECT coalesce((SELECT tokens_in_scope FROM rule_effect), 0) || ' "
                                         "' || coalesce((SELECT sum(count)"
                                         " FROM route_block WHERE router = 0), 0)");
        const auto space = both.find(' ');
        if (space == std::string::npos) continue;  // the file was just being made or locked
        ++looks;
        if (both.substr(0, space) != both.substr(space + 1)) wrong = both;
      }
    });
    for (std::int64_t row = 0; row < 690; row += 2) {
      // As a generation does: the tokens are known before their routing, which the rules act on.
      feedRows(*recorder, run, row, row + 2,
               [&] { recorder->setRuleEffects(std::vector{counted(1, row + 2)}); });
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    QVERIFY(store->flush());
    done = true;
    reader.join();
    QVERIFY(looks > 3);
    QVERIFY2(wrong.empty(), wrong.c_str());
    QCOMPARE(outside(path, "SELECT tokens_in_scope FROM rule_effect"), std::string("690"));
  }

  void aFileOfSchema1HasNone() {
    const SyntheticRun run = synthesize(8, {50});
    const fs::path path = fresh();
    writeTrace(path, run, CaptureLevel::Ids);
    // A person's own table of that name says nothing either.
    makeSchema1(path, "CREATE TABLE rule_effect (run, rule); INSERT INTO rule_effect VALUES (1, 1);");
    auto store = TraceStore::open(path, OpenMode::ReadOnly);
    QVERIFY2(store, store ? "" : store.error().text().c_str());
    QVERIFY((*store)->ruleEffects(1).empty());
    QCOMPARE((*store)->run(1)->tokens, std::int64_t{50});
  }

  void aFileOfSchema1CanKeepThemOnceItIsWritten() {
    const SyntheticRun run = synthesize(8, {50});
    const fs::path path = fresh();
    writeTrace(path, run, CaptureLevel::Ids);
    makeSchema1(path);
    auto store = *TraceStore::open(path, OpenMode::ReadWrite);
    auto recorder = *store->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Ids));
    recorder->beginSequence({3, "text", {}});
    recorder->setRuleEffects(std::vector{counted(4, 6)});
    feedRows(*recorder, run, 0, 10);
    QVERIFY(recorder->end(RunStatus::Closed));
    QVERIFY(store->close());
    QCOMPARE(outside(path, "SELECT run || ' ' || tokens_in_scope FROM rule_effect"), std::string("2 6"));
  }

  void goesWithItsRun() {
    const SyntheticRun run = synthesize(8, {50});
    const fs::path path = fresh();
    auto store = *TraceStore::create(path);
    auto recorder = *store->startRun(modelRecord(run.routers), runRecord(CaptureLevel::Ids));
    recorder->beginSequence({3, "text", {}});
    recorder->setRuleEffects(std::vector{counted(4, 6)});
    feedRows(*recorder, run, 0, 10);
    QVERIFY(recorder->end(RunStatus::Closed));
    QVERIFY(store->deleteRun(1));
    QVERIFY(store->ruleEffects(1).empty());
    QCOMPARE(outside(path, "SELECT count(*) FROM rule_effect"), std::string("0"));
  }

  /// What no recorder writes is not believed.
  void impossibleCountsAreClamped() {
    const fs::path path = fresh();
    writeTrace(path, synthesize(8, {50}), CaptureLevel::Ids);
    sqlite3* raw = nullptr;
    sqlite3_open(path.c_str(), &raw);
    QCOMPARE(sqlite3_exec(raw, "INSERT INTO rule_effect VALUES (1, 3, -5, -1, 2, 0, 0, 9e999, -0.5)", nullptr,
                          nullptr, nullptr),
             SQLITE_OK);
    sqlite3_close(raw);
    const auto store = *TraceStore::open(path, OpenMode::ReadOnly);
    QCOMPARE(store->ruleEffects(1), (std::vector<RuleEffect>{{.ruleId = 3, .nativelyChosen = 2}}));
  }
};

QTEST_APPLESS_MAIN(TestTraceRuleEffects)
#include "tst_trace_rule_effects.moc"
