// Every deliberately broken checkpoint ends in the error that its expect.json names.
#include <QTest>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/checkpoint/checkpoint.h"

using namespace moescope;
namespace fs = std::filesystem;

class TestMalformedCheckpoints : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void reportsTheExpectedKind_data() {
    QTest::addColumn<QString>("folder");
    const fs::path root = fs::path(MOESCOPE_TEST_DATA) / "malformed";
    int count = 0;
    for (const auto& entry : fs::directory_iterator(root)) {
      QTest::newRow(entry.path().filename().c_str()) << QString::fromStdString(entry.path().string());
      ++count;
    }
    QVERIFY2(count >= 30, "the fixtures are missing");
  }

  void reportsTheExpectedKind() {
    QFETCH(QString, folder);
    const fs::path path = folder.toStdString();
    std::ifstream file(path / "expect.json");
    const auto expected = nlohmann::json::parse(file);
    const auto checkpoint = checkpoint::Checkpoint::open(path);
    const std::string kind = checkpoint ? "ok" : checkpoint.error().kind;
    bool right = kind == expected["kind"].get<std::string>();
    for (const auto& other : expected["acceptable"]) right = right || kind == other.get<std::string>();
    const std::string text = kind + (checkpoint ? "" : ": " + checkpoint.error().text());
    QVERIFY2(right, text.c_str());
    if (!checkpoint) {
      QVERIFY2(checkpoint.error().file == expected["file"].get<std::string>(), text.c_str());
      QVERIFY2(!checkpoint.error().message.empty(), text.c_str());
    }
  }
};

QTEST_APPLESS_MAIN(TestMalformedCheckpoints)
#include "tst_malformed_checkpoints.moc"
