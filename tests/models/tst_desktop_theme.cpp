// The window follows the desktop's light and dark while it runs, unless the user chose one.
#include <QEvent>
#include <QWidget>

#include "tests/support/gui_test.h"

namespace moescope::views {

class TestDesktopTheme : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    m_dark = false;
    m_asked = 0;
    setDesktopProbe([this] {
      ++m_asked;
      return m_dark;
    });
    chooseTheme(ThemeChoice::System);
  }

  void theSystemChoiceFollows() {
    QWidget window;
    window.show();
    tell(window);
    QTRY_VERIFY(!Theme::current().dark());
    const QColor light = window.palette().color(QPalette::Window);
    m_dark = true;
    tell(window);
    QTRY_VERIFY(Theme::current().dark());
    QVERIFY(window.palette().color(QPalette::Window) != light);
    QCOMPARE(window.palette().color(QPalette::Window), Theme::current().colour(ColourRole::Window));
    m_dark = false;
    tell(window);
    QTRY_VERIFY(!Theme::current().dark());
    QCOMPARE(window.palette().color(QPalette::Window), light);
  }

  void aChosenThemeStays() {
    QWidget window;
    window.show();
    chooseTheme(ThemeChoice::Light);
    m_dark = true;
    const int before = m_asked;
    tell(window);
    QTRY_COMPARE(m_asked, before + 1);
    QVERIFY(!Theme::current().dark());
    chooseTheme(ThemeChoice::System);  // what the desktop said meanwhile counts
    QVERIFY(Theme::current().dark());
  }

  void manyWindowsAskOnce() {
    QWidget first, second, third;
    for (QWidget* window : {&first, &second, &third}) window->show();
    QCoreApplication::processEvents();
    const int before = m_asked;
    for (QWidget* window : {&first, &second, &third}) tell(*window);
    QTRY_COMPARE(m_asked, before + 1);
    QCoreApplication::processEvents();  // what the other two windows had queued would be asked by now
    QCOMPARE(m_asked, before + 1);
  }

 private:
  /// As Qt does when the desktop changes.
  static void tell(QWidget& window) {
    QEvent change(QEvent::ThemeChange);
    QCoreApplication::sendEvent(&window, &change);
  }

  bool m_dark = false;
  int m_asked = 0;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestDesktopTheme)
#include "tst_desktop_theme.moc"
