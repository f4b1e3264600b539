// What goldens cannot show: streams, refusals, broken and hostile files, long texts, special tokens from the
// configuration.
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
using Opened = Result<std::shared_ptr<const Tokenizer>>;

const fs::path kData = MOESCOPE_TEST_DATA "/tokenizers";

std::string readFile(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

std::shared_ptr<const Tokenizer> demo() {
  static const auto tokenizer = Tokenizer::open(MOESCOPE_RESOURCES "/demo/model/tokenizer.json");
  if (!tokenizer) qFatal("%s", tokenizer.error().text().c_str());
  return *tokenizer;
}

Ids idsOf(const Tokenizer& tokenizer, std::string_view text, bool special = false) {
  const auto tokens = tokenizer.encode(text, special);
  if (!tokens) qFatal("%s", tokens.error().text().c_str());
  Ids ids;
  for (const auto& token : *tokens) ids.push_back(token.id);
  return ids;
}

/// The smallest file that loads: bytes 'a', 'b' and space, "ab" by a merge.
json smallDocument() {
  return {{"version", "1.0"},
          {"added_tokens", json::array()},
          {"normalizer", nullptr},
          {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}},
          {"post_processor", nullptr},
          {"decoder", {{"type", "ByteLevel"}}},
          {"model",
           {{"type", "BPE"},
            {"vocab", {{"a", 0}, {"b", 1}, {"Ġ", 2}, {"ab", 3}}},
            {"merges", json::array({"a b"})}}}};
}

Opened parse(const json& document, const std::string& config = {}) {
  return Tokenizer::parse(document.dump(), config, "tokenizer.json");
}

const char* const kTemplate =
    R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"X"}},{"Sequence":{"id":"A"}}],
        "special_tokens":{"X":{"ids":[77]}}})";

/// Kind of the error that loading gives, or "none".
std::string kindOf(const Opened& opened) { return opened ? "none" : opened.error().kind; }

}  // namespace

class TestTokenizer : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aStreamNeverSplitsACharacter() {
    // Every byte is a token of its own here, so that each cut inside a character occurs.
    const auto opened = Tokenizer::open(kData / "granite" / "tokenizer.json");
    QVERIFY(opened.has_value());
    const auto& tokenizer = **opened;
    Ids byteIds(256, -1);
    for (std::int32_t id = 0; id < tokenizer.vocabularySize(); ++id) {
      const std::string bytes = tokenizer.bytes(id);
      if (bytes.size() == 1 && !tokenizer.isSpecial(id)) byteIds[static_cast<unsigned char>(bytes[0])] = id;
    }
    const std::string text = "aé中👋🏽z";
    StreamDecoder stream(*opened);
    std::string all;
    int expected = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::string part = stream.push(byteIds[static_cast<unsigned char>(text[i])]);
      all += part;
      const bool lastOfCharacter =
          i + 1 == text.size() || (static_cast<unsigned char>(text[i + 1]) & 0xC0) != 0x80;
      QCOMPARE(!part.empty(), lastOfCharacter);
      expected += lastOfCharacter ? 1 : 0;
    }
    QCOMPARE(expected, 6);
    QCOMPARE(all + stream.finish(), text);
  }

  void aStreamGivesWhatDecodeGives() {
    // The goldens' broken sequences: cut characters, lone surrogates, special tokens between the bytes.
    for (const char* name : {"granite", "qwen2", "added_flags"}) {
      const auto opened = Tokenizer::open(kData / name / "tokenizer.json");
      QVERIFY(opened.has_value());
      const auto goldens = json::parse(readFile(kData / name / "goldens.json"));
      for (const auto& record : goldens["decode"]) {
        StreamDecoder stream(*opened);
        std::string all;
        for (const auto id : record["ids"].get<Ids>()) all += stream.push(id);
        all += stream.finish();
        QCOMPARE(all, record["decoded_skip_special"].get<std::string>());
      }
    }
  }

  void aStreamWritesInvalidBytesAsSoonAsTheyAreSure() {
    const auto& tokenizer = demo();
    StreamDecoder stream(tokenizer);
    const auto byte = [&](const char* piece) { return tokenizer->idOf(piece); };
    QCOMPARE(stream.push(byte("ð")), std::string());  // F0: may become a character
    QCOMPARE(stream.push(byte("Ł")), std::string());  // 9F
    QCOMPARE(stream.push(byte("a")), std::string("\xEF\xBF\xBD"
                                                 "a"));
    QCOMPARE(stream.push(byte("¿")), std::string("\xEF\xBF\xBD"));  // BF cannot start one
    QCOMPARE(stream.push(byte("Ã")), std::string());
    QCOMPARE(stream.finish(), std::string("\xEF\xBF\xBD"));
    QCOMPARE(stream.finish(), std::string());
  }

  void lookUps() {
    const auto& tokenizer = *demo();
    QCOMPARE(tokenizer.vocabularySize(), 4096);
    QCOMPARE(tokenizer.idOf("<|endoftext|>"), 0);
    QVERIFY(tokenizer.isSpecial(0));
    QVERIFY(!tokenizer.isSpecial(45));
    QCOMPARE(tokenizer.idOf("no such token"), -1);
    const std::int32_t the = tokenizer.idOf("Ġthe");
    QCOMPARE(tokenizer.piece(the), std::string("Ġthe"));
    QCOMPARE(tokenizer.bytes(the), std::string(" the"));
    for (const std::int32_t id : {-1, 4096, 1 << 30}) {
      QCOMPARE(tokenizer.piece(id), std::string());
      QCOMPARE(tokenizer.bytes(id), std::string());
      QVERIFY(!tokenizer.isSpecial(id));
      QCOMPARE(tokenizer.decode({id}, false), std::string());
    }
    QCOMPARE(tokenizer.contentHash().size(), std::size_t{32});
    auto other = smallDocument();
    QVERIFY(parse(other).value()->contentHash() != tokenizer.contentHash());
  }

  void textThatIsNotUtf8NamesTheByte() {
    const std::pair<std::string, const char*> cases[] = {{"ab\xFF"
                                                          "c",
                                                          "byte 2"},
                                                         {"\xC3", "byte 0"},
                                                         {"é\xED\xA0\x80", "byte 2"}};
    for (const auto& [text, where] : cases) {
      const auto tokens = demo()->encode(text, false);
      QVERIFY(!tokens.has_value());
      QCOMPARE(tokens.error().kind, std::string("tokenizer.not_utf8"));
      QCOMPARE(tokens.error().where, std::string(where));
    }
  }

  void emptyText() {
    QVERIFY(demo()->encode("", false)->empty());
    QVERIFY(demo()->encode("", true)->empty());
    QCOMPARE(demo()->decode({}, true), std::string());
    const auto llama = Tokenizer::open(kData / "cl100k_llama3" / "tokenizer.json");
    QCOMPARE(idsOf(**llama, "", true), Ids{1300});
  }

  void theConfigurationAddsBeginAndEnd() {
    // transformers puts the BOS in for this file: tokenizer.json has no template, the configuration asks for
    // it.
    const auto opened = Tokenizer::open(kData / "deepseek_v3" / "tokenizer.json");
    QVERIFY(opened.has_value());
    const std::int32_t begin = (*opened)->idOf("<｜begin▁of▁sentence｜>");
    const Ids plain = idsOf(**opened, "Hello", false);
    Ids expected{begin};
    expected.insert(expected.end(), plain.begin(), plain.end());
    QCOMPARE(idsOf(**opened, "Hello", true), expected);
    QCOMPARE(idsOf(**opened, "<｜begin▁of▁sentence｜>Hello", true), expected);  // never doubled

    auto document = smallDocument();
    document["added_tokens"].push_back({{"id", 4}, {"content", "<s>"}, {"special", true}});
    const auto ids = [&](const char* config) { return idsOf(*parse(document, config).value(), "ab", true); };
    QCOMPARE(ids(R"({"add_bos_token":false,"bos_token":"<s>"})"), Ids{3});
    QCOMPARE(ids(R"({"add_bos_token":true,"bos_token":null})"), Ids{3});
    QCOMPARE(ids(R"({"add_bos_token":true,"bos_token":{"content":"<s>"}})"), (Ids{4, 3}));
    QCOMPARE(ids(R"({"add_eos_token":true,"eos_token":"<s>"})"), (Ids{3, 4}));
    QCOMPARE(kindOf(parse(document, R"({"add_bos_token":true,"bos_token":"<x>"})")),
             std::string("tokenizer.bad_value"));
    QCOMPARE(kindOf(parse(document, "{")), std::string("tokenizer.not_json"));
  }

  void whatIsNotSupportedIsRefusedByName_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("name");
    const std::pair<const char*, const char*> cases[] = {
        {"spm_legacy", "ByteFallback"},       {"spm_metaspace_first", "Metaspace"},
        {"spm_metaspace_never", "Metaspace"}, {"spm_unk_fused", "Metaspace"},
        {"spm_unk_single", "ByteFallback"},   {"unigram_bytefallback", "Precompiled"},
        {"unigram_t5", "Precompiled"},        {"added_flags_spm", "ByteFallback"}};
    for (const auto& [file, name] : cases) QTest::newRow(file) << file << name;
  }

  void whatIsNotSupportedIsRefusedByName() {
    QFETCH(QString, file);
    QFETCH(QString, name);
    const auto opened = Tokenizer::open(kData / "unsupported" / (file.toStdString() + ".json"));
    QVERIFY(!opened.has_value());
    QCOMPARE(opened.error().kind, std::string("tokenizer.unsupported"));
    QVERIFY2(opened.error().message.find(name.toStdString()) != std::string::npos,
             opened.error().text().c_str());
    QVERIFY(!opened.error().where.empty());
  }

  void brokenFiles_data() {
    QTest::addColumn<QByteArray>("pointer");
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char* name, const char* pointer, const char* value, const char* kind) {
      QTest::newRow(name) << QByteArray(pointer) << QByteArray(value) << QString(kind);
    };
    row("nothing changed", "/version", "\"1.0\"", "none");
    row("no version", "/version", "null", "none");
    row("other version", "/version", "\"2.0\"", "tokenizer.unsupported");
    row("model missing", "/model", "null", "tokenizer.wrong_type");
    row("model a number", "/model", "3", "tokenizer.wrong_type");
    row("old file without a type", "/model/type", "null", "none");
    row("WordPiece", "/model/type", "\"WordPiece\"", "tokenizer.unsupported");
    row("vocabulary a list", "/model/vocab", "[]", "tokenizer.wrong_type");
    row("negative id", "/model/vocab/a", "-1", "tokenizer.bad_id");
    row("fraction", "/model/vocab/a", "0.5", "tokenizer.bad_id");
    row("id a string", "/model/vocab/a", "\"0\"", "tokenizer.bad_id");
    row("id out of range", "/model/vocab/a", "2147483646", "tokenizer.bad_id");
    row("id beyond 32 bits", "/model/vocab/a", "4294967296", "tokenizer.bad_id");
    row("id beyond 64 bits", "/model/vocab/a", "1e300", "tokenizer.bad_id");
    row("duplicate id", "/model/vocab/a", "1", "tokenizer.duplicate_id");
    row("merges missing", "/model/merges", "null", "tokenizer.wrong_type");
    row("merge of pairs", "/model/merges", "[[\"a\",\"b\"]]", "none");
    row("merge of one", "/model/merges", "[\"ab\"]", "tokenizer.bad_merge");
    row("merge of three", "/model/merges", "[[\"a\",\"b\",\"a\"]]", "tokenizer.bad_merge");
    row("merge of three words", "/model/merges", "[\"a b a\"]", "tokenizer.bad_merge");
    row("merge a number", "/model/merges", "[7]", "tokenizer.bad_merge");
    row("merge of an unknown piece", "/model/merges", "[\"a x\"]", "tokenizer.bad_merge");
    row("merge into an unknown piece", "/model/merges", "[\"b a\"]", "tokenizer.bad_merge");
    row("dropout", "/model/dropout", "0.1", "tokenizer.unsupported");
    row("byte_fallback", "/model/byte_fallback", "true", "tokenizer.unsupported");
    row("prefix", "/model/continuing_subword_prefix", "\"##\"", "tokenizer.unsupported");
    row("suffix", "/model/end_of_word_suffix", "\"</w>\"", "tokenizer.unsupported");
    row("empty suffix", "/model/end_of_word_suffix", "\"\"", "none");
    row("unknown token missing", "/model/unk_token", "\"<unk>\"", "tokenizer.bad_vocabulary");
    row("no ByteLevel", "/pre_tokenizer", "null", "tokenizer.unsupported");
    row("ByteLevel not last", "/pre_tokenizer",
        R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]})",
        "tokenizer.unsupported");
    row("flag a string", "/pre_tokenizer/use_regex", "\"yes\"", "tokenizer.wrong_type");
    row("behaviour unknown", "/pre_tokenizer",
        R"({"type":"Split","pattern":{"String":"a"},"behavior":"Torn"})", "tokenizer.bad_value");
    row("pattern broken", "/pre_tokenizer",
        R"({"type":"Split","pattern":{"Regex":"*a"},"behavior":"Isolated"})", "tokenizer.pattern");
    row("pattern empty", "/pre_tokenizer", R"({"type":"Split","pattern":{"Regex":""},"behavior":"Isolated"})",
        "tokenizer.pattern");
    row("pattern missing", "/pre_tokenizer", R"({"type":"Split","behavior":"Isolated"})",
        "tokenizer.wrong_type");
    row("pattern with a class in a class", "/pre_tokenizer",
        R"({"type":"Split","pattern":{"Regex":"[a[bc]]"},"behavior":"Isolated"})", "tokenizer.unsupported");
    row("normalizer unknown", "/normalizer", R"({"type":"Nmt"})", "tokenizer.unsupported");
    row("normalizer without a type", "/normalizer", "{}", "tokenizer.wrong_type");
    row("post-processor unknown", "/post_processor", R"({"type":"BertProcessing"})", "tokenizer.unsupported");
    row("template without a text", "/post_processor", R"({"type":"TemplateProcessing","single":[]})",
        "tokenizer.bad_value");
    row("template with an unknown id", "/post_processor", kTemplate, "tokenizer.bad_id");
    row("decoder unknown", "/decoder", R"({"type":"CTC"})", "tokenizer.unsupported");
    row("added token", "/added_tokens", R"([{"id":4,"content":"x"}])", "none");
    row("added token of the model", "/added_tokens", R"([{"id":3,"content":"ab"}])", "none");
    row("added token with the id of another", "/added_tokens", R"([{"id":3,"content":"x"}])",
        "tokenizer.duplicate_id");
    row("added token with two ids", "/added_tokens", R"([{"id":4,"content":"ab"}])",
        "tokenizer.duplicate_id");
    row("added token twice", "/added_tokens", R"([{"id":4,"content":"x"},{"id":4,"content":"x"}])",
        "tokenizer.duplicate_id");
    row("added token out of range", "/added_tokens", R"([{"id":2000000000,"content":"x"}])",
        "tokenizer.bad_id");
    row("added token negative", "/added_tokens", R"([{"id":-4,"content":"x"}])", "tokenizer.bad_id");
    row("added token without content", "/added_tokens", R"([{"id":4}])", "tokenizer.wrong_type");
    row("added tokens an object", "/added_tokens", "{}", "tokenizer.wrong_type");
  }

  void brokenFiles() {
    QFETCH(QByteArray, pointer);
    QFETCH(QByteArray, value);
    QFETCH(QString, kind);
    auto document = smallDocument();
    document[json::json_pointer(pointer.toStdString())] = json::parse(value.toStdString());
    const auto opened = parse(document);
    QCOMPARE(QString::fromStdString(kindOf(opened)), kind);
    if (!opened) {
      QCOMPARE(opened.error().file, std::string("tokenizer.json"));
      QVERIFY(!opened.error().where.empty());
      QVERIFY(opened.error().text().find('\n') == std::string::npos);
    } else {
      QCOMPARE(idsOf(**opened, "ab"), Ids{3});
    }
  }

  void textThatIsNoJson() {
    const auto kind = [](const std::string& text) { return kindOf(Tokenizer::parse(text, {}, "t")); };
    QCOMPARE(kind(""), std::string("tokenizer.not_json"));
    QCOMPARE(kind("[]"), std::string("tokenizer.wrong_type"));
    QCOMPARE(kind("{\"model\":"), std::string("tokenizer.not_json"));
    QCOMPARE(kind("{\"a\":1,\"a\":2}"), std::string("tokenizer.duplicate_key"));
    QCOMPARE(kind("{\"a\":\"\xFF\"}"), std::string("tokenizer.not_utf8"));
    QCOMPARE(kind(std::string(100000, '[')), std::string("tokenizer.nesting_too_deep"));
    QCOMPARE(kindOf(Tokenizer::open("/no/such/tokenizer.json")), std::string("file.not_found"));
    // A file cut at any place is refused or, within white space at its end, read.
    const std::string whole = smallDocument().dump();
    for (std::size_t size = 0; size < whole.size(); ++size) QVERIFY(kind(whole.substr(0, size)) != "none");
  }

  void missingBytesAreUnknownOrDropped() {
    auto document = smallDocument();
    QCOMPARE(idsOf(*parse(document).value(), "axxb"), Ids{3});  // as the library has it
    document["model"]["vocab"]["<unk>"] = 4;
    document["model"]["unk_token"] = "<unk>";
    QCOMPARE(idsOf(*parse(document).value(), "axxb"), (Ids{0, 4, 4, 1}));
    document["model"]["fuse_unk"] = true;
    QCOMPARE(idsOf(*parse(document).value(), "axxb"), (Ids{0, 4, 1}));
  }

  void aRunawayPatternIsAnError() {
    auto document = smallDocument();
    document["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"}, {"pattern", {{"Regex", "(a|aa)+$|(a|b|ab)*c"}}}, {"behavior", "Isolated"}},
          {{"type", "ByteLevel"}, {"use_regex", false}}}}};
    const auto opened = parse(document);
    QVERIFY(opened.has_value());
    const auto tokens = (*opened)->encode(std::string(60, 'a') + "b", false);
    QVERIFY(!tokens.has_value());
    QCOMPARE(tokens.error().kind, std::string("tokenizer.pattern"));
    QCOMPARE(tokens.error().where, std::string("pre_tokenizer.pretokenizers[0].pattern.Regex"));
  }

  void addedTokensThatTakeTheSameSpaceAgainEnd() {
    auto document = smallDocument();
    document["added_tokens"] = json::array({{{"id", 4}, {"content", " "}, {"rstrip", true}}});
    const auto opened = parse(document);
    QVERIFY(opened.has_value());
    const auto tokens = (*opened)->encode(std::string(100000, ' '), false);
    QVERIFY(!tokens.has_value());
    QCOMPARE(tokens.error().kind, std::string("tokenizer.added_tokens"));
  }

  // These end within the test's time limit only without quadratic work.
  void longTexts_data() {
    QTest::addColumn<QString>("text");
    constexpr int kLength = 1 << 20;
    QTest::newRow("one letter") << QString(kLength, 'a');
    QTest::newRow("one capital") << QString(kLength, 'A');
    QTest::newRow("spaces") << QString(kLength, ' ');
    QTest::newRow("line ends") << QString(kLength, '\n');
    QTest::newRow("digits") << QString(kLength, '7');
    QTest::newRow("marks") << QString("e") + QString(kLength, QChar(0x301));
    QTest::newRow("words")
        << QString("It's 12 words of an ordinary text, 中文, naïve. ").repeated(kLength / 48);
  }

  void longTexts() {
    QFETCH(QString, text);
    const std::string bytes = text.toStdString();
    for (const char* name : {"gpt2_olmoe", "o200k_gptoss", "qwen2", "deepseek_v3"}) {
      const auto opened = Tokenizer::open(kData / name / "tokenizer.json");
      QVERIFY(opened.has_value());
      const auto tokens = (*opened)->encode(bytes, false);
      QVERIFY2(tokens.has_value(), tokens ? "" : tokens.error().text().c_str());
      Ids ids;
      for (const auto& token : *tokens) ids.push_back(token.id);
      QVERIFY((*opened)->decode(ids, false).size() == bytes.size() || text[1] == QChar(0x301));
    }
  }
};

QTEST_APPLESS_MAIN(TestTokenizer)
#include "tst_tokenizer.moc"
