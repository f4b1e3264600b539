// The expert load panel as a widget: layers, windows, table and course are linked with the selection, and
// nothing is computed on the GUI thread.
#include <QComboBox>
#include <QItemSelectionModel>
#include <QStackedWidget>
#include <QTableView>

#include "core/engine/generation/live_session.h"
#include "tests/support/gui_test.h"
#include "tests/unit/trace_fixture.h"
#include "views/api/canvas_widget.h"
#include "views/api/panel_widgets.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/models/load_metrics_model.h"
#include "views/panels/expert_load/expert_load_panel.h"

#include <QAbstractItemModelTester>

namespace moescope::views {

namespace {

namespace fixture = trace::fixture;

std::shared_ptr<engine::LiveSession> sessionWithoutEngine() {
  return std::make_shared<engine::LiveSession>([]() -> Result<std::shared_ptr<engine::Engine>> {
    return fail("engine.unsupported", "", "", "this test has no engine");
  });
}

void choose(QComboBox* box, const QVariant& data) {
  box->setCurrentIndex(box->findData(data));
  Q_EMIT box->activated(box->currentIndex());
}

}  // namespace

class TestExpertLoadPanel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    m_run = fixture::synthesize(3, {100, 220});
    m_path = m_folder->filePath(QStringLiteral("a.moescope")).toStdString();
    m_store = *trace::TraceStore::create(m_path);
    m_context = std::make_unique<ViewContext>(sessionWithoutEngine());
    m_panel = std::make_unique<ExpertLoadPanel>(*m_context);
    m_panel->resize(336, 600);
    m_panel->show();
  }

  void cleanup() {
    m_panel.reset();
    m_context.reset();
    m_recorder.reset();
    m_store.reset();
  }

  void emptyUntilThereIsRouting() {
    QVERIFY(!m_panel->picture());
    QCOMPARE(m_panel->barsFigure().error().kind, std::string("figure.no_routing"));
    QVERIFY(!m_panel->courseFigure());
    m_context->setStore(m_store);
    startRun();
    m_context->selection().setRun(m_recorder->run());
    QTRY_VERIFY(!m_panel->busy());
    QVERIFY(!m_panel->picture());
    QCOMPARE(m_panel->findChild<QStackedWidget*>()->currentIndex(), 0);
  }

  void fillsWhileTokensArrive() {
    m_context->setStore(m_store);
    startRun();
    m_context->selection().setRun(m_recorder->run());
    fixture::feed(*m_recorder, m_run, 0, 1, 1);
    QTRY_VERIFY(m_panel->picture() && m_panel->picture()->load.tokens == 100);
    fixture::feed(*m_recorder, m_run, 1, 2, 1);
    QTRY_VERIFY(m_panel->picture()->load.tokens == routed());
    QVERIFY(m_panel->picture()->load.counts ==
            fixture::expectedLoad(m_run, 0, {0, routed()}, trace::CaptureLevel::Weights).counts);
    QCOMPARE(m_panel->barsFigure()->kind, std::string("expert-load"));
    QCOMPARE(m_panel->courseFigure()->kind, std::string("load-course"));
  }

  void layersFollowTheSelection() {
    record();
    auto* layer = m_panel->findChild<QComboBox*>(QStringLiteral("layer"));
    QCOMPARE(layer->count(), 4);
    QCOMPARE(layer->currentText(), QStringLiteral("Layer 1"));
    m_context->selection().setRouter(LayerIndex{5});
    QCOMPARE(layer->currentText(), QStringLiteral("Layer 5"));
    QTRY_COMPARE(m_panel->picture()->router.experts, 255);
    layer->setCurrentIndex(layer->findText(QStringLiteral("Layer 3")));
    Q_EMIT layer->activated(layer->currentIndex());
    QCOMPARE(m_context->selection().router()->layer.value, 3);
    QTRY_COMPARE(m_panel->picture()->router.experts, 64);
    // Another expert's layer changes nothing here until somebody looks at it.
    m_context->selection().setExperts({{LayerIndex{7}, ExpertIndex{2}}});
    QCOMPARE(layer->currentText(), QStringLiteral("Layer 3"));
  }

  void aNarrowPanelKeepsTheNamesOfTheMetrics() {
    record();
    const auto* table = m_panel->findChild<QTableView*>(QStringLiteral("metrics"));
    QVERIFY(!table->isColumnHidden(LoadMetricsModel::kUniform));
    m_panel->resize(232, 600);
    QVERIFY(table->isColumnHidden(LoadMetricsModel::kUniform));
    const QModelIndex peak = table->model()->index(1, LoadMetricsModel::kMetric);
    QTRY_VERIFY(table->columnWidth(LoadMetricsModel::kMetric) >=
                table->fontMetrics().horizontalAdvance(peak.data().toString()));
    QVERIFY(peak.data(Qt::ToolTipRole).toString().contains(QStringLiteral("uniform 1.00")));
    m_panel->resize(336, 600);
    QVERIFY(!table->isColumnHidden(LoadMetricsModel::kUniform));
  }

  void windowOfTheSelection() {
    record();
    choose(m_panel->findChild<QComboBox*>(QStringLiteral("window")), -1);
    QTRY_COMPARE(m_panel->findChild<QStackedWidget*>()->currentIndex(), 1);  // no tokens selected
    m_context->selection().setTokens({20, 60});
    QTRY_VERIFY(m_panel->picture() && m_panel->picture()->load.tokens == 40);
    QCOMPARE(m_panel->findChild<QStackedWidget*>()->currentIndex(), 2);
    choose(m_panel->findChild<QComboBox*>(QStringLiteral("window")), 128);
    QTRY_COMPARE(m_panel->picture()->load.tokens, std::int64_t{128});
  }

  void tableAndCourseChooseTheSameMetric() {
    record();
    auto* table = m_panel->findChild<QTableView*>(QStringLiteral("metrics"));
    auto* metric = m_panel->findChild<QComboBox*>(QStringLiteral("metric"));
    const QAbstractItemModelTester tester(table->model(),
                                          QAbstractItemModelTester::FailureReportingMode::QtTest);
    QTRY_VERIFY(table->model()->rowCount() > 0);
    QCOMPARE(table->currentIndex().row(), static_cast<int>(analysis::LoadMeasure::Cv));
    table->selectRow(static_cast<int>(analysis::LoadMeasure::Gini));
    QCOMPARE(metric->currentText(), QStringLiteral("Gini"));
    QTRY_VERIFY(m_panel->courseFigure()->title.starts_with("Gini"));
    choose(metric, static_cast<int>(analysis::LoadMeasure::MaxVio));
    QCOMPARE(table->currentIndex().row(), static_cast<int>(analysis::LoadMeasure::MaxVio));
    QTRY_VERIFY(m_panel->courseFigure()->title.starts_with("MaxVio"));
    choose(m_panel->findChild<QComboBox*>(QStringLiteral("course_tokens")), 2048);
    QTRY_VERIFY(!m_panel->courseFigure());
    QCOMPARE(table->model()->headerData(2, Qt::Horizontal).toString(), QStringLiteral("Mean of 4"));
  }

  void reopenedPanelShowsTheSame() {
    record();
    QTRY_VERIFY(m_panel->picture());
    const std::string bars = figure::toCsv(*m_panel->barsFigure()),
                      course = figure::toCsv(*m_panel->courseFigure());
    const auto run = *m_context->selection().run();
    m_context->setStore(nullptr);
    QVERIFY(!m_panel->picture());
    QVERIFY(m_store->close().has_value());
    m_store = *trace::TraceStore::open(m_path, trace::OpenMode::ReadOnly);
    m_context->setStore(m_store);
    m_context->selection().setRun(run);
    QTRY_VERIFY(m_panel->picture());
    QCOMPARE(figure::toCsv(*m_panel->barsFigure()), bars);
    QCOMPARE(figure::toCsv(*m_panel->courseFigure()), course);
  }

  void aClickOnABarSelectsItsExpert() {
    record();
    auto* bars = m_panel->findChild<CanvasWidget*>(QStringLiteral("bars"));
    QTRY_VERIFY(bars->regionRect("expert 5").has_value());
    const Rect bar = *bars->regionRect("expert 5");
    const QPoint at(static_cast<int>(bar.x + bar.width / 2), static_cast<int>(bar.y + bar.height / 2));
    QTest::mouseClick(bars, Qt::LeftButton, {}, at);
    const std::set<ExpertCell> expected{{LayerIndex{1}, ExpertIndex{5}}};
    QTRY_VERIFY(m_context->selection().experts() == expected);
    QCOMPARE(m_context->selection().router()->layer.value, 1);
    QVERIFY(bars->accessibleDescription().startsWith(QStringLiteral("Layer 1, expert 5")));
    // The keys of every picture: B bans what is selected, as one undo step.
    bars->setFocus();
    QTest::keyClick(bars, Qt::Key_B);
    QCOMPARE(m_context->steering().program().rules.size(), std::size_t{1});
    QVERIFY(m_context->steering().program().rules[0].operation == steering::Operation::Ban);
  }

  void showsItsNumbersAsATable() {
    record();
    auto* bars = m_panel->findChild<CanvasWidget*>(QStringLiteral("bars"));
    const auto actions = bars->actions();
    QCOMPARE(actions.size(), 1);
    actions[0]->trigger();
    auto* table = bars->findChild<QTableView*>();
    QVERIFY(table);
    const QAbstractItemModelTester tester(table->model(),
                                          QAbstractItemModelTester::FailureReportingMode::QtTest);
    QCOMPARE(table->model()->rowCount(), 8);
    const auto& shown = *m_panel->picture()->bars.bars;
    for (int row = 0; row < 8; ++row) {
      QStringList cells;
      for (int column = 0; column < table->model()->columnCount(); ++column) {
        cells << table->model()->index(row, column).data().toString();
      }
      QVERIFY(cells.contains(QString::fromStdString(shown.names[static_cast<std::size_t>(row)])));
      QVERIFY(std::ranges::any_of(cells, [&](const QString& cell) {
        return std::abs(cell.toDouble() - shown.values[static_cast<std::size_t>(row)]) < 1e-9;
      }));
    }
  }

  void everythingHasAName() {
    record();
    for (const auto* widget : m_panel->findChildren<QComboBox*>()) {
      QVERIFY2(!widget->accessibleName().isEmpty() && !widget->toolTip().isEmpty(),
               qPrintable(widget->objectName()));
    }
    QTRY_VERIFY(m_panel->findChild<QWidget*>(QStringLiteral("bars"))
                    ->accessibleName()
                    .contains(QStringLiteral("320 tokens")) ||
                m_panel->findChild<QWidget*>(QStringLiteral("bars"))
                    ->accessibleName()
                    .contains(QStringLiteral("319 tokens")));
  }

 private:
  void startRun() {
    m_recorder = *m_store->startRun(fixture::modelRecord(m_run.routers),
                                    fixture::runRecord(trace::CaptureLevel::Weights));
  }

  void record() {
    startRun();
    fixture::feed(*m_recorder, m_run, 0, 2, 1);
    QVERIFY(m_recorder->end(trace::RunStatus::Closed).has_value());
    m_context->setStore(m_store);
    m_context->selection().setRun(m_recorder->run());
    QTRY_VERIFY(m_panel->picture());
  }

  [[nodiscard]] std::int64_t routed() const { return m_store->run(m_recorder->run())->routedTokens; }

  std::unique_ptr<QTemporaryDir> m_folder;
  fixture::SyntheticRun m_run;
  std::string m_path;
  std::shared_ptr<trace::TraceStore> m_store;
  std::unique_ptr<trace::RunRecorder> m_recorder;
  std::unique_ptr<ViewContext> m_context;
  std::unique_ptr<ExpertLoadPanel> m_panel;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestExpertLoadPanel)
#include "tst_expert_load_panel.moc"
