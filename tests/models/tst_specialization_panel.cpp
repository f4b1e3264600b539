// The Specialization panel on the demo's corpus: what it shows is what the analysis says and what the rows of
// the trace say; every mode of labels, with mouse and keys, and what is said where something is missing.
#include <QLabel>
#include <QLineEdit>
#include <QSemaphore>
#include <QTabWidget>
#include <QTableWidget>

#include <fmt/format.h>

#include "plugins/specialization/panel/column_outline.h"
#include "plugins/specialization/panel/specialization_panel.h"
#include "tests/support/gui_test.h"
#include "tests/support/panel_bench.h"

namespace moescope::specialization {

using views::FigureHit;
using views::FigureView;
using views::PlainRow;
using Bench = views::PanelBench<SpecializationPanel>;

namespace {

const std::vector<PlainRow>& rowsOfLayer4() {
  static const auto rows = [] {
    const auto store = views::demoCopy();
    return views::plainRows(*store, store->runs().front().id, 4);
  }();
  return rows;
}

std::int64_t countOf(const std::string& label, int expert) {
  return std::ranges::count_if(rowsOfLayer4(), [&](const PlainRow& row) {
    return row.label == label && (expert < 0 || views::chose(row, expert));
  });
}

int rowOf(const Bench& bench, const std::string& label) {
  const auto& names = bench.map().rowNames;
  return static_cast<int>(std::ranges::find(names, label) - names.begin());
}

void openCell(Bench& bench, const std::string& label, int expert) {
  FigureView* map = bench.figure("map");
  map->setFocus();
  map->setCurrent(FigureHit{FigureHit::Kind::Cell, 0, rowOf(bench, label), bench.columnOf(expert)});
  QTest::keyClick(map, Qt::Key_Return);
  bench.wait();
}

}  // namespace

class TestSpecializationPanel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void figuresAreTheTablesAndTheRows() {
    Bench bench;
    bench.openDemo();
    QVERIFY2(!bench.isMissing(), qPrintable(bench.missing()));
    const auto& map = bench.map();
    QCOMPARE(map.rows, 11);
    QCOMPARE(map.columns, 32);
    const auto result = bench.panel->result();
    const auto* rates = result->matrix("rates_layer4");
    QVERIFY(rates != nullptr);
    for (int row = 0; row < map.rows; ++row) {
      const std::int64_t tokens = countOf(map.rowNames[static_cast<std::size_t>(row)], -1);
      for (int column = 0; column < map.columns; ++column) {
        const int expert = std::stoi(map.columnNames[static_cast<std::size_t>(column)]);
        const double rate =
            static_cast<double>(countOf(map.rowNames[static_cast<std::size_t>(row)], expert)) /
            static_cast<double>(tokens);
        const double shown = map.values[static_cast<std::size_t>(row * map.columns + column)];
        QVERIFY(std::abs(shown - rate / (4.0 / 32.0)) < 1e-9);
        QVERIFY(std::abs(rates->values[static_cast<std::size_t>(row * 32 + expert)] - rate) < 1e-9);
      }
    }
    const auto& columns = bench.figure("map")->figure()->sideColumns;
    QCOMPARE(columns.size(), std::size_t{3});
    QCOMPARE(columns[1].heading, std::string("tokens"));
    QCOMPARE(columns[2].heading, std::string("texts"));
    // Sequences with one hash are windows of one text.
    std::set<std::string> german;
    for (const auto& sequence : views::demoCopy()->sequences(views::demoCopy()->runs().front().id)) {
      if (std::ranges::find(sequence.labels, std::pair<std::string, std::string>("label", "german")) !=
          sequence.labels.end())
        german.insert(sequence.textHash);
    }
    QCOMPARE(columns[2].texts[static_cast<std::size_t>(rowOf(bench, "german"))],
             std::to_string(german.size()));
    QCOMPARE(bench.figure("map")->figure()->heading,
             std::string("Layer 4: which labels choose which experts"));
    QCOMPARE(bench.figure("information")->figure()->lines.front().x.size(), std::size_t{6});
    QCOMPARE(bench.figure("by_token")->figure()->lines.front().x.size(), std::size_t{6});
  }

  void inALowPanelTheDetailsStandBeside() {
    Bench bench;
    bench.openDemo();
    const auto placeOf = [&](const char* name) {
      QApplication::processEvents();
      const QWidget* view = bench.figure(name);
      return QRect(view->mapTo(bench.panel.get(), QPoint()), view->size());
    };
    bench.panel->resize(1000, 900);
    QVERIFY(placeOf("information").top() >= placeOf("map").bottom());
    bench.panel->resize(733, 373);
    QVERIFY(placeOf("information").left() >= placeOf("map").right());
    QVERIFY(placeOf("map").height() >= 300);  // eleven labels can be read
    QVERIFY(placeOf("map").width() > placeOf("information").width());
    bench.panel->resize(1000, 900);
    QVERIFY(placeOf("information").top() >= placeOf("map").bottom());
  }

  void theSampleLineIsShort() {
    Bench bench;
    bench.openDemo();
    auto* line = bench.panel->findChild<views::SampleLine*>();
    QVERIFY(line->sample().startsWith(QStringLiteral("Run corpus · 45\u2009056 tokens in 212 texts · ")));
    QVERIFY(line->sample().contains(QStringLiteral("1000 draws")));
    QCOMPARE(line->baseline(), QStringLiteral("chance: top-4 of 32 = 12.50\u2009%"));
    QVERIFY(QFontMetrics(line->font()).horizontalAdvance(line->sample() + line->baseline()) < 900);
    QVERIFY(line->toolTip().contains(QString::fromStdString(bench.panel->result()->interval)));
  }

  void theSelectionGoesBothWays() {
    Bench bench;
    bench.openDemo();
    auto& selection = bench.context.selection();
    auto* outline = bench.panel->findChild<ColumnOutline*>();
    QVERIFY(outline->box().isEmpty());
    FigureView* map = bench.figure("map");
    map->setFocus();
    QTest::keyClick(map, Qt::Key_Home);
    QTest::keyClick(map, Qt::Key_Right);
    QTest::keyClick(map, Qt::Key_Down);
    const int expert = std::stoi(bench.map().columnNames[1]);
    QCOMPARE(selection.experts(), (std::set<ExpertCell>{{{4}, {expert}}}));
    QVERIFY(map->current().has_value());
    QCOMPARE(map->current()->row, 1);
    QCOMPARE(map->current()->column, 1);
    QVERIFY(outline->box().contains(map->boxOf({FigureHit::Kind::Cell, 0, 10, 1})));
    QVERIFY(!outline->box().contains(map->boxOf({FigureHit::Kind::Cell, 0, 10, 2})));
    QVERIFY(bench.figure("rates")->figure()->title.find("expert " + std::to_string(expert) + ":") !=
            std::string::npos);

    // Sorted otherwise, the cursor goes with the expert.
    bench.choose("order", QStringLiteral("By number"));
    QCOMPARE(map->current()->column, expert);
    QCOMPARE(map->current()->row, 1);

    selection.setExperts({{{2}, {5}}});  // another panel
    bench.wait();
    QCOMPARE(bench.find<QComboBox>("layer")->currentText(), QStringLiteral("Layer 2"));
    QVERIFY(outline->box().contains(map->boxOf({FigureHit::Kind::Cell, 0, 0, 5})));

    bench.choose("layer", QStringLiteral("Layer 0"));  // the expert of layer 2 does not pull it back
    QCOMPARE(selection.router(), std::optional<RouterKey>(LayerIndex{0}));
    QCOMPARE(bench.find<QComboBox>("layer")->currentText(), QStringLiteral("Layer 0"));
    QVERIFY(outline->box().isEmpty());
    selection.setExperts({});
    QVERIFY(bench.figure("rates")->figure() == nullptr);
  }

  void enterListsTheTokensOfTheCell() {
    Bench bench;
    bench.openDemo();
    openCell(bench, "german", 16);
    QCOMPARE(bench.find<QTabWidget>("expert_tabs")->currentIndex(), 1);
    const std::int64_t chosen = countOf("german", 16);
    const QString heading = bench.find<QLabel>("tokens_heading")->text();
    QCOMPARE(heading.toStdString(),
             fmt::format("Layer 4, expert 16, label german: {} of 4096 tokens", chosen));

    // The first token is the most frequent one among the rows.
    std::map<std::int32_t, std::pair<std::int64_t, std::int64_t>> counts;  // chosen, occurrences
    for (const PlainRow& row : rowsOfLayer4()) {
      if (row.label != "german") continue;
      auto& [served, occurrences] = counts[row.id];
      served += views::chose(row, 16) ? 1 : 0;
      ++occurrences;
    }
    std::int64_t most = 0;
    for (const auto& [id, count] : counts) most = std::max(most, count.first);
    auto* table = bench.find<QTableWidget>("tokens");
    QVERIFY(table->rowCount() > 1 && table->rowCount() <= 15);
    const auto& [served, occurrences] = counts[table->item(0, 0)->toolTip().section(u' ', -1).toInt()];
    QCOMPARE(served, most);
    QCOMPARE(table->item(0, 2)->text().toStdString(), fmt::format("{} of {}", served, occurrences));
    QVERIFY(std::abs(table->item(0, 1)->text().section(u' ', 0, 0).toDouble() -
                     100.0 * static_cast<double>(served) / static_cast<double>(occurrences)) < 0.051);
  }

  void aTokenInTheListIsFoundInTheRun() {
    Bench bench;
    bench.openDemo();
    openCell(bench, "german", 16);
    auto* table = bench.find<QTableWidget>("tokens");
    std::set<std::int64_t> places;
    const auto check = [&](int tableRow) {
      const auto range = bench.context.selection().tokens();
      QCOMPARE(range.size(), 1);
      const PlainRow& row = rowsOfLayer4()[static_cast<std::size_t>(range.begin)];
      QCOMPARE(row.row, range.begin);
      QCOMPARE(row.label, std::string("german"));
      QVERIFY(views::chose(row, 16));
      QCOMPARE(row.id, table->item(tableRow, 0)->toolTip().section(u' ', -1).toInt());
      places.insert(range.begin);
    };
    QTest::keyClick(table, Qt::Key_Down);
    check(1);
    QTest::mouseClick(table->viewport(), Qt::LeftButton, {},
                      table->visualItemRect(table->item(0, 2)).center());
    check(0);
    const std::size_t before = places.size();
    QTest::keyClick(table, Qt::Key_Return);  // the next place of the same token
    check(0);
    QCOMPARE(places.size(), before + 1);
  }

  void aDoubleClickOpensACellToo() {
    Bench bench;
    bench.openDemo();
    FigureView* map = bench.figure("map");
    const FigureHit hit{FigureHit::Kind::Cell, 0, rowOf(bench, "math"), 3};
    QTest::mouseDClick(map, Qt::LeftButton, {}, map->boxOf(hit).center());
    QTest::mouseClick(map, Qt::LeftButton, {}, map->boxOf(hit).center());
    QTest::mouseDClick(map, Qt::LeftButton, {}, map->boxOf(hit).center());
    bench.wait();
    const int expert = std::stoi(bench.map().columnNames[3]);
    QCOMPARE(
        bench.find<QLabel>("tokens_heading")->text().toStdString(),
        fmt::format("Layer 4, expert {}, label math: {} of 4096 tokens", expert, countOf("math", expert)));
    // Another expert alone: its tokens of all labels.
    bench.context.selection().setExperts({{{4}, {0}}});
    bench.wait();
    QVERIFY(bench.find<QLabel>("tokens_heading")
                ->text()
                .startsWith(QStringLiteral("Layer 4, expert 0, all labels: ")));
  }

  void positions() {
    Bench bench;
    bench.openDemo();
    bench.choose("labels", QStringLiteral("Position"));
    QCOMPARE(bench.map().rows, 8);
    QCOMPARE(bench.map().rowNames.front(), std::string("0–31"));
    QCOMPARE(bench.map().rowNames.back(), std::string("224–255"));
    QCOMPARE(bench.figure("map")->figure()->sideColumns.size(), std::size_t{2});  // texts are all the same
    openCell(bench, "0–31", 1);
    QVERIFY(bench.find<QLabel>("tokens_heading")->text().contains(QStringLiteral("label 0–31: ")));
  }

  void patterns() {
    Bench bench;
    bench.openDemo();
    bench.choose("labels", QStringLiteral("Token pattern…"));
    QVERIFY(bench.isMissing());
    QVERIFY2(bench.missing().contains(QStringLiteral("press Enter")), qPrintable(bench.missing()));
    auto* field = bench.find<QLineEdit>("pattern");
    QVERIFY(field->isVisible());
    for (const char* bad : {"digit=(", "digit", "digit=[0-9];digit=x", "nothing=qqqqqqqqqqqq"}) {
      field->setText(QString::fromLatin1(bad));
      QTest::keyClick(field, Qt::Key_Return);
      bench.wait();
      QVERIFY2(bench.isMissing(), bad);
      QVERIFY2(bench.missing().startsWith(QStringLiteral("No specialization to show. ")) &&
                   bench.missing().size() > 60,
               qPrintable(bench.missing()));
    }
    field->setText(QStringLiteral("digit=[0-9]; bracket=[{}()]"));
    QTest::keyClick(field, Qt::Key_Return);
    bench.wait();
    QVERIFY2(!bench.isMissing(), qPrintable(bench.missing()));
    QCOMPARE(bench.map().rows, 3);
    QCOMPARE(bench.map().rowNames.back(), std::string("other"));
    openCell(bench, "digit", std::stoi(bench.map().columnNames[0]));
    const auto* table = bench.find<QTableWidget>("tokens");
    for (int row = 0; row < table->rowCount(); ++row)
      QVERIFY(table->item(row, 0)->text().contains(QRegularExpression(QStringLiteral("[0-9]"))));
  }

  void selectedTokens() {
    Bench bench;
    bench.openDemo();
    bench.choose("labels", QStringLiteral("Selected tokens"));
    QVERIFY(bench.isMissing());
    QVERIFY2(bench.missing().contains(QStringLiteral("Select some tokens")), qPrintable(bench.missing()));
    bench.context.selection().setTokens({100, 110});
    bench.wait();
    QVERIFY2(!bench.isMissing(), qPrintable(bench.missing()));
    QCOMPARE(bench.map().rowNames, (std::vector<std::string>{"selected", "other"}));
    QCOMPARE(bench.map().missingRows, std::vector<int>{0});  // ten tokens say nothing
    const auto before = bench.panel->result();
    openCell(bench, "other", 3);
    auto* table = bench.find<QTableWidget>("tokens");
    QTest::keyClick(table, Qt::Key_Down);
    bench.wait();
    QCOMPARE(bench.context.selection().tokens().size(), 1);
    QCOMPARE(bench.panel->result(), before);  // still compared with the ten
  }

  void nothingToCompare() {
    Bench bench;
    bench.openTrace();
    bench.make();
    QVERIFY(bench.isMissing());
    QVERIFY2(bench.missing().contains(QStringLiteral("Record a labelled corpus")),
             qPrintable(bench.missing()));
    // A run without labels: positions and patterns remain.
    bench.context.selection().setRun(bench.addRun("short", {3}));
    bench.wait();
    auto* labels = bench.find<QComboBox>("labels");
    QVERIFY2(bench.isMissing(), "one bin of positions");
    QVERIFY2(bench.missing().startsWith(QStringLiteral("No specialization to show. ")),
             qPrintable(bench.missing()));
    QVERIFY(labels->findText(QStringLiteral("Token pattern…")) >= 0);
  }

  void aLiveRunIsComparedWhenItHasEnded() {
    Bench bench;
    bench.openTrace();
    QVERIFY(bench.loadModel());
    QSemaphore gate;
    bench.behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position < 20) return;
      gate.acquire();
      gate.release();
    };
    bench.make();
    bench.session->generate(Bench::settings(60));
    QVERIFY(QTest::qWaitFor(
        [&] {
          const auto run = bench.session->status().run;
          return run && bench.trace.store->run(*run) && bench.trace.store->run(*run)->routedTokens > 5;
        },
        10000));
    bench.context.selection().setRun(bench.session->status().run);
    bench.wait();
    QVERIFY(bench.isMissing());
    QVERIFY2(bench.missing().contains(QStringLiteral("when it has ended")), qPrintable(bench.missing()));
    gate.release();
    QVERIFY(bench.waitForIdle());
    QTRY_VERIFY_WITH_TIMEOUT(!bench.isMissing(), 30000);
    bench.wait();
    QCOMPARE(bench.map().rowNames.front(), std::string("0–31"));
  }

  void figuresAsTables() {
    Bench bench;
    bench.openDemo();
    QCOMPARE(views::tableRows(bench.figure("map")), 11 * 32);
    QVERIFY(views::tableRows(bench.figure("information")) >= 6);
    QCOMPARE(bench.panel->figures().size(), std::size_t{4});
    bench.context.selection().setExperts({{{4}, {1}}});
    bench.wait();
    QCOMPARE(views::tableRows(bench.figure("rates")), 11);
    for (const auto& figure : bench.panel->figures()) QVERIFY2(figure.figure(), qPrintable(figure.name));
  }
};

}  // namespace moescope::specialization

int main(int argc, char** argv) {
  return moescope::views::runGuiTest<moescope::specialization::TestSpecializationPanel>(argc, argv);
}
#include "tst_specialization_panel.moc"
