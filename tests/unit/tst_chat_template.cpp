// What goldens of chat templates cannot show: files, errors with their lines, limits on hostile templates.
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

#include "core/chat/chat_template.h"

using namespace moescope;
using namespace moescope::chat;
namespace fs = std::filesystem;
using json = nlohmann::ordered_json;

namespace {

Result<std::string> rendered(const std::string& source, const RenderOptions& options = {}) {
  const auto parsed = ChatTemplate::parse(source, json::object(), "t.jinja");
  if (!parsed) return fail(parsed.error());
  return parsed->render(std::vector<Turn>{{"user", "hi"}}, options);
}

std::string errorOf(const std::string& source) {
  const auto made = rendered(source);
  return made ? "none" : made.error().kind + " " + made.error().where;
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

}  // namespace

class TestChatTemplate : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void turnsAndOptions() {
    const std::string source =
        "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<a>{% "
        "endif %}"
        "{{ tools is none }}{{ thinking }}";
    QCOMPARE(rendered(source).value(), std::string("<user>hi<a>True"));
    RenderOptions options;
    options.addGenerationPrompt = false;
    options.variables["thinking"] = false;
    QCOMPARE(rendered(source, options).value(), std::string("<user>hiTrueFalse"));
  }

  void theTemplateOfAFolder() {
    const QTemporaryDir folder;
    const fs::path path = folder.path().toStdString();
    const auto kind = [&] {
      const auto opened = ChatTemplate::open(path);
      return opened ? std::string("none") : opened.error().kind;
    };
    const auto text = [&] { return ChatTemplate::open(path)->render(std::vector<Turn>{}).value(); };
    QCOMPARE(kind(), std::string("chat.missing"));
    write(path / "tokenizer_config.json",
          R"({"bos_token":{"content":"<s>"},"eos_token":"</s>","pad_token":null})");
    QCOMPARE(kind(), std::string("chat.missing"));
    write(path / "tokenizer_config.json", R"({"bos_token":{"content":"<s>"},"eos_token":"</s>",
        "chat_template":[{"name":"tool_use","template":"b"},{"name":"default","template":"{{ bos_token }}c{{ eos_token }}"}]})");
    QCOMPARE(text(), std::string("<s>c</s>"));
    write(path / "chat_template.jinja", "own {{ bos_token }}\n");
    QCOMPARE(text(), std::string("own <s>"));
    write(path / "chat_template.jinja", "a\n{% if %}");
    QCOMPARE(kind(), std::string("chat.syntax"));
    fs::remove(path / "chat_template.jinja");
    for (const char* config :
         {"{", "[]", R"({"chat_template":3})", R"({"chat_template":[{"name":"x","template":"y"}]})",
          R"({"chat_template":[3,{"name":7}]})"}) {
      write(path / "tokenizer_config.json", config);
      QCOMPARE(kind(), std::string("chat.bad_config"));
    }
  }

  void errorsNameTheLine() {
    QCOMPARE(errorOf("a\nb\n{{ 1 + }}"), std::string("chat.syntax line 3"));
    QCOMPARE(errorOf("a\r\nb\r{# never"), std::string("chat.syntax line 3"));
    QCOMPARE(errorOf("\n\n{{ nothing.x }}"), std::string("chat.failed line 3"));
    QCOMPARE(errorOf("{% macro m(a) %}\n{{ a + 1 }}\n{% endmacro %}\n\n{{ m('x') }}"),
             std::string("chat.failed line 2"));
    QCOMPARE(errorOf("\n{% if true %}\n{{ raise_exception('roles') }}{% endif %}"),
             std::string("chat.refused line 3"));
    QCOMPARE(rendered("{{ raise_exception('roles must alternate') }}").error().message,
             std::string("roles must alternate"));
    QCOMPARE(errorOf("{% include 'x' %}"), std::string("chat.syntax line 1"));
    QCOMPARE(errorOf("{% for a in b recursive %}{% endfor %}"), std::string("chat.syntax line 1"));
    QCOMPARE(errorOf("a\xFF"), std::string("chat.syntax byte 1"));
  }

  void hostileTemplates_data() {
    QTest::addColumn<QString>("source");
    const auto many = [](const char* text) { return QString(text).repeated(20000); };
    const QString deep = QString("{% set n = namespace(a=[]) %}{% for i in range(100000) %}");
    QTest::newRow("steps") << QString(
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}");
    QTest::newRow("range") << QString("{{ range(999999999999)|list }}");
    QTest::newRow("output") << QString("{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}");
    QTest::newRow("repetition") << QString("{{ 'x' * 9999999999 }}");
    QTest::newRow("repeated list") << QString("{{ [1] * 9999999999 }}");
    QTest::newRow("doubled text") << QString(
        "{% set n = namespace(a='xy') %}{% for i in range(99) %}{% set n.a = n.a + n.a %}{% endfor %}");
    QTest::newRow("doubled by ~") << QString(
        "{% set n = namespace(a='xy') %}{% for i in range(99) %}{% set n.a = n.a ~ n.a %}{% endfor %}");
    QTest::newRow("replaced") << QString(
        "{% set n = namespace(a='xx') %}{% for i in range(99) %}{% set n.a = n.a.replace('x', 'xx') %}{% "
        "endfor %}");
    QTest::newRow("kept texts") << QString(
        "{% set n = namespace(a=[]) %}{% for i in range(9999) %}{% set n.a = n.a + ['x' * 99999] %}{% endfor "
        "%}");
    QTest::newRow("nested lists") << deep + "{% set n.a = [n.a] %}{% endfor %}";
    QTest::newRow("lists twice") << deep + "{% set n.a = [n.a, n.a] %}{% endfor %}";
    QTest::newRow("lists written") << QString(
        "{% set n = namespace(a=[]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a "
        "}}");
    QTest::newRow("lists compared") << QString(
        "{% set n = namespace(a=[], b=[]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% set n.b = "
        "[n.b, n.b] %}{% endfor %}{{ n.a == n.b }}");
    QTest::newRow("nested namespaces") << deep + "{% set n.a = namespace(a=n.a) %}{% endfor %}" +
                                              many("{{ n }}") + many("{{ 1 + 1 + 1 + 1 + 1 + 1 + 1 }}") +
                                              many("{{ 1 + 1 + 1 + 1 + 1 + 1 + 1 }}");
    QTest::newRow("macro without end") << QString("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}");
    QTest::newRow("macros that double")
        << QString("{% macro m(a) %}{{ m(a + 1) }}{{ m(a + 1) }}{% endmacro %}{{ m(0) }}");
    QTest::newRow("brackets") << "{{ " + many("(") + "1" + many(")") + " }}";
    QTest::newRow("lists in the source") << "{{ " + many("[") + many("]") + " }}";
    QTest::newRow("signs") << "{{ " + many("-") + "1 }}";
    QTest::newRow("not") << "{{ " + many("not ") + "1 }}";
    QTest::newRow("sum") << "{{ 1" + many(" + 1") + " }}";
    QTest::newRow("attributes") << "{{ a" + many(".b") + " }}";
    QTest::newRow("filters") << "{{ 'a'" + many("|upper") + " }}";
    QTest::newRow("calls") << "{{ a" + many("()") + " }}";
    QTest::newRow("else") << "{{ 1" + many(" if 1 else 1") + " }}";
    QTest::newRow("blocks") << many("{% if 1 %}") + many("{% endif %}");
    QTest::newRow("size") << QString((1 << 20) + 1, 'x');
    QTest::newRow("time") << "{{ strftime_now('" + QString("%c").repeated(1000) + "') }}";
  }

  void hostileTemplates() {
    QFETCH(QString, source);
    const auto made = rendered(source.toStdString());
    QVERIFY(!made.has_value());
    const std::string& kind = made.error().kind;
    QVERIFY2(kind == "chat.limit" || kind == "chat.syntax" || kind == "chat.failed",
             made.error().text().c_str());
    QVERIFY(made.error().message.size() < 300);
  }

  void valuesThatHoldEachOtherAreFreed() {
    // Namespaces may be in a ring: AddressSanitizer finds them if they stay.
    QCOMPARE(
        rendered(
            "{% set a = namespace() %}{% set b = namespace(a=a) %}{% set a.b = b %}{{ a.b.a.b is defined }}")
            .value(),
        std::string("True"));
  }

  void everyPrefixOfATemplateEnds() {
    // A template cut anywhere is an error or a text, never a crash.
    std::ifstream stream(MOESCOPE_TEST_DATA "/chat/o200k_gptoss/tokenizer_config.json");
    const auto source = json::parse(stream)["chat_template"].get<std::string>();
    for (std::size_t size = 0; size < source.size(); ++size) {
      const auto made = rendered(source.substr(0, size));
      QVERIFY(made.has_value() || !made.error().kind.empty());
    }
  }
};

QTEST_APPLESS_MAIN(TestChatTemplate)
#include "tst_chat_template.moc"
