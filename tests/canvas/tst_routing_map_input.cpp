// The routing map under mouse and keys: what is selected, which rules come out, what one undo takes back.
#include <QMenu>
#include <QUndoStack>

#include "tests/canvas/routing_map_bench.h"
#include "views/panels/common/strength_popup.h"

namespace moescope::views {

namespace {

using steering::Operation;
using Shown = RoutingMapBench;
using Cells = std::set<ExpertCell>;

}  // namespace

class TestRoutingMapInput : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void clicksSelect() {
    Shown shown;
    auto& selection = shown.context.selection();
    shown.click("layer 3/expert 11");
    QCOMPARE(selection.experts(), (Cells{{{3}, {11}}}));
    QCOMPARE(selection.router(), std::optional<RouterKey>(LayerIndex{3}));
    shown.click("layer 1/expert 2", Qt::ControlModifier);
    QCOMPARE(selection.experts(), (Cells{{{3}, {11}}, {{1}, {2}}}));
    shown.click("layer 3/expert 11", Qt::ControlModifier);
    QCOMPARE(selection.experts(), (Cells{{{1}, {2}}}));
    shown.click("layer 1/expert 2");
    shown.click("layer 2/expert 4", Qt::ShiftModifier);
    QCOMPARE(selection.experts(),
             (Cells{{{1}, {2}}, {{1}, {3}}, {{1}, {4}}, {{2}, {2}}, {{2}, {3}}, {{2}, {4}}}));
  }

  void aDragFromAnUnselectedCellSelectsABox() {
    Shown shown;
    const Point to = shown.centre("layer 3/expert 8");
    shown.drag(shown.centre("layer 2/expert 6"), to);
    shown.drop(to);
    QCOMPARE(shown.context.selection().experts(),
             (Cells{{{2}, {6}}, {{2}, {7}}, {{2}, {8}}, {{3}, {6}}, {{3}, {7}}, {{3}, {8}}}));
    QVERIFY(shown.rules().empty());
  }

  void aDragFromASelectedCellIsOneUndoStep() {
    Shown shown;
    shown.click("layer 2/expert 6");
    const Point from = shown.centre("layer 2/expert 6");
    shown.drag(from, {from.x, from.y - 10});
    shown.panel->canvas().move(shown.at({from.x, from.y - 20}, Qt::LeftButton));
    QCOMPARE(shown.rules().size(), std::size_t{1});
    QCOMPARE(shown.rules()[0].operand.value, 1.0);  // 20 px of 0.05
    shown.panel->canvas().move(shown.at({from.x, from.y - 30}, Qt::LeftButton, Qt::ShiftModifier));
    QCOMPARE(shown.rules()[0].operand.value, 1.05);  // 10 px of 0.005
    shown.drop({from.x, from.y - 30});
    QCOMPARE(shown.context.steering().undoStack()->count(), 1);
    shown.context.steering().undoStack()->undo();
    QVERIFY(shown.rules().empty());
  }

  void escTakesADragBack() {
    Shown shown;
    shown.click("layer 2/expert 6");
    const Point from = shown.centre("layer 2/expert 6");
    shown.drag(from, {from.x, from.y + 40});
    QCOMPARE(shown.rules()[0].operand.value, -2.0);
    QVERIFY(shown.key(Qt::Key_Escape));
    QVERIFY(shown.rules().empty());
    shown.panel->canvas().move(shown.at({from.x, from.y + 60}, Qt::LeftButton));
    QVERIFY(shown.rules().empty());
    shown.drop({from.x, from.y + 60});
    QVERIFY(!shown.key(Qt::Key_Escape));  // the next Esc is the window's
  }

  void keysSteer() {
    Shown shown;
    QVERIFY(!shown.key(Qt::Key_B));  // nothing is selected
    shown.click("layer 4/expert 9");
    QVERIFY(shown.key(Qt::Key_B));
    QCOMPARE(shown.rules().size(), std::size_t{1});
    QCOMPARE(shown.rules()[0].operation, Operation::Ban);
    QCOMPARE(shown.rules()[0].layers, std::vector<std::int32_t>{4});
    QCOMPARE(shown.rules()[0].experts, std::vector<std::int32_t>{9});
    QVERIFY(shown.key(Qt::Key_B));
    QCOMPARE(shown.rules().size(), std::size_t{1});
    QVERIFY(shown.key(Qt::Key_P));  // a pin takes the ban's place
    QCOMPARE(shown.rules().size(), std::size_t{1});
    QCOMPARE(shown.rules()[0].operation, Operation::PinHigh);
    QVERIFY(shown.key(Qt::Key_R));
    QVERIFY(shown.rules().empty());
    shown.key(Qt::Key_Plus);
    shown.key(Qt::Key_Plus);
    QCOMPARE(shown.rules()[0].operand.value, 0.5);
    shown.key(Qt::Key_Minus, Qt::ShiftModifier);
    QCOMPARE(shown.rules()[0].operand.value, -0.5);
    shown.key(Qt::Key_Plus);
    shown.key(Qt::Key_Plus);
    QVERIFY(shown.rules().empty());  // 0.00 is no rule
    QVERIFY(!shown.key(Qt::Key_B, Qt::ControlModifier));
  }

  void arrowsMoveAndExtend() {
    Shown shown;
    shown.click("layer 2/expert 5");
    shown.key(Qt::Key_Right);
    shown.key(Qt::Key_Down);
    QCOMPARE(shown.context.selection().experts(), (Cells{{{3}, {6}}}));
    shown.key(Qt::Key_Left, Qt::ShiftModifier);
    QCOMPARE(shown.context.selection().experts(), (Cells{{{3}, {5}}, {{3}, {6}}}));
    shown.key(Qt::Key_Home);
    QCOMPARE(shown.context.selection().experts(), (Cells{{{3}, {0}}}));
    shown.key(Qt::Key_End);
    QCOMPARE(shown.context.selection().experts(), (Cells{{{3}, {15}}}));
    shown.key(Qt::Key_PageDown);
    QCOMPARE(shown.context.selection().experts(), (Cells{{{5}, {15}}}));
    shown.key(Qt::Key_BracketLeft);
    QCOMPARE(shown.context.selection().router(), std::optional<RouterKey>(LayerIndex{4}));
    shown.key(Qt::Key_M);
    QCOMPARE(shown.panel->settings().mode, MapMode::TokenExpert);
    QCOMPARE(shown.panel->settings().router, 4);
  }

  void cellsOfTokensSelectTokenAndExpert() {
    Shown shown(200, MapMode::TokenExpert);
    shown.click("token 3/expert 7");
    auto& selection = shown.context.selection();
    QCOMPARE(selection.tokens(), (trace::TokenRange{3, 4}));
    QCOMPARE(selection.experts(), (Cells{{{0}, {7}}}));
    shown.click("token 6/expert 8", Qt::ShiftModifier);
    QCOMPARE(selection.tokens(), (trace::TokenRange{3, 7}));
    QCOMPARE(selection.experts(), (Cells{{{0}, {7}}, {{0}, {8}}}));
    shown.click("token 10");
    QCOMPARE(selection.tokens(), (trace::TokenRange{10, 11}));
    QVERIFY(shown.key(Qt::Key_C, Qt::ControlModifier));
  }

  void aSelectionElsewhereComesIntoSight() {
    Shown shown(1000, MapMode::TokenExpert);
    shown.context.selection().setTokens({700, 710});
    shown.settle();
    shown.draw();
    QVERIFY(shown.painter.find("token 700/expert 0").has_value());
    QVERIFY(shown.painter.hasText("700"));
  }

  void theMenuOffersVerbs() {
    Shown shown;
    const Point point = shown.centre("layer 1/expert 3");
    CanvasEvent event = shown.at(point, Qt::RightButton);
    shown.panel->canvas().contextMenu(event);
    QCOMPARE(shown.context.selection().experts(), (Cells{{{1}, {3}}}));
    auto* menu = shown.panel->findChild<QMenu*>();
    QVERIFY(menu != nullptr);
    QStringList texts;
    for (const QAction* action : menu->actions()) texts << action->text().section(QLatin1Char('\t'), 0, 0);
    QVERIFY(texts[0].startsWith(QStringLiteral("Layer 1 · expert 3 · m ")));
    QCOMPARE(texts.mid(1), (QStringList{{},
                                        "Ban",
                                        "Boost…",
                                        "Dampen…",
                                        "Pin (always chosen)",
                                        "Release",
                                        {},
                                        "Copy value",
                                        "Show as table",
                                        "Export figure…"}));
    QVERIFY(!menu->actions()[6]->isEnabled());  // nothing to release
    menu->actions()[2]->trigger();
    QCOMPARE(shown.rules()[0].operation, Operation::Ban);
    menu->actions()[3]->trigger();
    auto* popup = shown.panel->findChild<StrengthPopup*>();
    QVERIFY(popup != nullptr);
    QCOMPARE(shown.rules()[1].operand.value, 1.0);  // at once
    QTest::keyClick(popup, Qt::Key_Escape);
    QCOMPARE(shown.rules().size(), std::size_t{1});
    menu->close();
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRoutingMapInput)
#include "tst_routing_map_input.moc"
