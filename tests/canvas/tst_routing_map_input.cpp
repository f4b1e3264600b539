// The routing map under mouse and keys: what is selected, which rules come out, what one undo takes back.
#include <QClipboard>
#include <QMenu>
#include <QUndoStack>

#include "core/engine/generation/live_session.h"
#include "tests/support/canvas_rest.h"
#include "tests/support/gui_test.h"
#include "tests/support/recording_painter.h"
#include "tests/support/routing_trace.h"
#include "views/api/canvas_widget.h"
#include "views/api/motion.h"
#include "views/api/sample_line.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/common/strength_popup.h"
#include "views/panels/routing_map/routing_map_panel.h"
#include "views/panels/routing_map/zoom_motion.h"

namespace moescope::views {

namespace {

using steering::Operation;

/// A panel on a recorded run, drawn by the recording painter, with events as the widget would send them.
struct Shown {
  QTemporaryDir folder;
  std::shared_ptr<trace::TraceStore> store =
      trace::TraceStore::create((folder.path() + "/run.moescope").toStdString()).value();
  std::unique_ptr<trace::RoutingTrace> run;
  ViewContext context{std::make_shared<engine::LiveSession>()};
  RecordingPainter painter;
  std::unique_ptr<RoutingMapPanel> panel;

  explicit Shown(int tokens = 200, MapMode mode = MapMode::LayerExpert) {
    run = std::make_unique<trace::RoutingTrace>(*store, trace::RoutingTrace::Shape{});
    run->append(tokens);
    context.setStore(store);
    context.selection().setRun(run->run());
    panel = std::make_unique<RoutingMapPanel>(context);
    MapSettings settings = panel->settings();
    settings.mode = mode;
    panel->setSettings(settings);
    draw();
    settle();
    draw();
  }
  void draw() {
    painter.clear();
    panel->canvas().build({0, 0, 1000, 460}, painter);
  }
  void settle() {
    QVERIFY(QTest::qWaitFor([this] { return panel->idle(); }));
  }
  CanvasEvent at(Point point, Qt::MouseButton button = Qt::NoButton, Qt::KeyboardModifiers modifiers = {}) {
    CanvasEvent event;
    event.at = point;
    event.region = painter.regionAt(point);
    event.button = button;
    event.buttons = button;
    event.modifiers = modifiers;
    return event;
  }
  Point centre(const std::string& id) {
    const auto rect = painter.find(id);
    if (!rect) qFatal("no region %s", id.c_str());
    return {rect->x + rect->width / 2, rect->y + rect->height / 2};
  }
  void click(const std::string& id, Qt::KeyboardModifiers modifiers = {}) {
    const Point point = centre(id);
    panel->canvas().press(at(point, Qt::LeftButton, modifiers));
    panel->canvas().release(at(point, Qt::LeftButton, modifiers));
    draw();
  }
  void drag(Point from, Point to, Qt::KeyboardModifiers modifiers = {}) {
    panel->canvas().press(at(from, Qt::LeftButton, modifiers));
    panel->canvas().move(at(to, Qt::LeftButton, modifiers));
  }
  void drop(Point to) { panel->canvas().release(at(to, Qt::LeftButton)); }
  bool key(int code, Qt::KeyboardModifiers modifiers = {}) {
    return panel->canvas().key(QKeyEvent(QEvent::KeyPress, code, modifiers));
  }
  const std::vector<steering::Rule>& rules() const { return context.steering().program().rules; }
};

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
    QCOMPARE(selection.layer(), LayerIndex{3});
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

  void marksFollowTheProgram() {
    Shown shown;
    shown.click("layer 4/expert 9");
    shown.key(Qt::Key_B);
    shown.draw();
    const Rect cell = *shown.painter.find("layer 4/expert 9");
    const auto hatches = shown.painter.ofKind(PaintCommand::Kind::Hatch);
    QVERIFY(std::ranges::any_of(hatches, [&](const auto& hatch) {
      return hatch.rising && hatch.colour == Theme::current().paint(ColourRole::Accent) &&
             hatch.rect.x == cell.x && hatch.rect.y == cell.y;
    }));
    const auto tip = shown.panel->canvas().toolTip(shown.at(shown.centre("layer 4/expert 9")));
    QVERIFY(tip.has_value());
    QCOMPARE(tip->heading, QStringLiteral("Layer 4 · expert 9"));
    QCOMPARE(tip->tag, QStringLiteral("banned"));
  }

  void toolTipsTellCountedNumbers() {
    Shown shown(201);
    const auto tip = shown.panel->canvas().toolTip(shown.at(shown.centre("layer 1/expert 3")));
    QVERIFY(tip.has_value());
    const auto chosen = shown.run->count(1, 3, 0, 200);
    QCOMPARE(tip->rows[0].value, QStringLiteral("%1\u2009%, %2 × uniform")
                                     .arg(100.0 * static_cast<double>(chosen) / 800, 0, 'f', 2)
                                     .arg(16.0 * static_cast<double>(chosen) / 800, 0, 'f', 2));
    const auto by = std::ranges::find(tip->rows, QStringLiteral("chosen by"), &ToolTipContent::Row::label);
    QVERIFY(by != tip->rows.end());
    QVERIFY(by->value.startsWith(QStringLiteral("%1 of 200 tokens").arg(chosen)));
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
    QCOMPARE(shown.context.selection().layer(), LayerIndex{4});
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

  void theWheelZoomsSmoothly() {
    setReducedMotion(false);
    Shown shown(1000, MapMode::TokenExpert);
    const auto& g = shown.panel->canvas().scene().geometry;
    const double before = g.cellHeight();
    shown.panel->canvas().wheel(shown.at({400, 200}), {0, 1});
    QCOMPARE(g.cellHeight(), before);
    QTRY_VERIFY(g.cellHeight() > before);
    QTRY_VERIFY(std::abs(g.cellHeight() - before * 1.25) < 1e-9);
    // What comes into the middle of it finds it done.
    shown.panel->canvas().wheel(shown.at({400, 200}), {0, 1});
    shown.key(Qt::Key_F);
    QVERIFY(std::abs(g.rowsInSight() - 999.0) < 1.0);
    // A zoom that went on would move the rows within this time.
    const auto isMoved = [&g] { return std::abs(g.rowsInSight() - 999.0) >= 1.0; };
    QVERIFY(!QTest::qWaitFor(isMoved, ZoomMotion::kDurationMs + kSettleMs));
  }

  void theWheelZoomsAndScrolls() {
    setReducedMotion(true);
    Shown shown(1000, MapMode::TokenExpert);
    const auto& g = shown.panel->canvas().scene().geometry;
    const double before = g.cellHeight();
    shown.panel->canvas().wheel(shown.at({400, 200}), {0, 1});
    QVERIFY(g.cellHeight() > before);
    const double first = g.firstRow();
    shown.panel->canvas().wheel(shown.at({60, 200}), {0, -1});  // over the token column
    QCOMPARE(g.firstRow(), first + 3.0);
    shown.key(Qt::Key_F);
    QVERIFY(std::abs(g.rowsInSight() - 999.0) < 1.0);
    shown.settle();
    shown.draw();
    QCOMPARE(shown.panel->canvas().scene().tokens->request.step, 4);  // at least one pixel a row
  }

  void newTokensMoveNothing() {
    Shown shown(400, MapMode::TokenExpert);
    shown.context.selection().setTokens({100, 101});
    shown.settle();
    const auto& g = shown.panel->canvas().scene().geometry;
    const double first = g.firstRow(), height = g.cellHeight();
    shown.run->append(50);
    QVERIFY(QTest::qWaitFor([&] { return g.rows() == 449; }));
    shown.settle();
    QCOMPARE(g.firstRow(), first);
    QCOMPARE(g.cellHeight(), height);
    QCOMPARE(shown.context.selection().tokens(), (trace::TokenRange{100, 101}));
  }

  void theSampleLineCountsWhatIsShown() {
    Shown shown(201);
    QCOMPARE(shown.panel->sampleLine().sample(),
             QStringLiteral("Run Sunset, steered · tokens 0–199, prefill and decode · 200 tokens × 6 layers "
                            "× top-4: 4800 choices"));
    MapSettings settings = shown.panel->settings();
    settings.window = {MapWindow::Kind::Last, 128};
    shown.panel->setSettings(settings);
    shown.settle();
    QVERIFY(
        shown.panel->sampleLine().sample().contains(QStringLiteral("tokens 72–199, decode · 128 tokens")));
    settings.window = {MapWindow::Kind::Selection, 0};
    shown.panel->setSettings(settings);
    shown.settle();
    QVERIFY(shown.panel->sampleLine().sample().contains(QStringLiteral("no tokens selected")));
    shown.context.selection().setTokens({10, 20});
    shown.settle();
    QVERIFY(shown.panel->sampleLine().sample().contains(QStringLiteral("tokens 10–19")));
  }

  void theFigureIsWhatIsShown() {
    Shown shown(301);
    shown.click("layer 4/expert 9");
    shown.key(Qt::Key_B);
    auto spec = shown.panel->figureSpec();
    QVERIFY(spec.has_value());
    QCOMPARE(spec->kind, std::string("routing-map"));
    QCOMPARE(spec->map->values[4 * 16 + 9], static_cast<double>(shown.run->count(4, 9, 0, 300)) * 16 / 1200);
    QCOMPARE(spec->map->marks.size(), std::size_t{1});
    // A range that was dragged is exported, and a double-click takes it back.
    const Point end = shown.centre("colour bar/high");
    shown.drag(end, {end.x + 60, end.y});
    shown.drop({end.x + 60, end.y});
    spec = shown.panel->figureSpec();
    QVERIFY(spec->map->colours.max > 4.0);
    QVERIFY(std::abs(spec->map->colours.max * spec->map->colours.min - 1.0) < 1e-9);
    shown.panel->canvas().doubleClick(shown.at(shown.centre("colour bar"), Qt::LeftButton));
    QCOMPARE(shown.panel->figureSpec()->map->colours.max, 4.0);
    MapSettings settings = shown.panel->settings();
    settings.mode = MapMode::TokenExpert;
    settings.router = 3;
    shown.panel->setSettings(settings);
    shown.settle();
    spec = shown.panel->figureSpec();
    QVERIFY(spec.has_value());
    QCOMPARE(spec->kind, std::string("token-expert"));
    const auto& g = shown.panel->canvas().scene().geometry;
    QCOMPARE(spec->map->rows, static_cast<int>(g.endRow() - g.beginRow()));
  }

  void sortingIsStable() {
    Shown shown(201);
    shown.panel->canvas().sortBy(shown.panel->canvas().scene().layers->loads);
    const auto& scene = shown.panel->canvas().scene();
    std::vector<int> order;
    std::int64_t last = std::numeric_limits<std::int64_t>::max();
    for (int place = 0; place < 16; ++place) {
      order.push_back(scene.expertAt({2, place})->expert.value);
      const std::int64_t chosen = shown.run->count(2, order.back(), 0, 200);
      QVERIFY(chosen <= last);
      last = chosen;
    }
    shown.run->append(400);
    shown.settle();
    QVERIFY(QTest::qWaitFor([&] { return scene.layers->tokens.end == 600; }));
    for (int place = 0; place < 16; ++place)
      QCOMPARE(scene.expertAt({2, place})->expert.value, order[static_cast<std::size_t>(place)]);
    const auto spec = shown.panel->figureSpec();
    QCOMPARE(spec->map->values[2 * 16],
             static_cast<double>(shown.run->count(2, order[0], 0, 600)) * 16 / 2400);
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
