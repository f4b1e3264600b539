// SIGKILL while recording, fifty times: the file is sound, what was acknowledged is there, the run is marked
// as aborted and can be resumed.
#include <QElapsedTimer>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <signal.h>

#include <filesystem>
#include <random>

#include <sqlite3.h>

#include "core/trace/trace_store.h"

using namespace moescope;
using namespace moescope::trace;
namespace fs = std::filesystem;

namespace {

constexpr int kRounds = 50;

/// The last progress mark that is whole.
std::int64_t acknowledged(const QString& marks) {
  QFile file(marks);
  if (!file.open(QIODevice::ReadOnly)) return 0;
  QByteArray text = file.readAll();
  text.truncate(text.lastIndexOf('\n'));
  return text.mid(text.lastIndexOf('\n') + 1).toLongLong();
}

std::string integrity(const fs::path& path) {
  sqlite3* raw = nullptr;
  sqlite3_stmt* statement = nullptr;
  std::string verdict = "cannot be opened";
  if (sqlite3_open(path.c_str(), &raw) == SQLITE_OK &&
      sqlite3_prepare_v2(raw, "PRAGMA integrity_check", -1, &statement, nullptr) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW)
    verdict = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  sqlite3_finalize(statement);
  sqlite3_close(raw);
  return verdict;
}

/// Every row is what the child's formulas say.
void compareRows(const TraceStore& store, std::int64_t rows) {
  for (std::int64_t row = 0; row < rows; ++row) {
    const auto at = static_cast<std::size_t>(row % kBlockTokens);
    const auto tokens = store.tokenBlock(1, row / kBlockTokens);
    QVERIFY(tokens && !tokens->damaged && at < tokens->ids.size());
    QCOMPARE(std::int64_t{tokens->ids[at]}, row % 1000);
    for (int layer = 0; layer < 4; ++layer) {
      const auto route = store.routeBlock(1, layer, row / kBlockTokens);
      QVERIFY(route && !route->damaged && at < static_cast<std::size_t>(route->count));
      QCOMPARE(route->width, 2);
      QCOMPARE(std::int64_t{route->ids[2 * at]}, (row * 7 + layer * 3) % 16);
      QCOMPARE(std::int64_t{route->ids[2 * at + 1]}, (row * 7 + layer * 3 + 5) % 16);
    }
  }
}

}  // namespace

class TestTraceCrash : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void survivesBeingKilled() {
    std::mt19937 random(7);
    std::int64_t total = 0;
    int withRows = 0;
    for (int round = 0; round < kRounds; ++round) {
      const QTemporaryDir folder;
      const fs::path path = fs::path(folder.path().toStdString()) / "t.moescope";
      const QString marks = folder.filePath("marks");
      QProcess child;
      child.start(MOESCOPE_CRASH_CHILD,
                  {QString::fromStdString(path.string()), marks, QString::number(round)});
      QVERIFY(child.waitForStarted());
      // Every third is killed at any moment, even before the file exists; the others while they record.
      QElapsedTimer timer;
      timer.start();
      while (round % 3 != 0 && acknowledged(marks) == 0 && timer.elapsed() < 20000) QTest::qWait(1);
      QTest::qWait(static_cast<int>(random() % 60));
      QVERIFY2(child.state() == QProcess::Running, child.readAllStandardError().constData());
      ::kill(static_cast<pid_t>(child.processId()), SIGKILL);
      child.waitForFinished();
      const std::int64_t promised = acknowledged(marks);
      if (promised == 0 && !TraceStore::open(path, OpenMode::ReadOnly))
        continue;  // killed while the file was made
      afterTheKill(path, promised);
      if (QTest::currentTestFailed()) return;
      total += promised;
      withRows += promised > 0 ? 1 : 0;
    }
    QVERIFY2(withRows >= kRounds / 2 && total > 1000, qPrintable(QString::number(total)));
  }

  static void afterTheKill(const fs::path& path, std::int64_t promised) {
    std::int64_t seen = 0;
    {
      // A reader finds the rows before anybody repairs them.
      const auto reader = TraceStore::open(path, OpenMode::ReadOnly);
      QVERIFY2(reader.has_value(), reader ? "" : reader.error().text().c_str());
      if ((*reader)->runs().empty()) {
        QCOMPARE(promised, std::int64_t{0});
        return;
      }
      seen = (*reader)->run(1)->tokens;
      QVERIFY(seen >= promised);
    }
    auto store = TraceStore::open(path, OpenMode::ReadWrite);
    QVERIFY2(store.has_value(), store ? "" : store.error().text().c_str());
    const auto run = (*store)->run(1);
    QCOMPARE(run->status, RunStatus::Aborted);
    QCOMPARE(run->tokens, seen);
    QVERIFY(run->routedTokens <= run->tokens);
    compareRows(**store, run->routedTokens);
    if (QTest::currentTestFailed()) return;
    if (run->tokens > 0) {
      auto recorder = (*store)->resumeRun(1);
      QVERIFY2(recorder.has_value(), recorder ? "" : recorder.error().text().c_str());
      QVERIFY((*recorder)->end(RunStatus::Closed).has_value());
    }
    QVERIFY((*store)->close().has_value());
    store->reset();
    for (const char* suffix : {"-wal", "-shm", "-journal", "-lock"})
      QVERIFY(!fs::exists(path.string() + suffix));
    QCOMPARE(integrity(path), std::string("ok"));
    const auto issues = checkTrace(path, false, {}, {});
    QVERIFY(issues.has_value());
    QVERIFY2(issues->empty(),
             issues->empty() ? "" : (issues->front().place + issues->front().message).c_str());
  }
};

QTEST_GUILESS_MAIN(TestTraceCrash)
#include "tst_trace_crash.moc"
