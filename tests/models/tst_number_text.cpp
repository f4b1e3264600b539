// Numbers as the window writes them: thin spaces, a true minus, units.
#include <QtTest>

#include "views/api/number_text.h"

namespace moescope::views {

class TestNumberText : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void numbersAreWrittenAsTheyShould() {
    QCOMPARE(countText(744), QStringLiteral("744"));
    QCOMPARE(countText(9999), QStringLiteral("9999"));
    QCOMPARE(countText(45056), QStringLiteral("45\u2009056"));
    QCOMPARE(countText(1234567), QStringLiteral("1\u2009234\u2009567"));
    QCOMPARE(countText(-45056), QStringLiteral("\u221245\u2009056"));
    QCOMPARE(bytesText(744), QStringLiteral("744\u2009B"));
    QCOMPARE(bytesText(14603068211), QStringLiteral("13.6\u2009GiB"));
    QCOMPARE(parametersText(5663232), QStringLiteral("5.66\u2009M"));
  }
};

}  // namespace moescope::views

QTEST_APPLESS_MAIN(moescope::views::TestNumberText)
#include "tst_number_text.moc"
