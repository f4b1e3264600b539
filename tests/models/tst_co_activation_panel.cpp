// The Co-activation panel on the demo's corpus: what it shows is what the analysis says and what the rows of
// the trace say; pairs are chosen with mouse and keys and follow the selection.
#include <QHeaderView>
#include <QScrollBar>
#include <QTableWidget>

#include "plugins/co_activation/panel/co_activation_panel.h"
#include "tests/support/gui_test.h"
#include "tests/support/panel_bench.h"

namespace moescope::co_activation {

using views::FigureHit;
using views::FigureView;
using views::PlainRow;
using Bench = views::PanelBench<CoActivationPanel>;

namespace {

/// Part of the tokens of `from` that `to` serves too, in percent, from the rows of layer 4.
double partOf(int from, int to) {
  static const auto rows = [] {
    const auto store = views::demoCopy();
    return views::plainRows(*store, store->runs().front().id, 4);
  }();
  double served = 0.0, both = 0.0;
  for (const PlainRow& row : rows) {
    if (!views::chose(row, from)) continue;
    ++served;
    both += views::chose(row, to) ? 1 : 0;
  }
  return 100.0 * both / served;
}

FigureHit cell(const Bench& bench, int from, int to) {
  return {FigureHit::Kind::Cell, 0, bench.columnOf(from), bench.columnOf(to)};
}

}  // namespace

class TestCoActivationPanel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void theMapAndThePairsAreTheRows() {
    Bench bench;
    bench.openDemo();
    QVERIFY2(!bench.isMissing(), qPrintable(bench.missing()));
    const auto& map = bench.map();
    QCOMPARE(map.rows, 32);
    QCOMPARE(map.rowNames, map.columnNames);
    for (const int from : {0, 7, 31}) {
      for (const int to : {1, 16, 30}) {
        const double shown =
            map.values[static_cast<std::size_t>(bench.columnOf(from) * 32 + bench.columnOf(to))];
        QVERIFY(std::abs(shown - partOf(from, to)) < 1e-9);
      }
    }
    auto* pairs = bench.find<QTableWidget>("pairs");
    QVERIFY(pairs->rowCount() > 3);
    for (int row = 0; row < 3; ++row) {
      const int from = pairs->item(row, 0)->text().toInt(), to = pairs->item(row, 1)->text().toInt();
      const auto percent = [](double value) {
        return QString::number(value, 'f', 1) + QStringLiteral("\u2009%");
      };
      QCOMPARE(pairs->item(row, 2)->text(), percent(partOf(from, to)));
      QCOMPARE(pairs->item(row, 4)->text(), percent(partOf(to, from)));
      QVERIFY(pairs->item(row, 3)->text().contains(QStringLiteral("–")));
    }
    QCOMPARE(views::tableRows(bench.figure("map")), 32 * 32);
    QVERIFY(bench.panel->figures().front().figure());
  }

  void cellsAreSquareAndThePairsFit() {
    Bench bench;
    bench.openDemo();
    for (const QSize size : {QSize(1000, 460), QSize(620, 700), QSize(1300, 800)}) {
      bench.panel->resize(size);
      QCoreApplication::processEvents();
      const FigureView* map = bench.figure("map");
      const QRect all =
          map->boxOf({FigureHit::Kind::Cell, 0, 0, 0}) | map->boxOf({FigureHit::Kind::Cell, 0, 31, 31});
      QVERIFY2(std::abs(all.width() - all.height()) <= 4,
               qPrintable(QStringLiteral("%1 x %2").arg(all.width()).arg(all.height())));
      QVERIFY(all.width() > 150);
      QVERIFY(!bench.find<QTableWidget>("pairs")->horizontalScrollBar()->isVisible());
    }
  }

  void aPairIsChosenOnTheMap() {
    Bench bench;
    bench.openDemo();
    FigureView* map = bench.figure("map");
    QTest::mouseClick(map, Qt::LeftButton, {}, map->boxOf(cell(bench, 3, 9)).center());
    QCOMPARE(bench.context.selection().experts(), (std::set<ExpertCell>{{{4}, {3}}, {{4}, {9}}}));
    QCOMPARE(map->current(), std::optional(cell(bench, 3, 9)));
    map->setFocus();
    QTest::keyClick(map, Qt::Key_Right);
    const int next = std::stoi(bench.map().columnNames[static_cast<std::size_t>(map->current()->column)]);
    if (next != 3)
      QCOMPARE(bench.context.selection().experts(), (std::set<ExpertCell>{{{4}, {3}}, {{4}, {next}}}));
    // The cursor gets over the diagonal.
    for (int i = 0; i < 32; ++i) QTest::keyClick(map, Qt::Key_Right);
    QCOMPARE(map->current()->column, 31);
    QCOMPARE(map->current()->row, bench.columnOf(3));
  }

  void aPairIsChosenInTheList() {
    Bench bench;
    bench.openDemo();
    auto* pairs = bench.find<QTableWidget>("pairs");
    pairs->setFocus();
    pairs->selectRow(0);
    QTest::keyClick(pairs, Qt::Key_Down);
    const int from = pairs->item(1, 0)->text().toInt(), to = pairs->item(1, 1)->text().toInt();
    QCOMPARE(bench.context.selection().experts(), (std::set<ExpertCell>{{{4}, {from}}, {{4}, {to}}}));
    QCOMPARE(bench.figure("map")->current(), std::optional(cell(bench, from, to)));
    QCOMPARE(pairs->currentRow(), 1);
  }

  void theSelectionOfOthersIsFollowed() {
    Bench bench;
    bench.openDemo();
    bench.context.selection().setExperts({{{2}, {5}}, {{2}, {11}}});
    QCOMPARE(bench.find<QComboBox>("layer")->currentText(), QStringLiteral("Layer 2"));
    QCOMPARE(bench.figure("map")->current(), std::optional(cell(bench, 5, 11)));
    bench.choose("order", QStringLiteral("By number"));
    QCOMPARE(bench.map().rowNames[5], std::string("5"));
    QCOMPARE(bench.figure("map")->current(), std::optional(FigureHit{FigureHit::Kind::Cell, 0, 5, 11}));
    bench.context.selection().setExperts({{{2}, {5}}});
    QVERIFY(!bench.figure("map")->current());
    bench.context.selection().setRouter(LayerIndex{1});
    QCOMPARE(bench.find<QComboBox>("layer")->currentText(), QStringLiteral("Layer 1"));
    bench.choose("layer", QStringLiteral("Layer 3"));
    QCOMPARE(bench.context.selection().router(), std::optional<RouterKey>(LayerIndex{3}));
    QCOMPARE(bench.figure("map")->figure()->title,
             std::string("Layer 3: experts that serve the same tokens"));
  }

  void theOtherDefinition() {
    Bench bench;
    bench.openDemo();
    const auto before = bench.map().values;
    bench.choose("kind", QStringLiteral("Adjacent ranks"));
    QCOMPARE(bench.panel->result()->parameters.at("kind"), std::string("adjacent-rank"));
    QVERIFY(bench.map().values != before);
  }

  void nothingToShow() {
    Bench bench;
    bench.openTrace();
    bench.make();
    QVERIFY(bench.isMissing());
    QVERIFY2(bench.missing().contains(QStringLiteral("record a corpus")), qPrintable(bench.missing()));
    bench.context.selection().setRun(bench.addRun("run", {40}));
    bench.wait();
    QVERIFY2(!bench.isMissing(), qPrintable(bench.missing()));
    QVERIFY(!bench.panel->findChild<views::SampleLine*>()->baseline().isEmpty());
  }
};

}  // namespace moescope::co_activation

int main(int argc, char** argv) {
  return moescope::views::runGuiTest<moescope::co_activation::TestCoActivationPanel>(argc, argv);
}
#include "tst_co_activation_panel.moc"
