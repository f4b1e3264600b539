// Panels of plug-ins in the window: the sample view of the tutorial from its shared object, and panels that
// throw. MOESCOPE_SAMPLE_PLUGINS names another folder to take the sample view from.
#include <QPointer>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTimer>

#include <stdexcept>

#include "app/window/guarded_application.h"
#include "app/window/plugin_dock.h"
#include "app/window/plugins_dialog.h"
#include "core/engine/generation/live_session.h"
#include "tests/support/gui_test.h"
#include "tests/unit/trace_fixture.h"
#include "views/api/canvas_widget.h"
#include "views/api/panel_widgets.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/api/view_factory.h"

#include <QMainWindow>
#include <QTableWidget>

using namespace moescope;
using namespace moescope::app;
namespace fixture = moescope::trace::fixture;

namespace {

enum class Fault : std::uint8_t { InCreate, InEvent, NoPanel };

class FaultyPanel : public QWidget {
 protected:
  void mousePressEvent(QMouseEvent*) override { throw std::runtime_error("thrown by a click"); }
};

class FaultyView : public views::ViewFactory {
 public:
  explicit FaultyView(Fault fault) : m_fault(fault) {}
  [[nodiscard]] const plugin::ViewInfo& info() const override { return m_info; }
  std::unique_ptr<QWidget> create(views::ViewContext&) override {
    if (m_fault == Fault::InCreate) throw std::runtime_error("thrown while made");
    return m_fault == Fault::NoPanel ? nullptr : std::make_unique<FaultyPanel>();
  }

 private:
  Fault m_fault;
  plugin::ViewInfo m_info{"faulty", "Faulty", "Throws"};
};

template <Fault fault>
void faulty(plugin::PluginRegistry& registry) {
  registry.add(std::make_unique<FaultyView>(fault));
}

constexpr std::string_view kMetadata =
    R"({"id":"faulty","name":"Faulty","version":"1","api":1,"interfaces":["view"],"description":"Throws"})";

class PaintCount : public QObject {
 public:
  int count = 0;

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    count += event->type() == QEvent::Paint;
    return QObject::eventFilter(watched, event);
  }
};

QString textOf(const QWidget& widget) {
  QStringList texts;
  for (const QLabel* label : widget.findChildren<QLabel*>()) texts << label->text();
  return texts.join(QLatin1Char('\n'));
}

}  // namespace

class TestPluginDock : public QObject {
  Q_OBJECT

  std::unique_ptr<views::ViewContext> m_context;

 private Q_SLOTS:
  void init() { m_context = std::make_unique<views::ViewContext>(std::make_shared<engine::LiveSession>()); }

  void theSampleViewShowsARun() {
    const QTemporaryDir folder;
    const auto path = std::filesystem::path(folder.filePath(QStringLiteral("t.moescope")).toStdString());
    fixture::writeTrace(path, fixture::synthesize(1, {50, 60}), trace::CaptureLevel::Ids);
    plugin::PluginHost host;
    const QByteArray other = qgetenv("MOESCOPE_SAMPLE_PLUGINS");
    host.load(plugin::PluginFolder{other.isEmpty() ? MOESCOPE_SAMPLE_PLUGINS : other.toStdString(), true});
    for (const auto& failure : host.failures()) qWarning("%s", failure.reason.text().c_str());
    QVERIFY(host.failures().empty());
    const auto views = host.views();
    QCOMPARE(views.size(), std::size_t{1});
    QCOMPARE(views[0].info.label, std::string("Busiest experts"));

    m_context->setStore(*trace::TraceStore::open(path, trace::OpenMode::ReadOnly));
    QMainWindow window;
    auto* dock = new PluginDock(views[0], *m_context, &window);
    window.addDockWidget(Qt::LeftDockWidgetArea, dock);
    dock->hide();
    window.show();
    QVERIFY(dock->findChild<views::CanvasWidget*>() == nullptr);  // made when it is first seen
    dock->show();
    QTRY_VERIFY(dock->findChild<views::CanvasWidget*>() != nullptr);
    auto* canvas = dock->findChild<views::CanvasWidget*>();
    const long before = canvas->frameCount();
    m_context->selection().setRun(1);
    QTRY_VERIFY(canvas->frameCount() > before || canvas->isVisible());
    PluginsDialog list(host);
    const auto* table = list.findChild<QTableWidget*>(QStringLiteral("loaded"));
    QCOMPARE(table->item(0, 0)->text(), QStringLiteral("Sample view"));
    QCOMPARE(table->item(0, 2)->text(), QStringLiteral("analysis, view"));
    QCOMPARE(table->item(0, 3)->text(), QStringLiteral("on"));
    QVERIFY(list.findChild<QTableWidget*>(QStringLiteral("failures")) == nullptr);
  }

  /// A panel costs nothing before it is seen, also where its dock lies behind another.
  void behindAnotherNothingIsMade() {
    const plugin::BuiltInPlugin list[] = {{kMetadata, faulty<Fault::InEvent>}};
    plugin::PluginHost host;
    host.load(list);
    QMainWindow window;
    auto* front = new QDockWidget(QStringLiteral("Front"), &window);
    front->setWidget(new QWidget);
    PaintCount painted;
    front->widget()->installEventFilter(&painted);
    auto* dock = new PluginDock(host.views().at(0), *m_context, &window);
    const auto made = [&] { return dynamic_cast<FaultyPanel*>(dock->widget()) != nullptr; };
    window.addDockWidget(Qt::LeftDockWidgetArea, front);
    window.tabifyDockWidget(front, dock);
    window.resize(600, 400);
    window.show();
    front->raise();
    // The window has been painted, and what that asked for has been done.
    QTRY_VERIFY(painted.count > 0);
    bool idle = false;
    QTimer::singleShot(0, this, [&idle] { idle = true; });
    QTRY_VERIFY(idle);
    QVERIFY(!made());
    dock->raise();
    QTRY_VERIFY(made());
    front->raise();
    dock->raise();
    QVERIFY(made());
  }

  void panelsThatThrow_data() {
    QTest::addColumn<int>("fault");
    QTest::addColumn<QString>("text");
    QTest::newRow("while made") << int(Fault::InCreate) << QStringLiteral("thrown while made");
    QTest::newRow("in an event") << int(Fault::InEvent) << QStringLiteral("thrown by a click");
    QTest::newRow("no panel") << int(Fault::NoPanel) << QStringLiteral("made no panel");
  }
  void panelsThatThrow() {
    QFETCH(int, fault);
    QFETCH(QString, text);
    constexpr plugin::PluginEntry entries[] = {faulty<Fault::InCreate>, faulty<Fault::InEvent>,
                                               faulty<Fault::NoPanel>};
    const plugin::BuiltInPlugin list[] = {{kMetadata, entries[fault]}};
    plugin::PluginHost host;
    host.load(list);
    QMainWindow window;
    auto* dock = new PluginDock(host.views().at(0), *m_context, &window);
    window.addDockWidget(Qt::LeftDockWidgetArea, dock);
    window.show();
    if (fault == int(Fault::InEvent)) {
      QTRY_VERIFY(dynamic_cast<FaultyPanel*>(dock->widget()) != nullptr);
      QTest::mouseClick(dock->widget(), Qt::LeftButton);
    }
    QTRY_VERIFY2(textOf(*dock->widget()).contains(text), qPrintable(textOf(*dock->widget())));
    QVERIFY(textOf(*dock->widget()).contains(QStringLiteral("Faulty was stopped")));
    if (fault == int(Fault::NoPanel)) return;
    QCOMPARE(host.failures().size(), std::size_t{1});
    PluginsDialog dialog(host);
    QCOMPARE(dialog.findChild<QTableWidget*>(QStringLiteral("loaded"))->item(0, 3)->text(),
             QStringLiteral("off until restart"));
    QVERIFY(dialog.findChild<QTableWidget*>(QStringLiteral("failures"))->item(0, 1)->text().contains(text));
  }
};

int main(int argc, char** argv) {
  const QTemporaryDir settings;
  QSettings::setDefaultFormat(QSettings::IniFormat);
  QSettings::setPath(QSettings::IniFormat, QSettings::UserScope, settings.path());
  GuardedApplication application(argc, argv);
  views::installTheme(application, QStringLiteral(MOESCOPE_RESOURCES));
  TestPluginDock test;
  return QTest::qExec(&test, argc, argv);
}
#include "tst_plugin_dock.moc"
