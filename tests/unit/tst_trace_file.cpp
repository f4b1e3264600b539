// The file itself, read by Python's sqlite3 and zlib as docs/file_format.md says, against what was appended.
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <bit>

#include <nlohmann/json.hpp>

#include "core/base/half.h"
#include "tests/unit/trace_fixture.h"

using namespace moescope;
using namespace moescope::trace;
using namespace moescope::trace::fixture;
using nlohmann::json;

namespace {

json readByPython(const std::filesystem::path& path) {
  QProcess python;
  python.start("python3", {QStringLiteral(MOESCOPE_SOURCE_DIR "/tests/support/read_trace.py"),
                           QString::fromStdString(path.string())});
  if (!python.waitForFinished(60000) || python.exitCode() != 0) {
    qWarning("%s", python.readAllStandardError().constData());
    return {};
  }
  return json::parse(python.readAllStandardOutput().toStdString());
}

/// null stands for NaN.
bool equals(const json& value, float expected) {
  return std::isnan(expected) ? value.is_null() : value.is_number() && value.get<float>() == expected;
}

bool close(const json& value, double expected) {
  return std::abs(value.get<double>() - expected) <= 1e-6 * (1.0 + std::abs(expected));
}

/// A Python that has numpy; empty if none.
QString pythonWithNumpy() {
  for (const QString& program : {QStringLiteral("python3"), QStringLiteral("/usr/bin/python3")}) {
    QProcess python;
    python.start(program, {"-c", "import numpy"});
    if (python.waitForFinished() && python.exitCode() == 0) return program;
  }
  return {};
}

/// The Python program in docs/file_format.md.
QString documentedProgram() {
  QFile file(QStringLiteral(MOESCOPE_SOURCE_DIR "/docs/file_format.md"));
  if (!file.open(QIODevice::ReadOnly)) return {};
  const QString text = QString::fromUtf8(file.readAll());
  const QString fence = QStringLiteral("```python\n");
  const qsizetype begin = text.indexOf(fence) + fence.size();
  return text.mid(begin, text.indexOf(QStringLiteral("```"), begin) - begin);
}

void compareTokens(const json& rows, const SyntheticRun& run) {
  QCOMPARE(rows.size(), run.rows.size());
  for (std::size_t i = 0; i < run.rows.size(); ++i) {
    const TokenRow& token = run.rows[i].token;
    const json& row = rows[i];
    QVERIFY(row[0] == token.id && row[1] == token.sequence && row[2] == token.position);
    QVERIFY(row[3] == static_cast<int>(token.phase));
    QVERIFY(equals(row[4], token.logProb));
    QVERIFY(equals(row[5], run.rows[i].routed ? run.rows[i].entropyAfter : kMissing));
    for (std::size_t a = 0; a < kAlternatives; ++a) {
      QVERIFY(row[6][a] == token.alternativeIds[a]);
      QVERIFY(equals(row[7][a], token.alternativeLogProbs[a]));
    }
  }
}

void compareChoice(const json& row, const Row& expected, std::size_t r, CaptureLevel capture) {
  const Choice& choice = expected.choices[r];
  const json& ids = row["ids"];
  QCOMPARE(row.contains("weights"), capture != CaptureLevel::Ids);
  for (std::size_t k = 0; k < ids.size(); ++k) {
    const bool has = expected.routed && k < choice.ids.size();
    QVERIFY(ids[k] == (has ? choice.ids[k] : -1));
    if (capture != CaptureLevel::Ids)
      QVERIFY(equals(row["weights"][k], has ? asStored(choice.weights[k], capture) : 0.0F));
  }
  QVERIFY(!expected.routed || ids.size() >= choice.ids.size());
  QVERIFY(row.contains("native") || !(expected.steered && r == 1 && expected.routed));
  if (!row.contains("native") || !expected.routed) return;
  float dropped = 0.0F;
  for (std::size_t k = 0; k < choice.nativeIds.size(); ++k) {
    QVERIFY(row["native"][k] == choice.nativeIds[k]);
    const bool kept = std::ranges::find(choice.ids, choice.nativeIds[k]) != choice.ids.end();
    if (!kept) dropped += choice.nativeWeights[k];
  }
  QVERIFY(equals(row["dropped"], dropped));
}

void compareSums(const json& router, const SyntheticRun& run, int r, CaptureLevel capture) {
  for (const json& node : router["summaries"]) {
    const std::int64_t span = std::int64_t{256} << (3 * node["level"].get<int>());
    const std::int64_t begin = node["block"].get<std::int64_t>() * span;
    const LoadSummary expected =
        expectedLoad(run, r, {begin, begin + node["count"].get<std::int64_t>()}, capture);
    QVERIFY(node["tokens"] == expected.tokens && node["slots"] == expected.slots &&
            node["load"] == expected.counts);
    QVERIFY(close(node["entropy_sum"], expected.entropySum));
    for (std::size_t e = 0; e < expected.gateMass.size(); ++e)
      QVERIFY(close(node["gate_mass"][e], expected.gateMass[e]));
  }
  QCOMPARE(router["stats"].size(), run.sequences.size());
  for (std::size_t s = 0; s < run.sequences.size(); ++s) {
    const json& sums = router["stats"][s];
    const SequenceStats expected = expectedStats(run, r, run.sequences[s], capture);
    QVERIFY(sums["tokens"] == expected.tokens && sums["counts"] == expected.counts);
    QVERIFY(close(sums["log_sum_exp_sum"], expected.logSumExpSum) &&
            close(sums["entropy_sum"], expected.entropySum));
    for (std::size_t e = 0; e < expected.counts.size(); ++e) {
      QVERIFY(close(sums["logit_sum"][e], expected.logitSum[e]));
      QVERIFY(close(sums["probability_sum"][e], expected.probabilitySum[e]));
      QVERIFY(close(sums["gate_mass"][e], expected.gateMass[e]));
    }
  }
}

}  // namespace

class TestTraceFile : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void isWhatTheDocumentSays_data() {
    QTest::addColumn<int>("capture");
    for (const auto level :
         {CaptureLevel::None, CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full})
      QTest::newRow(std::string(name(level)).c_str()) << static_cast<int>(level);
  }

  void isWhatTheDocumentSays() {
    QFETCH(int, capture);
    const auto level = static_cast<CaptureLevel>(capture);
    const QTemporaryDir folder;
    const auto path = std::filesystem::path(folder.path().toStdString()) / "a.moescope";
    const SyntheticRun run = synthesize(3, {300, 77, 1, 140, 60});
    writeTrace(path, run, level);
    const json file = readByPython(path);
    QVERIFY(!file.is_null());

    QVERIFY(file["pragmas"]["application_id"] == 0x4D6F4553);
    QVERIFY(file["pragmas"]["user_version"] == 2);
    QVERIFY(file["pragmas"]["page_size"] == 4096);
    QVERIFY(file["pragmas"]["journal_mode"] == "delete");
    QVERIFY(file["pragmas"]["integrity_check"] == "ok");
    for (const auto& [table, sql] : file["tables"].items())
      QVERIFY2(sql.get<std::string>().find("STRICT") != std::string::npos, table.c_str());
    for (const char* suffix : {"-wal", "-shm", "-lock", "-journal"})
      QVERIFY(!std::filesystem::exists(path.string() + suffix));

    QCOMPARE(file["runs"].size(), std::size_t{1});
    const json& read = file["runs"][0];
    QVERIFY(read["capture"] == std::string(name(level)) && read["status"] == "closed");
    compareTokens(read["tokens"], run);
    for (std::size_t r = 0; r < run.routers.size(); ++r) {
      const json& router = read["routers"][r];
      const auto rows = level == CaptureLevel::None ? 0 : static_cast<std::size_t>(routedEndOf(run));
      QCOMPARE(router["rows"].size(), rows);
      QCOMPARE(router["logits"].size(), level == CaptureLevel::Full ? rows : 0);
      for (std::size_t i = 0; i < rows; ++i) compareChoice(router["rows"][i], run.rows[i], r, level);
      for (std::size_t i = 0; i < router["logits"].size(); ++i) {
        for (std::size_t e = 0; e < run.rows[i].choices[r].logits.size(); ++e) {
          const float z = run.rows[i].choices[r].logits[e];
          QVERIFY(equals(router["logits"][i][e],
                         run.rows[i].routed ? static_cast<float>(static_cast<_Float16>(z)) : kMissing));
        }
      }
      if (level != CaptureLevel::None) compareSums(router, run, static_cast<int>(r), level);
    }
    for (const Row& row : run.rows) {
      const std::string text = tokenText(row.token.id);
      const QByteArray hex = QByteArray(text.data(), static_cast<int>(text.size())).toHex();
      QVERIFY(file["vocabulary"][std::to_string(row.token.id)] == hex.toStdString());
    }
  }

  void documentedProgramCounts() {
    const QString python = pythonWithNumpy();
    QVERIFY2(!python.isEmpty(), "no python3 has numpy: install python3-numpy, as ./dev test does");
    const QTemporaryDir folder;
    const SyntheticRun run = synthesize(4, {300, 77, 1, 140, 60});
    for (const auto level : {CaptureLevel::Ids, CaptureLevel::Weights, CaptureLevel::Full}) {
      const auto path = std::filesystem::path(folder.path().toStdString()) / std::string(name(level));
      writeTrace(path, run, level);
      for (const int router : {0, 3}) {  // ids of one byte and of two
        QString program = documentedProgram();
        const QString chosen = QStringLiteral("run, router = 1, 0\n");
        QCOMPARE(program.count(chosen), 1);
        program.replace(chosen, QStringLiteral("run, router = 1, %1\n").arg(router));
        QProcess process;
        process.start(python, {"-c", program, QString::fromStdString(path.string())});
        QVERIFY(process.waitForFinished(60000));
        QVERIFY2(process.exitCode() == 0, process.readAllStandardError().constData());
        const LoadSummary expected =
            expectedLoad(run, router, {0, static_cast<std::int64_t>(run.rows.size())}, level);
        const QStringList lines = QString::fromUtf8(process.readAllStandardOutput()).trimmed().split('\n');
        QCOMPARE(lines.size(), static_cast<qsizetype>(expected.counts.size()));
        for (std::size_t e = 0; e < expected.counts.size(); ++e) {
          const QStringList fields = lines[static_cast<qsizetype>(e)].split(' ');
          QCOMPARE(fields[1].toLongLong(), static_cast<qlonglong>(expected.counts[e]));
          const double mass = level == CaptureLevel::Ids ? 0.0 : expected.gateMass[e];
          QVERIFY(std::abs(fields[2].toDouble() - mass) <= 1e-5 * (1.0 + mass));
        }
      }
    }
  }
};

QTEST_GUILESS_MAIN(TestTraceFile)
#include "tst_trace_file.moc"
