// `moescope query`, and `check` and `inspect` on traces, as scripts use them.
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <signal.h>

#include <filesystem>

#include <sqlite3.h>
#include <nlohmann/json.hpp>

#include "tests/support/run_program.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::tests;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
namespace fs = std::filesystem;

namespace {

/// The rows of a CSV as Python's csv module reads them, as JSON.
nlohmann::json csvByPython(const QByteArray& text) {
  QProcess python;
  python.start("python3",
               {"-c",
                "import csv,io,json,sys; print(json.dumps(list(csv.reader(io.TextIOWrapper(sys.stdin.buffer,"
                " encoding='utf-8', newline=''), strict=True))))"});
  python.write(text);
  python.closeWriteChannel();
  python.waitForFinished();
  return nlohmann::json::parse(python.readAllStandardOutput().toStdString());
}

/// Whether the process handles SIGINT already, as the kernel says: its mask of caught signals.
bool catchesInterrupt(pid_t pid) {
  QFile status(QStringLiteral("/proc/%1/status").arg(pid));
  if (!status.open(QIODevice::ReadOnly)) return false;
  for (const QByteArray& line : status.readAll().split('\n')) {
    if (line.startsWith("SigCgt:"))
      return (line.mid(7).trimmed().toULongLong(nullptr, 16) >> (SIGINT - 1) & 1U) != 0;
  }
  return false;
}

}  // namespace

class TestQueryCli : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  SyntheticRun m_run = synthesize(61, {300, 77});
  QString m_trace = m_folder.filePath("t.moescope");

  ProgramOutcome query(const QString& sql, const QStringList& options = {}) const {
    return runProgram(QStringList{"query", m_trace, sql} + options);
  }

 private Q_SLOTS:
  void initTestCase() {
    chooseByLogits(m_run);
    writeTrace(m_trace.toStdString(), m_run, CaptureLevel::Weights);
  }

  void table() {
    const auto outcome = query(
        "SELECT 1 AS one, 'abc' AS word, NULL AS gone, x'0aFF' AS blob UNION ALL"
        " SELECT 200, 'x' || char(27) || char(10), 0.5, zeroblob(20)");
    QCOMPARE(outcome.status, 0);
    QCOMPARE(outcome.output,
             QByteArray("one  word           gone  blob\n"
                        "  1  abc            NULL  x'0aff'\n"
                        "200  x\\u001b\\u000a   0.5  x'00000000000000000000000000000000...' (20 bytes)\n"));
    QCOMPARE(query("SELECT id FROM run WHERE id = 5").output, QByteArray("id\n"));
  }

  void csv() {
    const auto outcome = query(
        "SELECT 'a,b' AS \"x \"\"y\"\"\", 'line 1' || char(13, 10) || '\"q\"' AS t, NULL AS n, '' AS e,"
        " 1.5 AS r, x'00ff' AS b, 9e999 AS i, 'Käse' AS u",
        {"--format", "csv"});
    QCOMPARE(outcome.status, 0);
    QVERIFY(outcome.output.endsWith("\r\n"));
    QVERIFY(outcome.output.contains(",,\"\","));  // NULL and the empty text stay apart
    const auto rows = csvByPython(outcome.output);
    QVERIFY((rows == nlohmann::json{{"x \"y\"", "t", "n", "e", "r", "b", "i", "u"},
                                    {"a,b", "line 1\r\n\"q\"", "", "", "1.5", "00ff", "inf", "Käse"}}));
  }

  void json() {
    const auto outcome = query(
        "SELECT 1 AS a, 2 AS a, 0.1 AS r, 'x\"' AS t, NULL AS n, x'00ff' AS b, -9e999 AS i,"
        " 9007199254740993 AS big UNION ALL SELECT 2, 3, 1.0, '', NULL, x'', 1, 0",
        {"--format", "json"});
    QCOMPARE(outcome.status, 0);
    const auto rows = outcome.document();
    QCOMPARE(rows.size(), std::size_t{2});
    QVERIFY((rows[0] == nlohmann::json{{"a", 1},
                                       {"a_2", 2},
                                       {"r", 0.1},
                                       {"t", "x\""},
                                       {"n", nullptr},
                                       {"b", "00ff"},
                                       {"i", "-inf"},
                                       {"big", 9007199254740993}}));
    QVERIFY(query("SELECT id FROM run WHERE id = 5", {"--format", "json"}).document() ==
            nlohmann::json::array());
    const auto lines = query("SELECT id, name FROM run", {"--format", "jsonl"});
    QCOMPARE(lines.output, QByteArray("{\"id\":1,\"name\":\"first\"}\n"));
  }

  void virtualTables() {
    const auto count = [&](const QString& sql) {
      return query(sql, {"--format", "json"}).document()[0]["n"].get<std::int64_t>();
    };
    std::int64_t choices = 0;
    for (const Row& row : m_run.rows) {
      for (const Choice& choice : row.choices)
        choices += row.routed ? static_cast<std::int64_t>(choice.ids.size()) : 0;
    }
    QCOMPARE(count("SELECT count(*) AS n FROM routing"), choices);
    QCOMPARE(count("SELECT count(*) AS n FROM tokens"), std::int64_t{377});
    QCOMPARE(count("SELECT count(*) AS n FROM expert_load"), std::int64_t{8 + 64 + 255 + 300});
    QCOMPARE(count("SELECT sum(tokens) AS n FROM expert_load"), choices);
  }

  void errors() {
    const auto isError = [](const ProgramOutcome& outcome, int status, const char* words) {
      QVERIFY2(outcome.status == status, outcome.errors.constData());
      QVERIFY2(outcome.errors.startsWith("moescope: ") && outcome.errors.contains(words),
               outcome.errors.constData());
      QCOMPARE(outcome.errors.count('\n'), 1);
    };
    isError(query("DELETE FROM run"), 2, "only read");
    isError(query("SELEC"), 2, "syntax error");
    isError(runProgram({"query", m_folder.filePath("none"), "SELECT 1"}), 2, "no such file");
    isError(query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
                  {"--timeout", "0.05"}),
            2, "took too long");
    const auto json = query("SELECT x", {"--format", "json"});
    QVERIFY(json.document()["error"]["kind"] == "sql.syntax");
    QVERIFY(query("SELECT 1", {"--format", "xml"}).status == 2);
    QVERIFY(runProgram({"query", "--help"}).output.contains("moescope query corpus.moescope"));
  }

  void controlCStopsAQuery() {
    QProcess process;
    process.start(programFile(),
                  {"query", m_trace,
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"});
    QVERIFY(process.waitForStarted());
    const auto pid = static_cast<pid_t>(process.processId());
    QVERIFY(QTest::qWaitFor([pid] { return catchesInterrupt(pid); }, 10000));
    ::kill(pid, SIGINT);
    QVERIFY(process.waitForFinished(10000));
    QCOMPARE(process.exitCode(), 130);
  }

  void warnsOfDamage() {
    const QString path = m_folder.filePath("damaged.moescope");
    QVERIFY(QFile::copy(m_trace, path));
    sqlite3* raw = nullptr;
    sqlite3_open(path.toUtf8().constData(), &raw);
    sqlite3_exec(raw,
                 "UPDATE route_block SET crc = 1 WHERE router = 0 AND block = 1; UPDATE run SET tokens = 5",
                 nullptr, nullptr, nullptr);
    sqlite3_close(raw);
    const auto outcome =
        runProgram({"query", path, "SELECT count(*) AS n FROM routing WHERE router = 0", "--format", "json"});
    QCOMPARE(outcome.status, 0);
    QVERIFY(outcome.document()[0]["n"] == 256 * 2);
    QVERIFY(outcome.errors.contains("router 0, block 1") && outcome.errors.count('\n') == 1);

    const auto checked = runProgram({"check", path, "--json"});
    QCOMPARE(checked.status, 1);
    QVERIFY(checked.document()["ok"] == false);
    const auto repaired = runProgram({"check", path, "--repair", "--json"});
    QCOMPARE(repaired.status, 1);  // the block stays damaged
    std::size_t counts = 0;
    const auto document = repaired.document();
    for (const auto& problem : document["problems"]) counts += problem["repaired"] == true ? 1 : 0;
    QVERIFY2(counts == 1, repaired.output.constData());
    QVERIFY(runProgram({"check", path}).output.contains("it is damaged"));
  }

  void checkAndInspect() {
    const auto checked = runProgram({"check", m_trace, "--json"});
    QVERIFY2(checked.status == 0, checked.output.constData());
    QVERIFY(checked.document()["kind"] == "trace" && checked.document()["problems"].empty());
    QVERIFY(runProgram({"check", m_trace}).output.contains("no problem found"));

    const auto inspected = runProgram({"inspect", m_trace, "--json"});
    QCOMPARE(inspected.status, 0);
    const auto document = inspected.document();
    QVERIFY(document["kind"] == "trace" && document["tokens"] == 377 && document["sequences"] == 2);
    QVERIFY(document["bytes"] == static_cast<std::int64_t>(fs::file_size(m_trace.toStdString())));
    QCOMPARE(document["runs"].size(), std::size_t{1});
    const auto& run = document["runs"][0];
    QVERIFY(run["name"] == "first" && run["capture"] == "weights" && run["status"] == "closed");
    QVERIFY(run["seed"] == 0xFEDCBA9876543210U);
    QVERIFY(run["routers"].size() == 4 && run["routers"][2]["experts"] == 255);
    QVERIFY((run["label_keys"] == nlohmann::json{"label", "language"}));
    std::int64_t choices = 0;
    for (const Row& row : m_run.rows) {
      for (const Choice& choice : row.choices)
        choices += row.routed ? static_cast<std::int64_t>(choice.ids.size()) : 0;
    }
    QVERIFY(run["decisions"] == choices && document["decisions"] == choices);
    QVERIFY(runProgram({"inspect", m_trace}).output.contains("first"));

    QFile text(m_folder.filePath("notes.txt"));
    QVERIFY(text.open(QIODevice::WriteOnly));
    text.write("not a trace");
    text.close();
    for (const char* command : {"inspect", "check"}) {
      const auto outcome = runProgram({command, text.fileName(), "--json"});
      QCOMPARE(outcome.status, 2);
      QVERIFY(outcome.document()["error"]["kind"] == "trace.not_ours");
    }
  }
};

QTEST_GUILESS_MAIN(TestQueryCli)
#include "tst_query_cli.moc"
