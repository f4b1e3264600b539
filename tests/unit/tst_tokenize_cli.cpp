// `moescope tokenize` as scripts use it: exit status, standard input and output.
#include <QProcess>
#include <QTest>

#include <nlohmann/json.hpp>

#include "tests/support/run_program.h"

using nlohmann::json;
using namespace moescope::tests;

namespace {

ProgramOutcome run(const QStringList& arguments, const QByteArray& input = {}) {
  return runProgram(QStringList{"tokenize"} + arguments, input);
}

const QStringList kDemo{"--model", QStringLiteral(MOESCOPE_RESOURCES "/demo/model")};
const QString kLlama = QStringLiteral(MOESCOPE_TEST_DATA "/tokenizers/cl100k_llama3/tokenizer.json");

}  // namespace

class TestTokenizeCli : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void textAndBack() {
    const QByteArray text = "Our relations with 👋 the world\n";
    const auto encoded = run(kDemo, text);
    QVERIFY2(encoded.status == 0, encoded.errors.constData());
    QVERIFY(encoded.output.startsWith("48 293 1498 785 602 "));  // by the library
    QCOMPARE(run(kDemo + QStringList{"--text", QString::fromUtf8(text)}).output, encoded.output);
    QCOMPARE(run(kDemo + QStringList{"--decode"}, encoded.output).output, text + "\n");
    QCOMPARE(run(kDemo + QStringList{"--decode", "48", "293", "1498"}).output, QByteArray("Our rel\n"));
    QCOMPARE(run(kDemo + QStringList{"--decode", "48,293,1498"}).output, QByteArray("Our rel\n"));
  }

  void jsonHasTokensAndOffsets() {
    const auto outcome = run(kDemo + QStringList{"--json", "--text", "Our relations"});
    QVERIFY2(outcome.status == 0, outcome.errors.constData());
    QVERIFY(outcome.document() == json::parse(R"({"ids":[48,293,1498,785],"tokens":["O","ur","Ġrel","ations"],
      "offsets":[[0,1],[1,3],[3,7],[7,13]]})"));
  }

  void specialTokens() {
    const QStringList llama{"--tokenizer", kLlama};
    QCOMPARE(run(llama + QStringList{"--text", ""}).output, QByteArray("\n"));
    QCOMPARE(run(llama + QStringList{"--text", "", "--special"}).output, QByteArray("1300\n"));
    QCOMPARE(run(llama + QStringList{"--decode", "1300", "64"}).output, QByteArray("a\n"));
    QCOMPARE(run(llama + QStringList{"--decode", "1300", "64", "--special"}).output,
             QByteArray("<|begin_of_text|>a\n"));
  }

  void jsonLines() {
    const auto outcome = run(kDemo + QStringList{"--jsonl"}, "\"Our relations\"\n[48,293,0]\n\"\\u00e9\\n\"");
    QVERIFY2(outcome.status == 0, outcome.errors.constData());
    const auto lines = outcome.output.split('\n');
    QCOMPARE(lines.size(), 4);
    QVERIFY(json::parse(lines[0].toStdString())["ids"] == json({48, 293, 1498, 785}));
    const auto decoded = json::parse(lines[1].toStdString());
    QVERIFY(decoded["text"] == "Our");
    QVERIFY(decoded["tokens"] == json({"O", "ur", "<|endoftext|>"}));
    QVERIFY(json::parse(lines[2].toStdString())["offsets"].back() == json({1, 2}));
  }

  void badInput_data() {
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("input");
    QTest::addColumn<QString>("kind");
    QTest::addColumn<QString>("where");
    QTest::newRow("not UTF-8") << kDemo << QByteArray("ab\xFF") << "tokenizer.not_utf8"
                               << "byte 2";
    QTest::newRow("no number") << kDemo + QStringList{"--decode", "1", "x"} << QByteArray()
                               << "tokenizer.bad_id"
                               << "number 2";
    QTest::newRow("negative") << kDemo + QStringList{"--decode"} << QByteArray("3 -1") << "tokenizer.bad_id"
                              << "number 2";
    QTest::newRow("too large") << kDemo + QStringList{"--decode", "9999999999"} << QByteArray()
                               << "tokenizer.bad_id"
                               << "number 1";
    QTest::newRow("line of no JSON") << kDemo + QStringList{"--jsonl"} << QByteArray("\"a\"\nb\n")
                                     << "tokenizer.not_json"
                                     << "line 2, byte 1";
    QTest::newRow("line with an object")
        << kDemo + QStringList{"--jsonl"} << QByteArray("{}\n") << "tokenizer.bad_value"
        << "line 1";
    QTest::newRow("no such file") << QStringList{"--tokenizer", "/no/such/file"} << QByteArray()
                                  << "file.not_found"
                                  << "";
    QTest::newRow("unsupported") << QStringList{"--tokenizer",
                                                QStringLiteral(MOESCOPE_TEST_DATA
                                                               "/tokenizers/unsupported/wordpiece.json")}
                                 << QByteArray() << "tokenizer.unsupported"
                                 << "model";
  }

  void badInput() {
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, input);
    QFETCH(QString, kind);
    QFETCH(QString, where);
    const auto outcome = run(arguments + QStringList{"--json"}, input);
    QCOMPARE(outcome.status, 2);
    QCOMPARE(outcome.errors.count('\n'), 1);
    QVERIFY(outcome.errors.startsWith("moescope: "));
    const auto begin = outcome.output.indexOf("{\n");  // behind the lines that went well
    const auto error = json::parse(outcome.output.mid(begin).toStdString())["error"];
    QCOMPARE(QString::fromStdString(error["kind"]), kind);
    QCOMPARE(QString::fromStdString(error["where"]), where);
  }

  void usage() {
    QCOMPARE(run({"--text", "a"}).status, 2);
    QCOMPARE(run(kDemo + QStringList{"--tokenizer", kLlama, "--text", "a"}).status, 2);
    QCOMPARE(run(kDemo + QStringList{"--text", "a", "--jsonl"}).status, 2);
    const auto help = run({"--help"});
    QCOMPARE(help.status, 0);
    QVERIFY(help.output.contains("Examples:"));
  }
};

QTEST_APPLESS_MAIN(TestTokenizeCli)
#include "tst_tokenize_cli.moc"
