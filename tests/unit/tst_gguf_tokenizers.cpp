// Tokenizers from the metadata of GGUF files: the same ids as the libraries tokenizers and sentencepiece gave
// for the tokenizers that the files were made from (tests/support/make_gguf_tokenizers.py).
#include <QTest>

#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "core/chat/chat_template.h"
#include "core/checkpoint/gguf_vocabulary.h"
#include "core/tokenizer/tokenizer.h"

using namespace moescope;
using tokenizer::Tokenizer;
namespace fs = std::filesystem;
using nlohmann::json;

namespace {

using Ids = std::vector<std::int32_t>;
using Opened = Result<std::shared_ptr<const Tokenizer>>;

const fs::path kData = MOESCOPE_TEST_DATA;

Result<StoredVocabulary> stored(const std::string& name) {
  const auto file = checkpoint::openGgufFile(kData / "gguf_tokenizers" / (name + ".gguf"), name + ".gguf");
  if (!file) return fail(file.error());
  return checkpoint::readGgufVocabulary(*file, name + ".gguf");
}

Opened opened(const std::string& name) {
  const auto vocabulary = stored(name);
  if (!vocabulary) return fail(vocabulary.error());
  return Tokenizer::fromStored(*vocabulary, name + ".gguf");
}

json readJson(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return json::parse(stream);
}

Ids idsOf(const Tokenizer& tokenizer, const std::string& text, bool addSpecial) {
  Ids ids;
  const auto tokens = tokenizer.encode(text, addSpecial);
  if (!tokens) return {-1};
  for (const auto& token : *tokens) ids.push_back(token.id);
  return ids;
}

/// Whether each token of `wholes` stands for the bytes of one token of `parts` or of several.
bool areWholesOf(const Tokenizer& tokenizer, const Ids& wholes, const Ids& parts) {
  std::size_t next = 0;
  for (const std::int32_t id : wholes) {
    const std::string whole = tokenizer.bytes(id);
    std::string joined;
    while (joined.size() < whole.size() && next < parts.size()) joined += tokenizer.bytes(parts[next++]);
    if (joined != whole) return false;
  }
  return next == parts.size();
}

std::string kindOf(const Opened& tokenizer) { return tokenizer ? "" : tokenizer.error().kind; }

}  // namespace

class TestGgufTokenizers : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void goldensOfTokenizers_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"gpt2_olmoe", "granite", "cl100k_llama3", "dolma2_flex", "qwen2", "deepseek_v2",
                             "deepseek_v3", "o200k_gptoss", "spm_legacy"}) {
      QTest::newRow(name) << name;
    }
  }

  void goldensOfTokenizers() {
    QFETCH(QString, name);
    const std::string folder = name.toStdString();
    const auto tokenizer = opened(folder);
    QVERIFY2(tokenizer.has_value(), tokenizer ? "" : tokenizer.error().text().c_str());
    const json records = readJson(kData / "tokenizers" / folder / "goldens.json")["encode"];
    QVERIFY(records.size() > 100);
    int wrong = 0;
    for (const json& record : records) {
      const auto text = record["text"].get<std::string>();
      const Ids ids = idsOf(**tokenizer, text, false);
      Ids special = record.value("ids_with_special", record["ids"]).get<Ids>();
      // A begin that stands in the text already is not doubled, as with tokenizer_config.json.
      if (special.size() > 1 && special != ids && special[0] == special[1]) special.erase(special.begin());
      const bool same = ids == record["ids"].get<Ids>() && idsOf(**tokenizer, text, true) == special &&
                        (**tokenizer).decode(ids, false) == record.value("decoded", text);
      if (same) continue;
      ++wrong;
      qWarning("%s\n  got %s", record.dump(-1, ' ', true).substr(0, 300).c_str(),
               json(ids).dump().substr(0, 300).c_str());
    }
    QCOMPARE(wrong, 0);
  }

  // llama.cpp's own ids under every name of a pre-tokenizer (tests/support/make_llama_cpp_goldens.py). Two
  // things some models' own tokenizers do and it does not: compose the text, and take a word that is a token
  // whole.
  void goldensOfLlamaCpp_data() {
    QTest::addColumn<int>("index");
    const json names = readJson(kData / "gguf_tokenizers" / "llama_cpp.json")["names"];
    QCOMPARE(names.size(), std::size_t{16});
    for (std::size_t i = 0; i < names.size(); ++i)
      QTest::newRow(names[i]["name"].get<std::string>().c_str()) << static_cast<int>(i);
  }

  void goldensOfLlamaCpp() {
    QFETCH(int, index);
    const json golden =
        readJson(kData / "gguf_tokenizers" / "llama_cpp.json")["names"][static_cast<std::size_t>(index)];
    const auto name = golden["name"].get<std::string>();
    auto vocabulary = stored(golden["vocabulary"].get<std::string>()).value();
    vocabulary.preTokenizer = name;
    const auto tokenizer = Tokenizer::fromStored(vocabulary, name + ".gguf");
    QVERIFY2(tokenizer.has_value(), tokenizer ? "" : tokenizer.error().text().c_str());
    const bool composes = name == "olmo" || name == "qwen2";
    const bool takesWords = name == "gpt-4o" || name == "llama4";
    vocabulary.addBegin.reset();
    vocabulary.begin = 0;
    const auto begun = Tokenizer::fromStored(vocabulary, name + ".gguf").value();
    QCOMPARE(idsOf(*begun, "a", true).size() > 1, golden["begins"].get<bool>());
    QVERIFY(golden["texts"].size() > 50);
    int wrong = 0;
    for (const json& record : golden["texts"]) {
      if (composes && !record["composed"].get<bool>()) continue;
      const Ids ids = idsOf(**tokenizer, record["text"].get<std::string>(), false);
      const Ids theirs = record["ids"].get<Ids>();
      if (ids == theirs || (takesWords && areWholesOf(**tokenizer, ids, theirs))) continue;
      ++wrong;
      qWarning("%s\n  got %s", record.dump(-1, ' ', true).substr(0, 300).c_str(),
               json(ids).dump().substr(0, 300).c_str());
    }
    QCOMPARE(wrong, 0);
  }

  void goldensOfSentencePiece() {
    const auto tokenizer = opened("sentencepiece");
    QVERIFY2(tokenizer.has_value(), tokenizer ? "" : tokenizer.error().text().c_str());
    for (const json& record : readJson(kData / "sentencepiece" / "bpe.json")) {
      const auto text = record["text"].get<std::string>();
      QVERIFY2(idsOf(**tokenizer, text, false) == record["ids"].get<Ids>(), text.c_str());
    }
  }

  void flagsOfSpecialTokens() {
    auto vocabulary = stored("spm_legacy").value();
    QVERIFY(vocabulary.begin && vocabulary.addBegin);
    const auto first = [&] {
      return idsOf(*Tokenizer::fromStored(vocabulary, "f.gguf").value(), "a", true).front();
    };
    QCOMPARE(first(), *vocabulary.begin);
    vocabulary.addBegin.reset();  // as llama.cpp takes it for SentencePiece
    QCOMPARE(first(), *vocabulary.begin);
    vocabulary.addBegin = false;
    QVERIFY(first() != *vocabulary.begin);
    vocabulary.end = 2;
    vocabulary.addEnd = true;
    QCOMPARE(idsOf(*Tokenizer::fromStored(vocabulary, "f.gguf").value(), "a", true).back(), 2);
  }

  void chatTemplate() {
    const auto vocabulary = stored("spm_legacy").value();
    const auto chat = chat::ChatTemplate::fromStored(vocabulary, "f.gguf");
    QVERIFY(chat.has_value());
    QCOMPARE(chat->render(std::vector<chat::Turn>{{"user", "x"}}).value(), std::string("<s>x"));
    QCOMPARE(chat::ChatTemplate::fromStored({}, "f.gguf").error().kind, std::string("chat.missing"));
  }

  void refusals() {
    auto vocabulary = stored("qwen2").value();
    vocabulary.preTokenizer = "jais-2";
    const auto refused = Tokenizer::fromStored(vocabulary, "f.gguf");
    QCOMPARE(kindOf(refused), std::string("tokenizer.unsupported"));
    QVERIFY(refused.error().message.find("jais-2") != std::string::npos);
    vocabulary.preTokenizer = "qwen2";
    vocabulary.pieces[5] = vocabulary.pieces[4];
    QCOMPARE(kindOf(Tokenizer::fromStored(vocabulary, "f.gguf")), std::string("tokenizer.duplicate_id"));
    vocabulary.pieces[5] = "new";
    vocabulary.merges.emplace_back("zz qqq");
    QCOMPARE(kindOf(Tokenizer::fromStored(vocabulary, "f.gguf")), std::string("tokenizer.bad_merge"));
    vocabulary.model = "t5";
    QCOMPARE(kindOf(Tokenizer::fromStored(vocabulary, "f.gguf")), std::string("tokenizer.unsupported"));
    vocabulary.pieces.clear();
    vocabulary.model = "llama";
    QCOMPARE(kindOf(Tokenizer::fromStored(vocabulary, "f.gguf")), std::string("tokenizer.bad_vocabulary"));
  }

  void metadataThatIsWrong() {
    const auto path = kData / "gguf_tokenizers" / "spm_legacy.gguf";
    const auto file = checkpoint::openGgufFile(path, "f.gguf");
    QVERIFY(file.has_value());
    const auto kindWith = [&](const char* key, const checkpoint::GgufValue* value) {
      auto metadata = file->metadata;
      metadata.erase(key);
      if (value != nullptr) metadata.emplace(key, *value);
      const checkpoint::GgufFile changed{file->file, metadata, {}, 0};
      const auto read = checkpoint::readGgufVocabulary(changed, "f.gguf");
      return read ? std::string() : read.error().kind;
    };
    const checkpoint::GgufValue number = std::uint64_t{1} << 40U;
    const checkpoint::GgufValue text = std::string_view("\xFF");
    const auto* tokens = std::get_if<checkpoint::GgufArray>(&file->metadata.at("tokenizer.ggml.tokens"));
    const checkpoint::GgufValue words = *tokens;
    QCOMPARE(kindWith("tokenizer.ggml.model", nullptr), std::string("gguf.missing_key"));
    QCOMPARE(kindWith("tokenizer.ggml.scores", nullptr), std::string("gguf.missing_key"));
    QCOMPARE(kindWith("tokenizer.ggml.tokens", &number), std::string("gguf.wrong_type"));
    QCOMPARE(kindWith("tokenizer.ggml.scores", &words), std::string("gguf.wrong_type"));
    QCOMPARE(kindWith("tokenizer.ggml.token_type", &words), std::string("gguf.wrong_type"));
    QCOMPARE(kindWith("tokenizer.ggml.bos_token_id", &number), std::string("gguf.unsupported_value"));
    QCOMPARE(kindWith("tokenizer.ggml.add_bos_token", &number), std::string("gguf.wrong_type"));
    QCOMPARE(kindWith("tokenizer.chat_template", &text), std::string("gguf.unsupported_value"));
    QCOMPARE(kindWith("tokenizer.ggml.token_type", nullptr), std::string());
  }
};

QTEST_APPLESS_MAIN(TestGgufTokenizers)
#include "tst_gguf_tokenizers.moc"
