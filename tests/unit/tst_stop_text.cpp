// Stop strings across the borders of the pieces that text comes in.
#include <QTest>

#include "core/engine/generation/stop_text.h"

using moescope::engine::StopText;

class TestStopText : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void textPassesWithoutStopStrings() {
    StopText text({});
    QCOMPARE(text.push("abc"), std::string("abc"));
    QCOMPARE(text.push(""), std::string());
    QCOMPARE(text.text(), std::string("abc"));
    QVERIFY(!text.found());
  }

  void findsAcrossPieces_data() {
    QTest::addColumn<QStringList>("pieces");
    QTest::addColumn<QStringList>("stops");
    QTest::addColumn<QStringList>("shown");
    QTest::addColumn<bool>("found");
    QTest::newRow("inside one") << QStringList{"say END now"} << QStringList{"END"} << QStringList{"say "}
                                << true;
    QTest::newRow("over three") << QStringList{"say E", "N", "D now"} << QStringList{"END"}
                                << QStringList{"say ", "", ""} << true;
    QTest::newRow("false start") << QStringList{"say E", "NE", "N", "D!"} << QStringList{"END"}
                                 << QStringList{"say ", "EN", "", ""} << true;
    QTest::newRow("never") << QStringList{"EN", "EN", "d"} << QStringList{"END"}
                           << QStringList{"", "EN", "ENd"} << false;
    QTest::newRow("first of two") << QStringList{"a\n", "\nb###"} << QStringList{"###", "\n\n"}
                                  << QStringList{"a", ""} << true;
    QTest::newRow("own prefix") << QStringList{"aab", "aabaac"} << QStringList{"aabaac"}
                                << QStringList{"", "aab"} << true;
    QTest::newRow("empty stop") << QStringList{"abc"} << QStringList{""} << QStringList{"abc"} << false;
    QTest::newRow("not ASCII") << QStringList{"né", "à"} << QStringList{"éà"} << QStringList{"n", ""} << true;
  }

  void findsAcrossPieces() {
    QFETCH(QStringList, pieces);
    QFETCH(QStringList, stops);
    QFETCH(QStringList, shown);
    QFETCH(bool, found);
    std::vector<std::string> stopStrings;
    for (const auto& stop : stops) stopStrings.push_back(stop.toStdString());
    StopText text(stopStrings);
    std::string all;
    for (qsizetype i = 0; i < pieces.size(); ++i) {
      const auto piece = text.push(pieces[i].toStdString());
      QCOMPARE(QString::fromStdString(piece), shown[i]);
      all += piece;
    }
    QCOMPARE(text.found(), found);
    all += text.flush();
    QCOMPARE(text.text(), all);
  }

  void aFlushedBeginningIsStillFound() {
    StopText text({"END"});
    QCOMPARE(text.push("xE"), std::string("x"));
    QCOMPARE(text.flush(), std::string("E"));
    QCOMPARE(text.push("ND"), std::string());
    QVERIFY(text.found());
    QCOMPARE(text.text(), std::string("x"));
    QCOMPARE(text.push("more"), std::string());
  }
};

QTEST_APPLESS_MAIN(TestStopText)
#include "tst_stop_text.moc"
