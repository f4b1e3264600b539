// Docks behind each other have no title bar; alone or floating they have theirs again.
#include <QDockWidget>
#include <QMainWindow>
#include <QMenu>
#include <QTabBar>
#include <QToolButton>

#include <algorithm>

#include "app/window/dock_tabs.h"
#include "tests/support/gui_test.h"

namespace moescope::app {

class TestDockTabs : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    m_window = std::make_unique<QMainWindow>();
    m_window->setDockOptions(QMainWindow::AllowNestedDocks | QMainWindow::AllowTabbedDocks);
    m_window->setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
    m_window->resize(900, 600);
    m_tabs = new DockTabs(m_window.get());
    for (const char* name : {"Map", "Phases", "Runs"}) {
      auto* dock = new QDockWidget(QString::fromLatin1(name), m_window.get());
      dock->setObjectName(QString::fromLatin1(name));
      auto* content = new QWidget;
      content->setMinimumSize(60, 60);
      dock->setWidget(content);
      auto* title = new QWidget(dock);
      title->setFixedHeight(28);
      title->setObjectName(QStringLiteral("title"));
      dock->setTitleBarWidget(title);
      m_tabs->watch(dock);
      m_window->addDockWidget(Qt::LeftDockWidgetArea, dock);
      m_docks << dock;
    }
    m_window->show();
    QCoreApplication::processEvents();
  }

  void cleanup() {
    m_docks.clear();
    m_window.reset();
  }

  void aloneEachHasItsTitle() {
    for (const auto* dock : m_docks) QVERIFY(hasTitle(*dock));
  }

  void behindEachOtherNoneHas() {
    m_window->tabifyDockWidget(m_docks[0], m_docks[1]);
    QTRY_VERIFY(!hasTitle(*m_docks[0]));
    QVERIFY(!hasTitle(*m_docks[1]));
    QVERIFY(hasTitle(*m_docks[2]));
    QCOMPARE(m_docks[0]->titleBarWidget()->height(), 0);
  }

  void theButtonFloatsTheCurrentOne() {
    m_window->tabifyDockWidget(m_docks[0], m_docks[1]);
    QTRY_VERIFY(button() != nullptr && button()->isVisible());
    auto* bar = qobject_cast<QTabBar*>(button()->parentWidget());
    QVERIFY(bar->width() - button()->geometry().right() < 8);
    m_docks[1]->raise();
    QTRY_COMPARE(bar->tabText(bar->currentIndex()), QStringLiteral("Phases"));
    button()->click();
    QVERIFY(m_docks[1]->isFloating());
    QTRY_VERIFY(hasTitle(*m_docks[1]));
    QTRY_VERIFY(hasTitle(*m_docks[0]));  // it stands alone now
    m_docks[1]->setFloating(false);
    QTRY_VERIFY(!hasTitle(*m_docks[0]) && !hasTitle(*m_docks[1]));
  }

  /// Qt leaves the bar of a group that is no more where it was, sometimes visible.
  void aBarThatIsNotInUseCoversNothing() {
    m_window->tabifyDockWidget(m_docks[0], m_docks[1]);
    QTRY_VERIFY(button() != nullptr && button()->isVisible());
    auto* bar = qobject_cast<QTabBar*>(button()->parentWidget());
    m_window->splitDockWidget(m_docks[2], m_docks[1], Qt::Vertical);
    QTRY_VERIFY(hasTitle(*m_docks[0]) && hasTitle(*m_docks[1]));
    QVERIFY(bar->count() < 2);
    bar->setGeometry(40, 40, 50, 27);
    bar->show();
    QTRY_VERIFY(!m_window->rect().intersects(bar->geometry()));
    m_window->tabifyDockWidget(m_docks[0], m_docks[1]);
    QTRY_VERIFY(!hasTitle(*m_docks[0]));
    const auto bars = m_window->findChildren<QTabBar*>(QString(), Qt::FindDirectChildrenOnly);
    QTRY_VERIFY(std::ranges::any_of(bars, [this](const QTabBar* each) {
      return each->count() == 2 && each->isVisible() && m_window->rect().contains(each->geometry());
    }));
  }

  void aClosedOneLeavesTheOtherItsTitle() {
    m_window->tabifyDockWidget(m_docks[0], m_docks[1]);
    QTRY_VERIFY(!hasTitle(*m_docks[0]));
    m_docks[1]->close();
    QTRY_VERIFY(hasTitle(*m_docks[0]));
    m_docks[1]->show();
    QTRY_VERIFY(!hasTitle(*m_docks[0]));
  }

  void theMenuOfATab() {
    m_window->tabifyDockWidget(m_docks[0], m_docks[1]);
    QTRY_VERIFY(button() != nullptr);
    auto* bar = qobject_cast<QTabBar*>(button()->parentWidget());
    Q_EMIT bar->customContextMenuRequested(bar->tabRect(0).center());
    auto* menu = bar->findChild<QMenu*>();
    QVERIFY(menu != nullptr);
    QCOMPARE(menu->actions()[0]->text(), QStringLiteral("Float Map"));
    menu->actions()[0]->trigger();
    QVERIFY(m_docks[0]->isFloating());
    menu->close();
  }

  /// A layout that is restored shows the same.
  void restoredLayouts() {
    m_window->tabifyDockWidget(m_docks[0], m_docks[1]);
    QTRY_VERIFY(!hasTitle(*m_docks[0]));
    const QByteArray tabbed = m_window->saveState();
    m_window->addDockWidget(Qt::RightDockWidgetArea, m_docks[1]);
    QTRY_VERIFY(hasTitle(*m_docks[0]) && hasTitle(*m_docks[1]));
    QVERIFY(m_window->restoreState(tabbed));
    QTRY_VERIFY(!hasTitle(*m_docks[0]) && !hasTitle(*m_docks[1]));
  }

 private:
  static bool hasTitle(const QDockWidget& dock) {
    return dock.titleBarWidget()->objectName() == QLatin1String("title");
  }
  [[nodiscard]] QToolButton* button() const {
    for (auto* bar : m_window->findChildren<QTabBar*>()) {
      auto* found = bar->findChild<QToolButton*>(QStringLiteral("float"));
      if (found != nullptr && bar->count() > 1) return found;
    }
    return nullptr;
  }

  std::unique_ptr<QMainWindow> m_window;
  DockTabs* m_tabs = nullptr;
  QList<QDockWidget*> m_docks;
};

}  // namespace moescope::app

int main(int argc, char** argv) {
  return moescope::views::runGuiTest<moescope::app::TestDockTabs>(argc, argv);
}
#include "tst_dock_tabs.moc"
