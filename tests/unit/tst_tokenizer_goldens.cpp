// Every record of the goldens, which the Python library `tokenizers` wrote: ids, tokens, offsets, decoded
// text.
#include <QTest>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/tokenizer/tokenizer.h"

using namespace moescope;
using namespace moescope::tokenizer;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;

const fs::path kData = MOESCOPE_TEST_DATA "/tokenizers";

std::string readFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

Ids idsOf(const std::vector<EncodedToken>& tokens) {
  Ids ids;
  for (const auto& token : tokens) ids.push_back(token.id);
  return ids;
}

std::string shown(const json& record) { return record.dump(-1, ' ', true).substr(0, 600); }

/// One record of "encode"; equal fields are left out of it. Gives what differs, or nothing.
std::string differenceOf(const Tokenizer& tokenizer, const json& record) {
  const auto text = record["text"].get<std::string>();
  std::vector<std::string> pieces;
  const auto plain = tokenizer.encode(text, false, &pieces);
  if (!plain) return plain.error().text();
  if (idsOf(*plain) != record["ids"].get<Ids>()) return "ids " + json(idsOf(*plain)).dump();
  const auto special = tokenizer.encode(text, true);
  if (!special) return special.error().text();
  if (idsOf(*special) != record.value("ids_with_special", record["ids"]).get<Ids>())
    return "ids with special";
  if (record.contains("tokens") && json(pieces) != record["tokens"]) return "tokens " + json(pieces).dump();
  if (record.contains("offsets")) {
    auto offsets = json::array();
    for (const auto& token : *plain) offsets.push_back({token.begin, token.end});
    if (offsets != record["offsets"]) return "offsets " + offsets.dump();
  }
  const auto decoded = record.value("decoded", text);
  if (tokenizer.decode(idsOf(*plain), false) != decoded) return "decoded";
  if (tokenizer.decode(idsOf(*plain), true) != record.value("decoded_skip_special", decoded)) {
    return "decoded without special tokens";
  }
  return {};
}

}  // namespace

class TestTokenizerGoldens : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void everyRecordIsMet_data() {
    QTest::addColumn<QString>("folder");
    for (const auto& entry : fs::directory_iterator(kData)) {
      if (!fs::exists(entry.path() / "goldens.json")) continue;
      QTest::newRow(entry.path().filename().c_str()) << QString::fromStdString(entry.path().string());
    }
  }

  void everyRecordIsMet() {
    QFETCH(QString, folder);
    const fs::path path = folder.toStdString();
    const bool demo = path.filename() == "demo";
    const fs::path file = (demo ? fs::path(MOESCOPE_RESOURCES "/demo/model") : path) / "tokenizer.json";
    // Without the configuration: the library reads tokenizer.json only.
    const auto opened = Tokenizer::parse(readFile(file), {}, file);
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    const auto goldens = json::parse(readFile(path / "goldens.json"));
    QVERIFY(goldens["encode"].size() > 100);
    QCOMPARE(wrongTexts(**opened, goldens["encode"]), 0);
    QVERIFY(goldens["decode"].size() > 15);
    QCOMPARE(wrongIds(**opened, goldens["decode"]), 0);
  }

  void longStretchesWithoutSpaces() {
    const auto rows = json::parse(readFile(kData / "long_words.json"));
    QVERIFY(rows.size() >= 16);
    for (const auto& row : rows) {
      const auto name = row["tokenizer"].get<std::string>();
      const auto opened = Tokenizer::open(kData / name / "tokenizer.json");
      QVERIFY(opened.has_value());
      const auto tokens = (*opened)->encode(row["text"].get<std::string>(), false);
      QVERIFY(tokens.has_value());
      QVERIFY2(idsOf(*tokens) == row["ids"].get<Ids>(), name.c_str());
      for (std::size_t i = 1; i < tokens->size(); ++i) QVERIFY((*tokens)[i].begin >= (*tokens)[i - 1].begin);
    }
  }

  void everyGraphOfComponentsIsMet() {
    const auto rows = json::parse(readFile(kData / "components.json"));
    QVERIFY(rows.size() > 40);
    for (const auto& row : rows) {
      auto document = json::parse(readFile(kData / row["base"].get<std::string>() / "tokenizer.json"));
      document.update(row["parts"]);
      if (document["model"]["type"] == "BPE") document["model"]["ignore_merges"] = row["ignore_merges"];
      const auto name = row["name"].get<std::string>();
      const auto opened = Tokenizer::parse(document.dump(), {}, name);
      QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
      QVERIFY2(wrongTexts(**opened, row["encode"]) == 0, name.c_str());
    }
  }

 private:
  static int wrongTexts(const Tokenizer& tokenizer, const json& records) {
    int wrong = 0;
    for (const auto& record : records) {
      const std::string difference = differenceOf(tokenizer, record);
      if (difference.empty()) continue;
      ++wrong;
      qWarning("%s\n  of %s", difference.substr(0, 600).c_str(), shown(record).c_str());
    }
    return wrong;
  }

  static int wrongIds(const Tokenizer& tokenizer, const json& records) {
    int wrong = 0;
    for (const auto& record : records) {
      const auto ids = record["ids"].get<Ids>();
      const bool right = tokenizer.decode(ids, false) == record["decoded"] &&
                         tokenizer.decode(ids, true) == record["decoded_skip_special"];
      if (right) continue;
      ++wrong;
      qWarning("decoded %s", shown(record).c_str());
    }
    return wrong;
  }
};

QTEST_APPLESS_MAIN(TestTokenizerGoldens)
#include "tst_tokenizer_goldens.moc"
