// The virtual tables against the rows that were recorded, with and without conditions, and what a query may
// not do.
#include <QTemporaryDir>
#include <QTest>

#include <random>

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/trace/trace_sql.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;

namespace {

using Rows = std::vector<std::vector<SqlValue>>;

std::string shown(const SqlValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return fmt::to_string(*number);
  if (const auto* real = std::get_if<double>(&value)) return fmt::format("{:.9g}", *real);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "null";
}

Rows ask(const std::filesystem::path& path, const std::string& sql, std::string* warning = nullptr) {
  Rows rows;
  SqlReceiver receiver;
  receiver.row = [&](const std::vector<SqlValue>& row) {
    rows.push_back(row);
    return true;
  };
  receiver.warning = [&](const std::string& text) {
    if (warning != nullptr) *warning += text + "\n";
  };
  const auto done = runQuery(path, sql, 0, receiver);
  if (!done) qWarning("%s: %s", sql.c_str(), done.error().text().c_str());
  return done ? rows : Rows{{std::string("failed")}};
}

std::string text(const Rows& rows) {
  std::string all;
  for (const auto& row : rows) {
    for (const auto& value : row) all += shown(value) + "|";
    all += "\n";
  }
  return all;
}

std::string errorKind(const std::filesystem::path& path, const std::string& sql, int timeoutMs = 0,
                      std::stop_token stop = {}) {
  const auto done = runQuery(path, sql, timeoutMs, {}, std::move(stop));
  return done ? "none" : done.error().kind;
}

/// Token text as people see it: bytes that are not UTF-8 replaced.
std::string visible(std::int32_t id) { return id % 10 == 3 ? "\xEF\xBF\xBD" : tokenText(id); }

std::string labelOf(const Sequence& sequence) {
  for (const auto& [key, value] : sequence.labels) {
    if (key == "label") return value;
  }
  return sequence.labels.empty() ? "null" : sequence.labels.front().second;
}

std::string number(float value) {
  return std::isnan(value) ? "null" : fmt::format("{:.9g}", static_cast<double>(value));
}

/// One line a choice, in the order of the table `routing`.
std::vector<std::string> expectedRouting(const SyntheticRun& run, CaptureLevel capture) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    const Row& row = run.rows[i];
    for (std::size_t r = 0; row.routed && r < run.routers.size(); ++r) {
      const Choice& choice = row.choices[r];
      for (std::size_t k = 0; k < choice.ids.size(); ++k) {
        const std::int32_t expert = choice.ids[k];
        const bool native = std::ranges::find(choice.nativeIds, expert) != choice.nativeIds.end();
        const auto logit =
            static_cast<float>(static_cast<_Float16>(choice.logits[static_cast<std::size_t>(expert)]));
        lines.push_back(fmt::format(
            "1|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|\n", row.token.sequence, row.token.position, i,
            row.token.id, visible(row.token.id), row.token.phase == Phase::Decode ? "decode" : "prefill",
            run.routers[r].layer.value, r, k, expert,
            capture == CaptureLevel::Ids ? "null" : number(asStored(choice.weights[k], capture)),
            capture == CaptureLevel::Full ? number(logit) : "null", native ? 1 : 0,
            labelOf(run.sequences[static_cast<std::size_t>(row.token.sequence)])));
      }
    }
  }
  return lines;
}

}  // namespace

class TestTraceSql : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  SyntheticRun m_run = synthesize(21, {300, 77, 1, 140, 60});
  std::filesystem::path file(CaptureLevel level) const {
    return std::filesystem::path(m_folder.path().toStdString()) / (std::string(name(level)) + ".moescope");
  }

 private Q_SLOTS:
  void initTestCase() {
    for (const auto level :
         {CaptureLevel::None, CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full})
      writeTrace(file(level), m_run, level);
  }

  void routingHasEveryChoice_data() {
    QTest::addColumn<int>("capture");
    for (const auto level : {CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full})
      QTest::newRow(std::string(name(level)).c_str()) << static_cast<int>(level);
  }

  void routingHasEveryChoice() {
    QFETCH(int, capture);
    const auto level = static_cast<CaptureLevel>(capture);
    std::string expected;
    for (const auto& line : expectedRouting(m_run, level)) expected += line;
    const std::string found = text(ask(file(level), "SELECT * FROM routing"));
    QVERIFY(!expected.empty());
    QVERIFY(found == expected);
    QVERIFY(ask(file(CaptureLevel::None), "SELECT * FROM routing").empty());
  }

  /// A condition must give the rows that a scan of the whole table gives: it only saves work.
  void conditionsOnlySaveWork() {
    const auto path = file(CaptureLevel::Full);
    std::mt19937 random(4);
    const char* columns[] = {"run", "layer", "router", "sequence", "expert", "token_index"};
    const char* operators[] = {"=", "<", "<=", ">", ">=", "IN", "BETWEEN"};
    const char* values[] = {"0",   "1",     "3",  "5",   "7",    "42",   "255",
                            "256", "299.5", "-1", "'1'", "NULL", "1e20", "2.0"};
    for (int round = 0; round < 150; ++round) {
      std::string where = "1";
      std::string scan = "1";
      for (unsigned term = 0; term <= random() % 3; ++term) {
        const std::string column = columns[random() % 6];
        const std::string op = operators[random() % 7];
        const std::string a = values[random() % 14];
        const std::string b = values[random() % 14];
        const std::string right = op == "IN"        ? fmt::format("({}, {})", a, b)
                                  : op == "BETWEEN" ? a + " AND " + b
                                                    : a;
        where += fmt::format(" AND {} {} {}", column, op, right);
        scan += fmt::format(" AND +{} {} {}", column, op,
                            right);  // a unary plus hides the column from the planner
      }
      // The same comparison through a materialised copy, whose columns have the same affinity.
      const std::string list = "run, token_index, router, rank, expert, logit";
      const std::string found = text(
          ask(path, fmt::format("SELECT {} FROM routing WHERE {} ORDER BY run, token_index, router, rank",
                                list, where)));
      const std::string all = text(
          ask(path, fmt::format("SELECT {} FROM routing WHERE {} ORDER BY run, token_index, router, rank",
                                list, scan)));
      if (found != all && where.find('\'') == std::string::npos) QFAIL(where.c_str());
    }
  }

  void conditionsArePushedDown() {
    const auto path = file(CaptureLevel::Weights);
    const auto plan = [&](const std::string& sql) { return text(ask(path, "EXPLAIN QUERY PLAN " + sql)); };
    // The plan names each condition by a letter and an operator.
    QVERIFY(plan("SELECT * FROM routing WHERE run = 1 AND layer = 3 AND expert = 2").find(":r=l=e=") !=
            std::string::npos);
    QVERIFY(plan("SELECT * FROM tokens WHERE token_index >= 10 AND token_index < 20").find(":tgt<") !=
            std::string::npos);
    QVERIFY(plan("SELECT * FROM routing WHERE sequence = 2 AND router = 1").find("s=") != std::string::npos);
    const std::string sorts = "USE TEMP B-TREE";
    QVERIFY(plan("SELECT * FROM routing WHERE run = 1 ORDER BY token_index").find(sorts) ==
            std::string::npos);
    QVERIFY(plan("SELECT * FROM routing ORDER BY token_index, router, rank").find(sorts) ==
            std::string::npos);
    QVERIFY(plan("SELECT * FROM tokens ORDER BY run, token_index").find(sorts) == std::string::npos);
    QVERIFY(plan("SELECT * FROM routing ORDER BY token_index DESC").find(sorts) != std::string::npos);
    QVERIFY(plan("SELECT * FROM routing ORDER BY expert").find(sorts) != std::string::npos);
  }

  /// Rows of a block are only looked at if the query can want them: a damaged block elsewhere is not met.
  void blocksOutsideAreNotRead() {
    const auto path = std::filesystem::path(m_folder.path().toStdString()) / "damaged.moescope";
    std::filesystem::copy_file(file(CaptureLevel::Weights), path);
    sqlite3* raw = nullptr;
    QCOMPARE(sqlite3_open(path.c_str(), &raw), SQLITE_OK);
    QCOMPARE(sqlite3_exec(raw, "UPDATE route_block SET crc = crc + 1 WHERE block = 1 AND router = 2", nullptr,
                          nullptr, nullptr),
             SQLITE_OK);
    sqlite3_close(raw);
    const std::string count = "SELECT count(*) FROM routing WHERE ";
    std::string warning;
    for (const char* where :
         {"token_index < 256", "layer = 3", "token_index >= 512", "sequence = 4", "run = 2"}) {
      (void)ask(path, count + where, &warning);
      QCOMPARE(warning, std::string());
    }
    const auto rows = ask(path, count + "layer = 5 AND token_index BETWEEN 250 AND 260", &warning);
    QVERIFY(warning.find("router 2, block 1") != std::string::npos);
    QCOMPARE(std::ranges::count(warning, '\n'), 1);
    // 250 to 255 are intact.
    QVERIFY(rows[0][0] == SqlValue(std::int64_t{6 * 4}));
  }

  void tokensAreComplete() {
    std::string expected;
    for (std::size_t i = 0; i < m_run.rows.size(); ++i) {
      const Row& row = m_run.rows[i];
      std::string alternatives = row.token.alternativeIds[0] < 0 ? "null" : "[";
      for (std::size_t a = 0; a < kAlternatives && row.token.alternativeIds[0] >= 0; ++a)
        alternatives += fmt::format("{}[{},{:.6g}]", a == 0 ? "" : ",", row.token.alternativeIds[a],
                                    row.token.alternativeLogProbs[a]);
      if (row.token.alternativeIds[0] >= 0) alternatives += "]";
      expected += fmt::format(
          "1|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|\n", row.token.sequence, row.token.position, i, row.token.id,
          visible(row.token.id), row.token.phase == Phase::Decode ? "decode" : "prefill",
          number(row.token.logProb), number(row.routed ? row.entropyAfter : kMissing), alternatives,
          labelOf(m_run.sequences[static_cast<std::size_t>(row.token.sequence)]));
    }
    for (const auto level : {CaptureLevel::None, CaptureLevel::Full})
      QVERIFY(text(ask(file(level), "SELECT * FROM tokens")) == expected);
  }

  void expertLoadCounts() {
    for (const auto level : {CaptureLevel::Ids, CaptureLevel::Weights}) {
      const auto rows = ask(file(level), "SELECT * FROM expert_load");
      std::size_t at = 0;
      for (int r = 0; r < static_cast<int>(m_run.routers.size()); ++r) {
        const LoadSummary load =
            expectedLoad(m_run, r, {0, static_cast<std::int64_t>(m_run.rows.size())}, level);
        for (std::size_t e = 0; e < load.counts.size(); ++e, ++at) {
          QVERIFY(rows[at][1] ==
                  SqlValue(std::int64_t{m_run.routers[static_cast<std::size_t>(r)].layer.value}));
          QVERIFY(rows[at][3] == SqlValue(static_cast<std::int64_t>(e)) &&
                  rows[at][4] == SqlValue(load.counts[e]));
          const double share = static_cast<double>(load.counts[e]) / static_cast<double>(load.slots);
          QVERIFY(std::abs(std::get<double>(rows[at][5]) - share) < 1e-12);
          QVERIFY(std::abs(std::get<double>(rows[at][6]) - load.gateMass[e]) < 1e-6 * (1 + load.gateMass[e]));
        }
      }
      QCOMPARE(rows.size(), at);
    }
  }

  void routerLogitsAreTheRawOnes() {
    const auto rows =
        ask(file(CaptureLevel::Full), "SELECT token_index, router, expert, logit FROM router_logits");
    std::size_t at = 0;
    for (std::size_t i = 0; i < m_run.rows.size(); ++i) {
      for (std::size_t r = 0; m_run.rows[i].routed && r < m_run.routers.size(); ++r) {
        const auto& logits = m_run.rows[i].choices[r].logits;
        for (std::size_t e = 0; e < logits.size(); ++e, ++at) {
          QVERIFY(at < rows.size() && rows[at][0] == SqlValue(static_cast<std::int64_t>(i)));
          QVERIFY(rows[at][2] == SqlValue(static_cast<std::int64_t>(e)));
          QVERIFY(rows[at][3] == SqlValue(static_cast<double>(static_cast<_Float16>(logits[e]))));
        }
      }
    }
    QCOMPARE(rows.size(), at);
    QVERIFY(ask(file(CaptureLevel::Weights), "SELECT * FROM router_logits").empty());
  }

  void tablesJoin() {
    const auto rows =
        ask(file(CaptureLevel::Weights),
            "SELECT count(*), sum(r.expert) FROM routing r JOIN tokens t ON t.run = r.run AND t.token_index ="
            " r.token_index WHERE r.layer = 3 AND t.phase = 'decode'");
    std::int64_t count = 0;
    std::int64_t sum = 0;
    for (const Row& row : m_run.rows) {
      if (!row.routed || row.token.phase != Phase::Decode) continue;
      for (const std::int32_t id : row.choices[1].ids) {
        ++count;
        sum += id;
      }
    }
    QVERIFY(rows[0][0] == SqlValue(count) && rows[0][1] == SqlValue(sum));
  }

  void onlyReads() {
    const auto path = file(CaptureLevel::Ids);
    const std::string outside = m_folder.filePath("outside").toStdString();
    for (const std::string& sql :
         {std::string("DELETE FROM run"), std::string("UPDATE run SET name = 'x'"),
          std::string("CREATE TABLE x (y)"), std::string("DROP TABLE run"),
          std::string("INSERT INTO routing VALUES (1)"), std::string("BEGIN"),
          std::string("PRAGMA user_version = 9"), std::string("PRAGMA writable_schema = 1"),
          std::string("VACUUM"), "ATTACH '" + outside + "' AS o", "VACUUM INTO '" + outside + "'",
          std::string("CREATE TEMP TABLE t (x)"), std::string("SELECT load_extension('x')")}) {
      const std::string kind = errorKind(path, sql);
      QVERIFY2(kind == "sql.read_only" || kind == "sql.syntax", (sql + ": " + kind).c_str());
    }
    QVERIFY(!std::filesystem::exists(outside));
    QCOMPARE(text(ask(path, "SELECT count(*), name FROM run")), std::string("1|first|\n"));
    QVERIFY(!ask(path, "PRAGMA table_info(run)").empty());
    QVERIFY(ask(path, "SELECT ids FROM token_block LIMIT 1")[0][0].index() == 4);
  }

  void saysWhatIsWrong() {
    const auto path = file(CaptureLevel::Ids);
    QCOMPARE(errorKind(path, "SELEC 1"), std::string("sql.syntax"));
    QCOMPARE(errorKind(path, "SELECT nothing FROM routing"), std::string("sql.syntax"));
    QCOMPARE(errorKind(path, ""), std::string("sql.syntax"));
    QCOMPARE(errorKind(path, "SELECT 1; SELECT 2"), std::string("sql.syntax"));
    QCOMPARE(errorKind(path, "SELECT 1; -- done"), std::string("none"));
    QCOMPARE(errorKind(path, "SELECT abs(-9223372036854775808)"), std::string("sql.failed"));
    QCOMPARE(errorKind(m_folder.filePath("none").toStdString(), "SELECT 1"), std::string("file.not_found"));
    const std::string endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    QCOMPARE(errorKind(path, endless, 30), std::string("sql.timeout"));
    std::stop_source cancelled;
    cancelled.request_stop();
    QCOMPARE(errorKind(path, endless, 0, cancelled.get_token()), std::string("cancelled"));
    // A scan that finds nothing gives SQLite no step in which to ask.
    QCOMPARE(errorKind(path, "SELECT count(*) FROM routing WHERE expert = 9999", 0, cancelled.get_token()),
             std::string("cancelled"));
  }
};

QTEST_APPLESS_MAIN(TestTraceSql)
#include "tst_trace_sql.moc"
