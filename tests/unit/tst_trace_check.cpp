// checkTrace: silent on sound traces, one line for each kind of fault, and --repair of counts only.
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

#include <sqlite3.h>

#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
namespace fs = std::filesystem;

namespace {

std::string issuesOf(const fs::path& path, bool repair = false) {
  const auto issues = checkTrace(path, repair, {}, {});
  if (!issues) return "error " + issues.error().text();
  std::string text;
  for (const CheckIssue& issue : *issues)
    text += (issue.repaired ? "repaired " : "") + issue.place + ": " + issue.message + "\n";
  return text;
}

void execute(const fs::path& path, const QString& sql) {
  sqlite3* raw = nullptr;
  QCOMPARE(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
  char* words = nullptr;
  QVERIFY2(sqlite3_exec(raw, sql.toUtf8().constData(), nullptr, nullptr, &words) == SQLITE_OK, words);
  sqlite3_close(raw);
}

}  // namespace

class TestTraceCheck : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  SyntheticRun m_run = synthesize(9, {300, 77, 1, 2600, 60});
  fs::path in(const char* name) const { return fs::path(m_folder.path().toStdString()) / name; }

 private Q_SLOTS:
  void initTestCase() {
    chooseByLogits(m_run);
    for (const auto level :
         {CaptureLevel::None, CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full})
      writeTrace(in(std::string(name(level)).c_str()), m_run, level);
  }

  void soundTracesPass() {
    for (const auto level :
         {CaptureLevel::None, CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full})
      QCOMPARE(issuesOf(in(std::string(name(level)).c_str())), std::string());
  }

  void faultsAreNamed_data() {
    QTest::addColumn<QString>("sql");
    QTest::addColumn<QString>("place");
    QTest::addColumn<QString>("message");
    QTest::newRow("tokens") << "UPDATE token_block SET crc = crc + 1 WHERE block = 2"
                            << "run 1, tokens, block 2"
                            << "damaged";
    QTest::newRow("tokens missing") << "DELETE FROM token_block WHERE block = 3"
                                    << "run 1, tokens, block 4"
                                    << "before it are missing";
    QTest::newRow("choices")
        << "UPDATE route_block SET ids = zeroblob(length(ids)) WHERE router = 1 AND block = 4"
        << "run 1, router 1, layer 3, block 4"
        << "it is damaged";
    QTest::newRow("choices missing") << "DELETE FROM route_block WHERE router = 2 AND block = 11"
                                     << "run 1, router 2"
                                     << "rows of choices where router 0 has";
    QTest::newRow("logits") << "UPDATE logit_block SET crc = 0 WHERE router = 3 AND block = 0"
                            << "run 1, router 3, layer 7, block 0"
                            << "logits are damaged";
    QTest::newRow("logits missing") << "DELETE FROM logit_block WHERE router = 0 AND block = 1"
                                    << "run 1, router 0, layer 1, block 1"
                                    << "logits are missing";
    // Blocks 5 and 6 of router 0 change places: the checksums match, the choices are of other rows.
    QTest::newRow("choices of others") << "UPDATE logit_block SET block = -1 WHERE router = 0 AND block = 5;"
                                          "UPDATE logit_block SET block = 5 WHERE router = 0 AND block = 6;"
                                          "UPDATE logit_block SET block = 6 WHERE router = 0 AND block = -1"
                                       << "run 1, router 0, layer 1, block 5"
                                       << "top-2 of the stored logits is not what was recorded";
    QTest::newRow("summary") << "UPDATE summary SET crc = 0 WHERE level = 0 AND block = 3 AND router = 1"
                             << "summary 3 of level 0"
                             << "it is damaged";
    QTest::newRow("summary of others")
        << "UPDATE summary SET block = 99 WHERE level = 0 AND block = 3 AND router = 1;"
           "UPDATE summary SET block = 3 WHERE level = 0 AND block = 4 AND router = 1;"
           "UPDATE summary SET block = 4 WHERE level = 0 AND block = 99 AND router = 1"
        << "summary 3 of level 0"
        << "does not match its block";
    QTest::newRow("upper summary")
        << "UPDATE summary SET entropy_sum = entropy_sum + 5 WHERE level = 1 AND router = 0"
        << "summary 0 of level 1"
        << "does not match the level below";
    QTest::newRow("upper summary missing") << "DELETE FROM summary WHERE level = 1 AND router = 2"
                                           << "router 2"
                                           << "it is missing";
    QTest::newRow("sums") << "UPDATE sequence_stats SET crc = 0 WHERE sequence = 1 AND router = 2"
                          << "run 1, sequence 1, router 2"
                          << "its sums are damaged";
    QTest::newRow("sums missing") << "DELETE FROM sequence_stats WHERE sequence = 1"
                                  << "run 1, sequence 1, router 0"
                                  << "missing";
    QTest::newRow("sums of others")
        << "UPDATE sequence_stats SET sequence = 77 WHERE sequence = 1 AND router = 0;"
           "UPDATE sequence_stats SET sequence = 1 WHERE sequence = 4 AND router = 0"
        << "run 1, sequence 1, router 0"
        << "do not match";
    QTest::newRow("sequence") << "UPDATE sequence SET first_token = first_token + 1 WHERE ordinal = 1"
                              << "run 1, sequence 1"
                              << "claims to begin";
    QTest::newRow("sequence gone") << "DELETE FROM sequence WHERE ordinal = 1"
                                   << "run 1, sequence 1"
                                   << "not there";
    QTest::newRow("sequence short") << "UPDATE sequence SET length = 70 WHERE ordinal = 1"
                                    << "run 1, sequence 1"
                                    << "not there";
    QTest::newRow("vocabulary") << "DELETE FROM vocabulary WHERE token % 2 = 0"
                                << "run 1"
                                << "text of";
    QTest::newRow("event") << "INSERT INTO steering_event VALUES (1, 0, 999999, '{}', 0)"
                           << "run 1"
                           << "steering event";
    QTest::newRow("stray router") << "UPDATE summary SET router = 17 WHERE router = 3"
                                  << "run 1"
                                  << "routers that the run does not have";
    QTest::newRow("model") << "PRAGMA foreign_keys=OFF; DELETE FROM model"
                           << "references"
                           << "1 rows of run refer to rows of model";
    QTest::newRow("router") << "UPDATE router SET top_k = 0 WHERE router = 0"
                            << "run 1"
                            << "impossible dimensions";
  }

  void faultsAreNamed() {
    QFETCH(QString, sql);
    QFETCH(QString, place);
    QFETCH(QString, message);
    const fs::path path = in("fault");
    fs::copy_file(in("full"), path, fs::copy_options::overwrite_existing);
    execute(path, sql);
    const QString text = QString::fromStdString(issuesOf(path));
    bool found = false;
    for (const QString& line : text.split('\n'))
      found = found || (line.contains(place) && line.contains(message));
    QVERIFY2(found, text.left(1000).toUtf8().constData());
  }

  void repairSetsCountsRight() {
    const fs::path path = in("counts");
    fs::copy_file(in("weights"), path, fs::copy_options::overwrite_existing);
    execute(path, "UPDATE run SET tokens = 77, routed_tokens = 5000, sequences = 1, status = 'open'");
    const std::string issues = issuesOf(path);
    for (const char* words : {"claims 77 tokens, the file holds 3038", "claims 5000 routed tokens",
                              "claims 1 sequences", "still marked as open"})
      QVERIFY2(issues.find(words) != std::string::npos, issues.c_str());
    QCOMPARE(issuesOf(path), issues);  // looking changes nothing
    const std::string repaired = issuesOf(path, true);
    QCOMPARE(std::count(repaired.begin(), repaired.end(), '\n'),
             std::count(issues.begin(), issues.end(), '\n'));
    QVERIFY(repaired.starts_with("repaired "));
    QCOMPARE(issuesOf(path), std::string());
    const auto store = TraceStore::open(path, OpenMode::ReadOnly);
    QCOMPARE((*store)->run(1)->status, RunStatus::Aborted);
    const auto before = TraceStore::open(in("weights"), OpenMode::ReadOnly);
    QVERIFY(fingerprint(**store, 1) == fingerprint(**before, 1));
  }

  void repairDeletesNothing() {
    const fs::path path = in("lost");
    fs::copy_file(in("weights"), path, fs::copy_options::overwrite_existing);
    execute(path, "DELETE FROM token_block WHERE block = 11");  // the tail
    const std::string repaired = issuesOf(path, true);
    QVERIFY2(repaired.find("repaired run 1: claims 3038 tokens, the file holds 2816") != std::string::npos,
             repaired.c_str());
    const auto store = TraceStore::open(path, OpenMode::ReadOnly);
    QCOMPARE((*store)->run(1)->tokens, std::int64_t{2816});
    const auto sequences = (*store)->sequences(1);
    QCOMPARE(sequences.size(), std::size_t{5});
    QCOMPARE(sequences[3].firstToken + sequences[3].length, std::int64_t{2816});
    QVERIFY(!sequences[3].complete);
    QVERIFY((*store)->routeBlock(1, 0, 11));  // still there, for a person to look at
  }

  void canBeCancelled() {
    std::stop_source stop;
    stop.request_stop();
    const auto issues = checkTrace(in("full"), false, {}, stop.get_token());
    QVERIFY(!issues.has_value());
    QCOMPARE(issues.error().kind, std::string("cancelled"));
    std::int64_t last = 0;
    QVERIFY(checkTrace(in("full"), false, [&](const Progress& progress) { last = progress.done; }, {})
                .has_value());
    QCOMPARE(last, std::int64_t{12});
  }
};

QTEST_APPLESS_MAIN(TestTraceCheck)
#include "tst_trace_check.moc"
