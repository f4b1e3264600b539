// What the routing map shows: marks of rules, counted numbers, the part that is in sight, its sample, its
// figure and its order.
#include "tests/canvas/routing_map_bench.h"
#include "tests/support/canvas_rest.h"
#include "views/api/motion.h"
#include "views/api/sample_line.h"
#include "views/panels/routing_map/zoom_motion.h"

namespace moescope::views {

namespace {

using Shown = RoutingMapBench;

}  // namespace

class TestRoutingMapContent : public QObject {
  Q_OBJECT

 private Q_SLOTS:
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
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRoutingMapContent)
#include "tst_routing_map_content.moc"
