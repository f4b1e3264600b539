// Broken and hostile tokenizer.json files: each ends in one error that names the place.
#include <QTest>

#include "tests/support/small_tokenizer.h"

using namespace moescope;
using namespace moescope::tokenizer;
using namespace moescope::tests;
using nlohmann::json;

namespace {

using Ids = TokenIds;

const char* const kTemplate =
    R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"X"}},{"Sequence":{"id":"A"}}],
        "special_tokens":{"X":{"ids":[77]}}})";

}  // namespace

class TestTokenizerFiles : public QObject {
  Q_OBJECT

 private Q_SLOTS:
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
    row("prefix", "/model/continuing_subword_prefix", "\"##\"", "tokenizer.unsupported");
    row("suffix", "/model/end_of_word_suffix", "\"</w>\"", "tokenizer.unsupported");
    row("empty suffix", "/model/end_of_word_suffix", "\"\"", "none");
    row("unknown token missing", "/model/unk_token", "\"<unk>\"", "tokenizer.bad_vocabulary");
    row("no ByteLevel", "/pre_tokenizer", "null", "none");
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
    row("replacements not in base 64", "/normalizer", R"({"type":"Precompiled","precompiled_charsmap":"?"})",
        "tokenizer.bad_value");
    row("replacements cut", "/normalizer", R"({"type":"Precompiled","precompiled_charsmap":"AAQAAAAg"})",
        "tokenizer.bad_value");
    row("Metaspace with two characters", "/pre_tokenizer", R"({"type":"Metaspace","replacement":"__"})",
        "tokenizer.bad_value");
    row("Metaspace with an unknown scheme", "/pre_tokenizer",
        R"({"type":"Metaspace","replacement":"_","prepend_scheme":"last"})", "tokenizer.bad_value");
    row("Metaspace that contradicts itself", "/pre_tokenizer",
        R"({"type":"Metaspace","replacement":"_","prepend_scheme":"first","add_prefix_space":false})",
        "tokenizer.bad_value");
    row("Unigram with ByteLevel", "/model", R"({"type":"Unigram","vocab":[["a",0]]})",
        "tokenizer.unsupported");
    row("decoder strips two characters", "/decoder", R"({"type":"Strip","content":"ab","start":1,"stop":0})",
        "tokenizer.bad_value");
    row("normalizer without a type", "/normalizer", "{}", "tokenizer.wrong_type");
    row("post-processor unknown", "/post_processor", R"({"type":"BertProcessing"})", "tokenizer.unsupported");
    row("template without a text", "/post_processor", R"({"type":"TemplateProcessing","single":[]})",
        "tokenizer.bad_value");
    row("template with an unknown id", "/post_processor", kTemplate, "tokenizer.bad_id");
    row("decoder with a regular expression", "/decoder",
        R"({"type":"Replace","pattern":{"Regex":"a"},"content":""})", "tokenizer.unsupported");
    row("decoder that makes text longer", "/decoder",
        R"({"type":"Replace","pattern":{"String":"a"},"content":"aa"})", "tokenizer.unsupported");
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
};

QTEST_APPLESS_MAIN(TestTokenizerFiles)
#include "tst_tokenizer_files.moc"
