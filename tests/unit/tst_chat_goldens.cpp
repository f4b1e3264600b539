// Chat templates against jinja2: conversations through published templates, and short templates for each part
// of the language.
#include <QTest>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/chat/chat_template.h"

using namespace moescope;
using namespace moescope::chat;
namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

namespace {

const fs::path kData = MOESCOPE_TEST_DATA "/chat";
constexpr std::int64_t kGoldenDay = 1738281600;  // 2025-01-31, as in the goldens

json readJson(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return json::parse(stream);
}

/// What differs from the record, which has a text or an error; or nothing.
std::string differenceOf(const Result<std::string>& made, const json& record) {
  if (!record.contains("text")) {
    if (!made) return made.error().where.empty() ? "an error without a line" : "";
    return "no error but " + json(*made).dump();
  }
  if (!made) return made.error().text();
  return *made == record["text"] ? "" : "got " + json(*made).dump() + "\n want " + record["text"].dump();
}

}  // namespace

class TestChatGoldens : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void conversations_data() {
    QTest::addColumn<QString>("folder");
    for (const auto& entry : fs::directory_iterator(kData)) {
      if (entry.is_directory()) QTest::newRow(entry.path().filename().c_str()) << entry.path().c_str();
    }
  }

  void conversations() {
    QFETCH(QString, folder);
    const fs::path path = folder.toStdString();
    const auto opened = ChatTemplate::open(path);
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    const json records = readJson(path / "chat.json");
    QVERIFY(records.size() >= 15);
    for (const json& record : records) {
      RenderOptions options;
      options.time = kGoldenDay;
      options.variables = record["input"];
      const auto difference = differenceOf(opened->render(record["input"]["messages"], options), record);
      QVERIFY2(difference.empty(), (difference + "\n of " + record["input"].dump()).c_str());
    }
  }

  void snippets() {
    const json file = readJson(kData / "snippets.json");
    QVERIFY(file["rows"].size() > 120);
    int wrong = 0;
    for (const json& row : file["rows"]) {
      RenderOptions options;
      options.time = kGoldenDay;
      options.variables = file["variables"];
      const auto parsed = ChatTemplate::parse(row["template"].get<std::string>(), json::object(), "t");
      const auto made = parsed ? parsed->render(json::array(), options) : fail(parsed.error());
      const auto difference = differenceOf(made, row);
      if (difference.empty()) continue;
      ++wrong;
      qWarning("%s\n  of %s", difference.c_str(), row["template"].dump().c_str());
    }
    QCOMPARE(wrong, 0);
  }
};

QTEST_APPLESS_MAIN(TestChatGoldens)
#include "tst_chat_goldens.moc"
