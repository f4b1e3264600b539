// The dialog that runs any analysis: form, progress and Cancel, tables, exports, and errors beside what
// failed.
#include <QClipboard>
#include <QComboBox>
#include <QLineEdit>
#include <QPushButton>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>

#include "core/engine/generation/live_session.h"
#include "tests/support/gui_test.h"
#include "tests/unit/trace_fixture.h"
#include "views/api/panel_widgets.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/analysis/analysis_dialog.h"
#include "views/panels/analysis/result_view.h"

using namespace moescope;
using namespace moescope::views;
namespace fixture = moescope::trace::fixture;

class TestAnalysisDialog : public QObject {
  Q_OBJECT

  QTemporaryDir m_folder;
  std::unique_ptr<plugin::PluginHost> m_host;
  std::unique_ptr<ViewContext> m_context;
  std::unique_ptr<AnalysisDialog> m_dialog;

  template <class T>
  [[nodiscard]] T* part(const char* name) const {
    return m_dialog->findChild<T*>(QString::fromLatin1(name));
  }
  void choose(const char* analysis) const {
    auto* box = part<QComboBox>("analysis");
    box->setCurrentIndex(box->findData(QString::fromLatin1(analysis)));
  }
  void run() const { part<QPushButton>("run_analysis")->click(); }
  [[nodiscard]] QString errorText() const {
    const auto* bar = part<ErrorBar>("error");
    return bar->isHidden() ? QString() : bar->findChild<QLabel*>()->text();
  }

 private Q_SLOTS:
  void initTestCase() {
    fixture::writeTrace(m_folder.filePath(QStringLiteral("t.moescope")).toStdString(),
                        fixture::synthesize(1, {50, 60}), trace::CaptureLevel::Ids);
  }
  void init() {
    m_host = std::make_unique<plugin::PluginHost>();
    m_host->load(plugin::PluginFolder{MOESCOPE_TEST_PLUGINS, true});
    m_context = std::make_unique<ViewContext>(std::make_shared<engine::LiveSession>());
    m_context->setStore(*trace::TraceStore::open(
        m_folder.filePath(QStringLiteral("t.moescope")).toStdString(), trace::OpenMode::ReadOnly));
    m_context->selection().setRun(1);
    m_dialog = std::make_unique<AnalysisDialog>(*m_context, *m_host);
    m_dialog->show();
  }
  void cleanup() { m_dialog.reset(); }

  void showsTablesAndExportsThem() {
    choose("test-cells");
    part<QLineEdit>("parameter_text")->setText(QStringLiteral("typed"));
    run();
    QTRY_VERIFY(m_dialog->result() != nullptr && !m_dialog->running());
    QCOMPARE(m_dialog->result()->parameters.at("text"), std::string("typed"));
    auto* view = m_dialog->findChild<ResultView*>();
    QCOMPARE(view->tabs()->count(), 2);
    const auto* table = qobject_cast<QTableView*>(view->tabs()->widget(0))->model();
    QCOMPARE(table->index(0, 1).data().toString(), QStringLiteral("typed"));
    QCOMPARE(table->index(0, 2).data().toString(), QStringLiteral("0.25"));
    QCOMPARE(table->index(1, 0).data().toString(), QStringLiteral("−1"));
    QCOMPARE(table->index(1, 2).data().toString(), QStringLiteral("–"));
    QCOMPARE(table->headerData(2, Qt::Horizontal).toString(), QStringLiteral("value, nat"));
    const auto* matrix = qobject_cast<QTableView*>(view->tabs()->widget(1))->model();
    QCOMPARE(matrix->headerData(0, Qt::Vertical).toString(), QStringLiteral("a,b"));
    QCOMPARE(matrix->index(0, 1).data().toString(), QStringLiteral("−1e−07"));
    QCOMPARE(matrix->index(1, 1).data(Qt::ToolTipRole).toString(), QStringLiteral("3\n95 %: 2 to 4"));
    QVERIFY(part<QLabel>("notes")->text().contains(QStringLiteral("second note")));
    // The table that is shown.
    QVERIFY(view->exported("csv")->starts_with("run,text,value\r\n1,typed,0.25\r\n"));
    // Whole titles, however many tables there are.
    auto* titles = view->findChild<QComboBox*>(QStringLiteral("table"));
    QVERIFY(titles->isVisibleTo(view));
    QCOMPARE(titles->count(), 2);
    QCOMPARE(titles->itemText(1), view->tabs()->tabText(1));
    titles->setCurrentIndex(1);
    Q_EMIT titles->activated(1);
    QCOMPARE(view->tabs()->currentIndex(), 1);
    QVERIFY(view->exported("csv")->starts_with("row,column,value,low,high\r\n\"a,b\",0,0.5,0.25,0.75\r\n"));
    QCOMPARE(nlohmann::json::parse(*view->exported("json")).at("analysis"), "test-cells");
    QCOMPARE(view->exported("test-export").error().kind, std::string("export.plugin_failed"));
    QVERIFY(part<QPushButton>("export_csv")->isEnabled());
    QVERIFY(part<QPushButton>("export_test-export") != nullptr);
  }

  void allDigitsAreThereForWhoWantsThem() {
    auto result = std::make_shared<analysis::AnalysisResult>();
    result->tables.push_back({"t",
                              "T",
                              {{"run", ""}, {"text", ""}, {"value", ""}},
                              {{std::int64_t{-1}, std::string("a\tb"), 0.1 + 0.2},
                               {std::int64_t{7}, std::monostate{}, 1234567.125}}});
    ResultView view(*m_host);
    view.setResult(result, false);
    auto* cells = qobject_cast<QTableView*>(view.tabs()->widget(0));
    const auto* table = cells->model();
    QCOMPARE(table->index(0, 2).data().toString(), QStringLiteral("0.3"));
    QCOMPARE(table->index(0, 2).data(Qt::ToolTipRole).toString(), QStringLiteral("0.30000000000000004"));
    QCOMPARE(table->index(1, 2).data().toString(), QStringLiteral("1.23457e+06"));
    view.show();
    view.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&view));
    cells->setFocus();
    cells->selectAll();
    QTest::keySequence(cells, QKeySequence::Copy);
    QCOMPARE(QGuiApplication::clipboard()->text(),
             QStringLiteral("-1\ta b\t0.30000000000000004\n7\t\t1234567.125"));
    QVERIFY(view.exported("csv")->find("0.30000000000000004") != std::string::npos);
  }

  void cancels() {
    choose("test-waits");
    run();
    QVERIFY(m_dialog->running());
    QVERIFY(!part<QPushButton>("run_analysis")->isEnabled());
    const auto waits = [this] {
      const auto labels = m_dialog->findChildren<QLabel*>();
      return std::ranges::any_of(
          labels, [](const QLabel* label) { return label->text().startsWith(QLatin1String("Waiting")); });
    };
    QTRY_VERIFY(waits());
    part<QPushButton>("cancel_analysis")->click();
    QVERIFY(!m_dialog->running());
    QVERIFY(m_dialog->result() == nullptr);
    // The next one does not wait for it.
    choose("test-cells");
    run();
    QTRY_VERIFY(m_dialog->result() != nullptr);
  }

  void closingStopsWhatRuns() {
    choose("test-waits");
    run();
    m_dialog.reset();
  }

  void saysWhatFailed() {
    choose("test-full");
    run();
    QTRY_VERIFY(errorText().contains(QStringLiteral("needs capture full")));
    QVERIFY(m_dialog->result() == nullptr);
    choose("test-throws");
    run();
    QTRY_VERIFY(errorText().contains(QStringLiteral("thrown on purpose")));
    QVERIFY(part<QPushButton>("run_analysis")->isEnabled());
  }

  void withoutATrace() {
    m_context->setStore(nullptr);
    QVERIFY(!part<QPushButton>("run_analysis")->isEnabled());
  }
};

MOESCOPE_GUI_TEST_MAIN(TestAnalysisDialog)
#include "tst_analysis_dialog.moc"
