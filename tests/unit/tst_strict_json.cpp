// What strict JSON refuses, and where it says the fault is.
#include <QTest>

#include "core/base/strict_json.h"

using namespace moescope;

class TestStrictJson : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void readsADocument() {
    const auto document = parseStrictJson(R"({"a":[1,2.5,{"b":null}],"c":"x"})");
    QVERIFY(document.has_value());
    QCOMPARE((*document)["a"][1].get<double>(), 2.5);
    QVERIFY((*document)["a"][2]["b"].is_null());
  }

  void refusals_data() {
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("fault");
    QTest::newRow("duplicate key") << QByteArray(R"({"a":1,"a":2})") << int(JsonFault::DuplicateKey);
    QTest::newRow("duplicate, nested")
        << QByteArray(R"([{"k":{"a":1,"b":2,"a":3}}])") << int(JsonFault::DuplicateKey);
    QTest::newRow("deep") << QByteArray(100000, '[') << int(JsonFault::TooDeep);
    QTest::newRow("cut") << QByteArray(R"({"a":)") << int(JsonFault::Syntax);
    QTest::newRow("empty") << QByteArray() << int(JsonFault::Syntax);
    QTest::newRow("two documents") << QByteArray("{} {}") << int(JsonFault::Syntax);
    QTest::newRow("overlong") << QByteArray("\"\xC0\xAF\"") << int(JsonFault::NotUtf8);
    QTest::newRow("surrogate") << QByteArray("\"\xED\xA0\x80\"") << int(JsonFault::NotUtf8);
    QTest::newRow("cut character") << QByteArray("\"\xE2\x82\"") << int(JsonFault::NotUtf8);
  }
  void refusals() {
    QFETCH(QByteArray, text);
    QFETCH(int, fault);
    const auto document = parseStrictJson({text.constData(), static_cast<std::size_t>(text.size())});
    QVERIFY(!document.has_value());
    QCOMPARE(int(document.error().fault), fault);
  }

  void refusesTooLarge() {
    const auto document = parseStrictJson("[1,2,3]", {.maxDepth = 4, .maxBytes = 3});
    QVERIFY(!document.has_value());
    QCOMPARE(int(document.error().fault), int(JsonFault::TooLarge));
  }
};

QTEST_APPLESS_MAIN(TestStrictJson)
#include "tst_strict_json.moc"
