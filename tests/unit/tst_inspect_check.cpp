// `moescope inspect` and `moescope check` as scripts use them: exit status and --json.
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <filesystem>

#include <nlohmann/json.hpp>

#include "tests/support/run_program.h"
#include "tests/support/safetensors_file.h"

using namespace moescope;
using namespace moescope::tests;
namespace fs = std::filesystem;

namespace {

const QString kDemo = QStringLiteral(MOESCOPE_RESOURCES "/demo/model");

}  // namespace

class TestInspectCheck : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void inspectsTheDemoModel() {
    const auto outcome = runProgram({"inspect", kDemo, "--json"});
    QVERIFY2(outcome.status == 0, outcome.errors.constData());
    const auto document = outcome.document();
    // From the model card.
    QVERIFY(document["kind"] == "checkpoint");
    QVERIFY(document["family"] == "olmoe");
    QVERIFY(document["layers"] == 6);
    QVERIFY(document["parameters"]["total"] == 5663872);
    QCOMPARE(document["routers"].size(), std::size_t{6});
    QVERIFY(document["routers"][5]["experts"] == 32);
    QVERIFY(document["routers"][5]["top_k"] == 4);
    QVERIFY(document["tokenizer"]["vocabulary"] == 4096);
    QVERIFY(document["bytes_by_dtype"]["BF16"] == 2 * 5663872);
    QVERIFY(document["warnings"].empty());
    QVERIFY(runProgram({"inspect", kDemo}).output.contains("6 x 32 experts, top-4"));
  }

  void checksTheDemoModel() {
    const auto outcome = runProgram({"check", kDemo, "--json"});
    QVERIFY2(outcome.status == 0, outcome.errors.constData());
    QVERIFY(outcome.document()["ok"] == true);
  }

  void aTokenizerOfAnotherModelIsAProblem() {
    const QTemporaryDir folder;
    const fs::path path = folder.path().toStdString();
    for (const char* name : {"config.json", "model.safetensors"}) {
      fs::copy_file(fs::path(MOESCOPE_TEST_DATA) / "checkpoints" / "olmoe" / name, path / name);
    }
    fs::copy_file(fs::path(kDemo.toStdString()) / "tokenizer.json", path / "tokenizer.json");
    const auto outcome = runProgram({"check", folder.path(), "--json"});
    QCOMPARE(outcome.status, 1);  // 4096 tokens for an embedding of 128 rows
    QVERIFY(outcome.document()["problems"][0]["kind"] == "tokenizer.vocabulary_mismatch");
  }

  void everyBrokenCheckpointIsReported_data() {
    QTest::addColumn<QString>("folder");
    for (const auto& entry : fs::directory_iterator(fs::path(MOESCOPE_TEST_DATA) / "malformed")) {
      QTest::newRow(entry.path().filename().c_str()) << QString::fromStdString(entry.path().string());
    }
  }

  void everyBrokenCheckpointIsReported() {
    QFETCH(QString, folder);
    const auto expected = nlohmann::json::parse(tests::readFile(folder.toStdString() + "/expect.json"));
    const auto outcome = runProgram({"check", folder, "--json"});
    if (expected["kind"] == "ok") {
      QVERIFY2(outcome.status == 0, outcome.errors.constData());
      return;
    }
    QCOMPARE(outcome.status, 2);
    const auto error = outcome.document()["error"];
    QVERIFY2(error["file"] == expected["file"], outcome.output.constData());
    bool right = error["kind"] == expected["kind"];
    for (const auto& other : expected["acceptable"]) right = right || error["kind"] == other;
    QVERIFY2(right, outcome.output.constData());
    QCOMPARE(outcome.errors.count('\n'), 1);
    QVERIFY(outcome.errors.startsWith("moescope: "));
  }

  void whatIsNeitherIsRefused() {
    QCOMPARE(runProgram({"inspect", "/nowhere/at/all"}).status, 2);
    const QString file = QStringLiteral(MOESCOPE_TEST_DATA "/malformed/valid_olmoe/expect.json");
    for (const char* command : {"inspect", "check"}) {
      const auto outcome = runProgram({command, file, "--json"});
      QCOMPARE(outcome.status, 2);
      QVERIFY(outcome.document()["error"]["kind"] == "trace.not_ours");
    }
    QCOMPARE(runProgram({"check", kDemo, "--repair"}).status, 2);
    QCOMPARE(runProgram({"inspect"}).status, 2);
  }
};

QTEST_APPLESS_MAIN(TestInspectCheck)
#include "tst_inspect_check.moc"
