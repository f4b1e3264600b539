// Series of runs and kept results of analyses in a trace, read back by the store and by another program.
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <sqlite3.h>

#include "tests/support/outside_reader.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
using moescope::tests::outside;
namespace fs = std::filesystem;

namespace {

const SyntheticRun& smallRun() {
  static const SyntheticRun run = synthesize(5, {40, 20});
  return run;
}

RunId addRun(TraceStore& store) {
  auto recorder = store.startRun(modelRecord(smallRun().routers), runRecord(CaptureLevel::Ids));
  feed(**recorder, smallRun(), 0, 2, 3);
  if (!(*recorder)->end(RunStatus::Closed)) return 0;
  return (*recorder)->run();
}

void change(const fs::path& path, const char* sql) {
  sqlite3* raw = nullptr;
  sqlite3_open(path.c_str(), &raw);
  QCOMPARE(sqlite3_exec(raw, sql, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
}

}  // namespace

class TestTraceSeries : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  int m_files = 0;
  fs::path fresh() { return fs::path(m_folder.path().toStdString()) / fmt::format("{}.moescope", ++m_files); }

 private Q_SLOTS:
  void runsKeepTheirOrder() {
    const fs::path path = fresh();
    auto store = TraceStore::create(path);
    QVERIFY((*store)->allSeries().empty());
    std::vector<StoreEvent> events;
    (*store)->subscribe([&](const StoreEvent& event) { events.push_back(event); });
    const auto series = (*store)->startSeries("trajectory", R"({"context":256})");
    QVERIFY(series.has_value());
    const RunId first = addRun(**store);
    const RunId second = addRun(**store);
    const RunId alone = addRun(**store);
    QVERIFY((*store)->addToSeries(*series, second).has_value());
    QVERIFY((*store)->addToSeries(*series, first).has_value());
    const auto all = (*store)->allSeries();
    QCOMPARE(all.size(), std::size_t{1});
    QCOMPARE(all[0].id, *series);
    QCOMPARE(all[0].name, std::string("trajectory"));
    QCOMPARE(all[0].settingsJson, std::string(R"({"context":256})"));
    QVERIFY(all[0].createdMs > 1'600'000'000'000);
    QCOMPARE(all[0].runs, (std::vector<RunId>{second, first}));
    const auto told = std::count_if(events.begin(), events.end(), [](const StoreEvent& event) {
      return event.kind == StoreEvent::Kind::SeriesChanged;
    });
    QCOMPARE(told, 3);

    QCOMPARE((*store)->addToSeries(*series, first).error().kind, std::string("trace.in_series"));
    QCOMPARE((*store)->addToSeries(*series, 99).error().kind, std::string("trace.no_such_run"));
    QCOMPARE((*store)->addToSeries(77, alone).error().kind, std::string("trace.no_such_series"));
    QVERIFY((*store)->close().has_value());
    QCOMPARE(
        outside(
            path,
            "SELECT group_concat(ordinal || ':' || run) FROM (SELECT * FROM series_run ORDER BY ordinal)"),
        fmt::format("0:{},1:{}", second, first));
    const auto issues = checkTrace(path, false, {}, {});
    QVERIFY(issues && issues->empty());
  }

  void deletingKeepsTheRestSound() {
    const fs::path path = fresh();
    auto store = TraceStore::create(path);
    const auto one = (*store)->startSeries("one", "{}");
    const auto two = (*store)->startSeries("two", "{}");
    const RunId a = addRun(**store);
    const RunId b = addRun(**store);
    const RunId c = addRun(**store);
    const RunId d = addRun(**store);
    for (const RunId run : {a, b, c}) QVERIFY((*store)->addToSeries(*one, run).has_value());
    QVERIFY((*store)->addToSeries(*two, d).has_value());
    QVERIFY((*store)->deleteRun(b).has_value());
    QCOMPARE((*store)->allSeries()[0].runs, (std::vector<RunId>{a, c}));
    const RunId e = addRun(**store);
    QVERIFY((*store)->addToSeries(*one, e).has_value());
    QCOMPARE((*store)->allSeries()[0].runs, (std::vector<RunId>{a, c, e}));
    QVERIFY((*store)->deleteRun(d).has_value());  // the last of its series
    QCOMPARE((*store)->allSeries().size(), std::size_t{1});
    QVERIFY((*store)->renameSeries(*one, "O'Brien's").has_value());
    QCOMPARE((*store)->allSeries()[0].name, std::string("O'Brien's"));
    QCOMPARE((*store)->allSeries()[0].runs, (std::vector<RunId>{a, c, e}));
    QCOMPARE((*store)->renameSeries(99, "x").error().kind, std::string("trace.no_such_series"));
    QVERIFY((*store)->deleteSeries(*one).has_value());
    QCOMPARE((*store)->deleteSeries(*one).error().kind, std::string("trace.no_such_series"));
    QVERIFY((*store)->allSeries().empty());
    QCOMPARE((*store)->runs().size(), std::size_t{3});
    QVERIFY((*store)->close().has_value());
    QCOMPARE(
        outside(path, "SELECT (SELECT count(*) FROM series) || ' ' || (SELECT count(*) FROM series_run)"),
        std::string("0 0"));
    QVERIFY(checkTrace(path, false, {}, {})->empty());
  }

  /// What an older program wrote: read-only it stays as it is, for writing it is migrated.
  void filesOfSchema1() {
    const fs::path path = fresh();
    writeTrace(path, smallRun(), CaptureLevel::Ids);
    change(path, "DROP TABLE series_run; DROP TABLE series; DROP TABLE rule_effect; PRAGMA user_version = 1");
    auto store = TraceStore::open(path, OpenMode::ReadOnly);
    QVERIFY2(store.has_value(), store ? "" : store.error().text().c_str());
    QVERIFY((*store)->allSeries().empty());
    QVERIFY((*store)->warnings().empty());
    QCOMPARE((*store)->startSeries("x", "{}").error().kind, std::string("trace.unwritable"));
    QCOMPARE((*store)->addToSeries(1, 1).error().kind, std::string("trace.unwritable"));
    QCOMPARE((*store)->renameSeries(1, "x").error().kind, std::string("trace.unwritable"));
    QVERIFY((*store)->keepResult("load", "{}", "{}", "x").has_value());  // does nothing
    QVERIFY(!(*store)->cachedResult("load", "{}", "{}"));
    QVERIFY((*store)->close().has_value());
    QCOMPARE(outside(path, "PRAGMA user_version"), std::string("1"));
    store = TraceStore::open(path, OpenMode::ReadWrite);
    const auto series = (*store)->startSeries("x", "{}");
    QVERIFY(series && (*store)->addToSeries(*series, 1).has_value());
    QVERIFY((*store)->close().has_value());
    QCOMPARE(outside(path, "PRAGMA user_version"), std::string("2"));
  }

  /// Rows that only a file made by hand has.
  void foreignSeriesRowsAreLeftOut() {
    const fs::path path = fresh();
    writeTrace(path, smallRun(), CaptureLevel::Ids);
    change(path,
           "INSERT INTO series VALUES (4, 'x', 'not JSON', 0);"
           "INSERT INTO series_run VALUES (4, 0, 99), (4, 5, 1), (8, 0, 98)");
    const auto store = TraceStore::open(path, OpenMode::ReadOnly);
    const auto all = (*store)->allSeries();
    QCOMPARE(all.size(), std::size_t{1});
    QCOMPARE(all[0].runs, std::vector<RunId>{1});
    const auto issues = checkTrace(path, false, {}, {});
    QVERIFY(std::any_of(issues->begin(), issues->end(),
                        [](const CheckIssue& issue) { return issue.place == "references"; }));
  }

  void resultsAreKeptByTheirKeys() {
    const fs::path path = fresh();
    auto store = TraceStore::create(path);
    const std::string bytes("a\0b", 3);
    QVERIFY((*store)->keepResult("load", "{}", "i", "first").has_value());
    QVERIFY((*store)->keepResult("load", "{}", "i", bytes).has_value());
    QVERIFY((*store)->keepResult("load", R"({"layer":1})", "i", "layer 1").has_value());
    QVERIFY((*store)->keepResult("load", "{}", "j", "").has_value());
    QCOMPARE((*store)->cachedResult("load", "{}", "i"), std::optional(bytes));
    QCOMPARE((*store)->cachedResult("load", R"({"layer":1})", "i"), std::optional(std::string("layer 1")));
    QCOMPARE((*store)->cachedResult("load", "{}", "j"), std::optional(std::string()));
    QVERIFY(!(*store)->cachedResult("churn", "{}", "i"));
    QVERIFY((*store)->keepResult("big", "{}", "i", std::string(kMostResultBytes + 1, 'x')).has_value());
    QVERIFY(!(*store)->cachedResult("big", "{}", "i"));
    QVERIFY((*store)->close().has_value());
    QCOMPARE(outside(path, "SELECT count(*) FROM analysis_result"), std::string("3"));
    // zlib.crc32(b"a\0b") of Python
    QCOMPARE(
        outside(
            path,
            "SELECT hex(result) || ' ' || crc FROM analysis_result WHERE inputs = 'i' AND parameters = '{}'"),
        std::string("610062 367556721"));
  }

  void damagedResultsAreMissing() {
    const fs::path path = fresh();
    auto store = TraceStore::create(path);
    QVERIFY((*store)->keepResult("load", "{}", "i", "value").has_value());
    QVERIFY((*store)->close().has_value());
    change(path, "UPDATE analysis_result SET result = x'00'");
    store = TraceStore::open(path, OpenMode::ReadOnly);
    QVERIFY(!(*store)->cachedResult("load", "{}", "i"));
    QVERIFY(!(*store)->cachedResult("load", "{}", "i"));
    QCOMPARE((*store)->warnings().size(), std::size_t{1});
    QVERIFY((*store)->close().has_value());
    QCOMPARE(checkTrace(path, false, {}, {})->size(), std::size_t{1});
  }

  void oldResultsGiveWay() {
    auto store = TraceStore::create(fresh());
    for (int i = 0; i <= kMostResults; ++i)
      QVERIFY((*store)->keepResult("load", "{}", fmt::format("{}", i), "x").has_value());
    QVERIFY(!(*store)->cachedResult("load", "{}", "0"));
    QVERIFY((*store)->cachedResult("load", "{}", "1").has_value());
  }

  void inputsChangeWithTheRows() {
    auto store = TraceStore::create(fresh());
    const std::array one{addRun(**store)};
    const std::string before = analysisInputs(**store, one);
    const std::array both{one[0], addRun(**store)};
    QCOMPARE(analysisInputs(**store, one), before);  // another run changes nothing
    QVERIFY((*store)->renameRun(one[0], "name").has_value());
    QCOMPARE(analysisInputs(**store, one), before);
    QVERIFY(analysisInputs(**store, both) != before);
    {
      auto recorder = (*store)->startRun(modelRecord(smallRun().routers), runRecord(CaptureLevel::Ids));
      const std::array live{(*recorder)->run()};
      const std::string empty = analysisInputs(**store, live);
      feed(**recorder, smallRun(), 0, 1, 3);
      QVERIFY(analysisInputs(**store, live) != empty);
    }
    auto other = TraceStore::create(fresh());
    addRun(**other);
    QVERIFY(analysisInputs(**other, one) != before);
  }
};

QTEST_APPLESS_MAIN(TestTraceSeries)
#include "tst_trace_series.moc"
