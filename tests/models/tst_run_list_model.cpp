// RunListModel against a real store: rows, roles, renaming, and that views are told what changed.
#include <QAbstractItemModelTester>
#include <QSignalSpy>

#include "tests/support/gui_test.h"
#include "tests/support/view_bench.h"
#include "views/models/run_list_model.h"

namespace moescope::views {

class TestRunListModel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void followsTheStore() {
    ViewBench bench;
    RunListModel model(bench.context);
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QCOMPARE(model.rowCount(), 0);
    const auto first = bench.addRun("first");
    bench.context.setStore(bench.trace.store);
    QCOMPARE(model.rowCount(), 1);
    const QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    const QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
    const auto second = bench.addRun("second", {12000}, trace::CaptureLevel::Full);
    QTRY_COMPARE(model.rowCount(), 2);
    QCOMPARE(inserted.size(), 1);
    QCOMPARE(reset.size(), 0);  // a new run must not cost the selection
    QCOMPARE(model.index(0).data().toString(), QStringLiteral("first"));
    QCOMPARE(model.index(1).data(RunListModel::RunIdRole).toLongLong(), second);
    QTRY_COMPARE(model.index(1).data(RunListModel::SummaryRole).toString(),
                 QStringLiteral("corpus · 12\u2009000 tokens · full logits"));
    QCOMPARE(model.index(1).data(RunListModel::LiveRole).toBool(), false);
    QCOMPARE(model.indexOf(first).row(), 0);
    QVERIFY(!model.indexOf(999).isValid());
    QVERIFY(bench.trace.store->deleteRun(first));
    QTRY_COMPARE(model.rowCount(), 1);
    QCOMPARE(model.run(model.index(0))->id, second);
    bench.context.setStore(nullptr);
    QCOMPARE(model.rowCount(), 0);
  }

  void aSeriesFoldsIntoOneRow() {
    ViewBench bench;
    const auto corpus = bench.addRun("corpus");
    const auto late = bench.addRun("step-9");
    const auto early = bench.addRun("step-1");
    const auto series = bench.trace.store->startSeries("training", "{}");
    QVERIFY(bench.trace.store->addToSeries(*series, early));
    QVERIFY(bench.trace.store->addToSeries(*series, late));
    bench.context.setStore(bench.trace.store);
    RunListModel model(bench.context);
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QCOMPARE(model.rowCount(), 2);
    const QModelIndex row = model.index(1);
    QCOMPARE(row.data().toString(), QStringLiteral("training"));
    QCOMPARE(row.data(RunListModel::SummaryRole).toString(), QStringLiteral("series · 2 checkpoints"));
    QCOMPARE(row.data(RunListModel::SeriesRole).toLongLong(), *series);
    QVERIFY(row.data(RunListModel::FoldedRole).toBool());
    QVERIFY(model.run(row) == nullptr);
    QVERIFY(model.series(row) != nullptr);
    QVERIFY(model.series(model.index(0)) == nullptr);
    QVERIFY(model.flags(row) & Qt::ItemIsEditable);
    QVERIFY(model.setData(row, QStringLiteral(" second training "), Qt::EditRole));
    QCOMPARE(bench.trace.store->allSeries()[0].name, std::string("second training"));
    QTRY_COMPARE(model.index(1).data(Qt::EditRole).toString(), QStringLiteral("second training"));
    QVERIFY(!model.setData(row, QStringLiteral(" "), Qt::EditRole));
    QVERIFY(!model.indexOf(late).isValid());
    // The run to look at first is the one that is in no series.
    QCOMPARE(model.newestRun(), std::optional(corpus));

    const QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
    const QSignalSpy removed(&model, &QAbstractItemModel::rowsRemoved);
    const QSignalSpy reset(&model, &QAbstractItemModel::modelReset);
    model.setFolded(row, false);
    QCOMPARE(model.rowCount(), 4);
    QCOMPARE(model.indexOf(early).row(), 2);  // in order of training
    QCOMPARE(model.indexOf(late).row(), 3);
    QCOMPARE(model.index(2).data(RunListModel::DepthRole).toInt(), 1);
    model.setFolded(model.index(1), true);
    QCOMPARE(model.rowCount(), 2);
    model.reveal(late);
    QCOMPARE(model.rowCount(), 4);
    model.setFolded(model.index(1), true);
    model.setShowsAll(true);
    QCOMPARE(model.rowCount(), 4);
    model.setShowsAll(false);
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(inserted.size(), 3);
    QCOMPARE(removed.size(), 3);
    QCOMPARE(reset.size(), 0);

    QVERIFY(bench.trace.store->deleteSeries(*series));
    QTRY_COMPARE(model.rowCount(), 3);
    QCOMPARE(model.index(2).data().toString(), QStringLiteral("step-1"));
  }

  void renamingWritesToTheFile() {
    ViewBench bench;
    const auto id = bench.addRun("first");
    bench.context.setStore(bench.trace.store);
    RunListModel model(bench.context);
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    QVERIFY(model.flags(model.index(0)) & Qt::ItemIsEditable);
    QVERIFY(model.setData(model.index(0), QStringLiteral("  Sunset, steered "), Qt::EditRole));
    QCOMPARE(bench.trace.store->run(id)->name, std::string("Sunset, steered"));
    QTRY_COMPARE(model.index(0).data().toString(), QStringLiteral("Sunset, steered"));
    QVERIFY(!model.setData(model.index(0), QStringLiteral("   "), Qt::EditRole));
    QCOMPARE(bench.trace.store->run(id)->name, std::string("Sunset, steered"));
  }

  void aReadOnlyFileIsNotEdited() {
    ViewBench bench;
    bench.addRun("first");
    QVERIFY(bench.trace.store->close());
    auto reader = trace::TraceStore::open(bench.trace.file, trace::OpenMode::ReadOnly);
    QVERIFY(reader.has_value());
    bench.context.setStore(*reader);
    RunListModel model(bench.context);
    QCOMPARE(model.rowCount(), 1);
    QVERIFY(!(model.flags(model.index(0)) & Qt::ItemIsEditable));
    QVERIFY(!model.setData(model.index(0), QStringLiteral("other"), Qt::EditRole));
  }

  void aGrowingRunTellsOnlyItsRow() {
    ViewBench bench;
    bench.openTrace();
    bench.addRun("recorded before");
    RunListModel model(bench.context);
    QVERIFY(bench.loadModel());
    bench.session->generate(ViewBench::settings(30));
    QTRY_COMPARE(model.rowCount(), 2);
    QVERIFY(bench.waitForIdle());
    QTRY_COMPARE(model.run(model.index(1))->tokens, bench.trace.store->run(2)->tokens);
    QVERIFY(model.run(model.index(1))->tokens > 30);
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRunListModel)
#include "tst_run_list_model.moc"
