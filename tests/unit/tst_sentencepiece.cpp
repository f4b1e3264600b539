// SentencePiece models against the library `sentencepiece`, and models that are broken.
#include <QTest>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/small_tokenizer.h"

using namespace moescope;
using namespace moescope::tokenizer;
using namespace moescope::tests;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

const fs::path kData = MOESCOPE_TEST_DATA "/sentencepiece";

std::string readFile(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

std::string kindOfModel(const std::string& bytes) {
  return kindOf(Tokenizer::parseSentencePiece(bytes, {}, "t.model"));
}

}  // namespace

class TestSentencePiece : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void goldens_data() {
    QTest::addColumn<QString>("name");
    QTest::newRow("bpe") << "bpe";
    QTest::newRow("unigram") << "unigram";
  }

  void goldens() {
    QFETCH(QString, name);
    const auto opened = Tokenizer::open(kData / (name.toStdString() + ".model"));
    QVERIFY2(opened.has_value(), opened ? "" : opened.error().text().c_str());
    const auto rows = json::parse(readFile(kData / (name.toStdString() + ".json")));
    QVERIFY(rows.size() > 100);
    for (const auto& row : rows) {
      const auto text = row["text"].get<std::string>();
      const auto ids = idsOf(**opened, text);
      QVERIFY2(json(ids) == row["ids"], (row.dump() + "\n got " + json(ids).dump()).c_str());
      if (row["decoded"].is_null()) continue;
      const auto decoded = (*opened)->decode(ids, false);
      QVERIFY2(decoded == row["decoded"], (row.dump() + "\n got " + json(decoded).dump()).c_str());
    }
  }

  void controlSymbolsAreSpecialTokens() {
    const auto opened = Tokenizer::open(kData / "bpe.model");
    QVERIFY(opened.has_value());
    const auto& tokenizer = **opened;
    const auto begin = tokenizer.idOf("<s>");
    QVERIFY(begin > 0 && tokenizer.isSpecial(begin));
    QCOMPARE(idsOf(tokenizer, "<s>a").front(), begin);
    QCOMPARE(idsOf(tokenizer, "a", true).front(), begin);  // as Llama's class does it
    const auto unigram = Tokenizer::open(kData / "unigram.model");
    QVERIFY(unigram.has_value());
    QCOMPARE(idsOf(**unigram, "a", true).back(), (*unigram)->idOf("</s>"));
    const auto quiet =
        Tokenizer::parseSentencePiece(readFile(kData / "bpe.model"), R"({"add_bos_token":false})", "t");
    QVERIFY(idsOf(**quiet, "a", true).front() != begin);
  }

  void aFolderWithoutTokenizerJsonHasItsModel() {
    const auto folder = fs::temp_directory_path() / "moescope_tst_sentencepiece";
    fs::create_directories(folder);
    QCOMPARE(Tokenizer::fileIn(folder).filename().string(), std::string("tokenizer.json"));
    fs::copy_file(kData / "bpe.model", folder / "tokenizer.model", fs::copy_options::overwrite_existing);
    QCOMPARE(Tokenizer::fileIn(folder).filename().string(), std::string("tokenizer.model"));
    QVERIFY(Tokenizer::open(folder / "tokenizer.json").has_value());
    fs::remove_all(folder);
  }

  void brokenModels() {
    const std::string whole = readFile(kData / "bpe.model");
    QCOMPARE(kindOfModel(whole), std::string("none"));
    QCOMPARE(kindOfModel(""), std::string("tokenizer.bad_protobuf"));
    QCOMPARE(kindOfModel("{\"version\":\"1.0\"}"), std::string("tokenizer.bad_protobuf"));
    for (std::size_t size = 1; size < whole.size(); size += 7) {
      const auto opened = Tokenizer::parseSentencePiece(whole.substr(0, size), {}, "t.model");
      if (!opened) QVERIFY(!opened.error().message.empty());
    }
    const auto piece = [](const std::string& fields) {
      return std::string("\x0A") + static_cast<char>(fields.size()) + fields;
    };
    const std::string unknown = piece("\x0A\x01?\x18\x02");
    QCOMPARE(kindOfModel(unknown), std::string("none"));
    QCOMPARE(kindOfModel(piece("\x0A\x01"
                               "a")),
             std::string("tokenizer.bad_vocabulary"));
    QCOMPARE(kindOfModel(unknown + unknown), std::string("tokenizer.duplicate_id"));
    QCOMPARE(kindOfModel(piece("\x0A\x01\xFF")), std::string("tokenizer.bad_value"));
    QCOMPARE(kindOfModel(piece("\x0A\x01"
                               "a\x18\x09")),
             std::string("tokenizer.bad_value"));
    QCOMPARE(kindOfModel(unknown + "\x12\x02\x18\x03"), std::string("tokenizer.unsupported"));  // words
  }
};

QTEST_APPLESS_MAIN(TestSentencePiece)
#include "tst_sentencepiece.moc"
