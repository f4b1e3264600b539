// The window as it comes up: what lies in front, what is not made yet, and what is remembered.
#include <QDropEvent>
#include <QMimeData>
#include <QSignalSpy>
#include <QTabBar>

#include "app/window/main_window.h"
#include "app/window/plugin_dock.h"
#include "app/window/workspace.h"
#include "plugins/built_in_plugins.h"
#include "tests/support/canvas_rest.h"
#include "tests/support/gui_test.h"

namespace moescope::app {

namespace {

struct Started {
  plugin::PluginHost host;
  Workspace workspace;
  std::unique_ptr<MainWindow> window;

  Started() {
    host.load(plugin::builtInPlugins());
    window = std::make_unique<MainWindow>(workspace, host);
    window->restoreLayout();
  }
  void show() {
    window->show();
    if (!QTest::qWaitForWindowExposed(window.get())) qFatal("no window");
    QTest::qWait(views::kSettleMs);  // a panel that is made though nobody sees it is there by then
  }
  /// The bar that has the tab; null if there is none.
  [[nodiscard]] QTabBar* barOf(const char* tab) const {
    for (auto* bar : window->findChildren<QTabBar*>(QString(), Qt::FindDirectChildrenOnly)) {
      for (int i = 0; i < bar->count(); ++i)
        if (bar->tabText(i) == QLatin1String(tab)) return bar;
    }
    return nullptr;
  }
  [[nodiscard]] QString frontOf(const char* tab) const {
    const QTabBar* bar = barOf(tab);
    return bar == nullptr ? QString() : bar->tabText(bar->currentIndex());
  }
  [[nodiscard]] int madePanels() const {
    int made = 0;
    for (const auto* dock : window->findChildren<PluginDock*>())
      made += dock->widget()->metaObject() == &QWidget::staticMetaObject ? 0 : 1;
    return made;
  }
};

}  // namespace

class TestMainWindow : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() { QSettings().clear(); }

  void theRoutingMapIsInFrontAtTheFirstStart() {
    Started app;
    app.show();
    QVERIFY(app.window->findChildren<PluginDock*>().size() >= 3);
    QCOMPARE(app.frontOf("Specialization"), QStringLiteral("Routing map"));
    QCOMPARE(app.madePanels(), 0);
  }

  void aPanelIsMadeWhenItIsSeen() {
    Started app;
    app.show();
    for (auto* dock : app.window->findChildren<PluginDock*>())
      if (dock->windowTitle() == QLatin1String("Specialization")) dock->raise();
    QTRY_COMPARE(app.madePanels(), 1);
    QCOMPARE(app.frontOf("Routing map"), QStringLiteral("Specialization"));
  }

  void aGgufFileIsOpenedWhenItIsDropped() {
    Started app;
    app.show();
    QSignalSpy failures(&app.workspace, &Workspace::failed);
    const QString file = QStringLiteral(MOESCOPE_TEST_DATA "/gguf_tokenizers/llama_model.gguf");
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(file)});
    QDragEnterEvent enter(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(app.window.get(), &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent drop(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(app.window.get(), &drop);
    QCOMPARE(app.workspace.modelFolder(), file);
    QVERIFY(app.workspace.recent().contains(file));
    QCOMPARE(failures.count(), 0);
    data.setUrls({QUrl::fromLocalFile(QStringLiteral(MOESCOPE_TEST_DATA "/sentencepiece/bpe.model"))});
    QDragEnterEvent again(QPoint(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(app.window.get(), &again);
    QDropEvent other(QPointF(50, 50), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(app.window.get(), &other);
    QCOMPARE(failures.count(), 1);
  }

  void theRightColumnLiesBehindInANarrowWindow() {
    Started app;
    app.show();
    app.window->resize(1100, 750);
    QTRY_COMPARE(app.frontOf("Steering"), QStringLiteral("Model"));
    QCOMPARE(app.frontOf("Expert load"), QStringLiteral("Runs"));
    QCOMPARE(app.frontOf("Specialization"), QStringLiteral("Routing map"));
  }

  void whatWasInFrontIsRemembered() {
    {
      Started app;
      app.show();
      for (auto* dock : app.window->findChildren<PluginDock*>())
        if (dock->windowTitle() == QLatin1String("Co-activation")) dock->raise();
      QTRY_COMPARE(app.frontOf("Routing map"), QStringLiteral("Co-activation"));
      app.window->close();
    }
    Started app;
    app.show();
    QTRY_COMPARE(app.madePanels(), 1);
    QCOMPARE(app.frontOf("Routing map"), QStringLiteral("Co-activation"));
  }
};

}  // namespace moescope::app

int main(int argc, char** argv) {
  return moescope::views::runGuiTest<moescope::app::TestMainWindow>(argc, argv);
}
#include "tst_main_window.moc"
