// Canvases on a real display: mouse, wheel and keys reach the canvas, tool tips come and go.
// Run at scale 1, 1.5 and 2.
#include <QAction>
#include <QMainWindow>
#include <QScreen>

#include "tests/canvas/canvas_bench.h"
#include "tests/support/gui_test.h"

namespace moescope::views {

class TestCanvasInput : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void clickReachesTheCanvas() {
    Shown shown;
    QTest::mouseClick(&shown.widget, Qt::LeftButton, Qt::ShiftModifier, shown.middleOf("layer 3/expert 17"));
    QCOMPARE(shown.canvas.presses.size(), 1U);
    QCOMPARE(shown.canvas.presses[0].region, std::string("layer 3/expert 17"));
    QCOMPARE(shown.canvas.presses[0].button, Qt::LeftButton);
    QVERIFY(shown.canvas.presses[0].modifiers & Qt::ShiftModifier);
    QCOMPARE(shown.canvas.releases.size(), 1U);
    QTest::mouseClick(&shown.widget, Qt::LeftButton, {}, QPoint(10, 10));
    QCOMPARE(shown.canvas.presses[1].region, std::string("map"));
    QTest::mouseClick(&shown.widget, Qt::LeftButton, {}, QPoint(350, 250));
    QCOMPARE(shown.canvas.presses[2].region, std::string());
    QTest::mouseDClick(&shown.widget, Qt::LeftButton, {}, QPoint(10, 10));
    QCOMPARE(shown.canvas.doubleClicks.size(), 1U);
  }

  void regionsAreClipped() {
    Shown shown([](CanvasPainter& painter) {
      painter.pushClip({200, 200, 50, 50});
      painter.hitRegion({180, 180, 40, 40}, "cut");
      painter.hitRegion({300, 200, 40, 40}, "outside");
      painter.popClip();
    });
    QCOMPARE(shown.widget.regionAt({205, 205}), std::string("cut"));
    QCOMPARE(shown.widget.regionAt({190, 190}), std::string("map"));
    QVERIFY(!shown.widget.regionRect("outside"));
    QCOMPARE(shown.widget.regionRect("cut")->width, 20.0F);
  }

  void keysAndShortcuts() {
    TestCanvas canvas;
    QMainWindow window;
    auto* widget = new CanvasWidget(canvas);
    window.setCentralWidget(widget);
    int stops = 0, boosts = 0;
    auto* stop = new QAction(&window);
    stop->setShortcut(Qt::Key_Escape);
    connect(stop, &QAction::triggered, &window, [&stops] { ++stops; });
    window.addAction(stop);
    auto* letter = new QAction(&window);
    letter->setShortcut(Qt::Key_B);
    connect(letter, &QAction::triggered, &window, [&boosts] { ++boosts; });
    window.addAction(letter);
    window.resize(300, 200);
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    widget->setFocus();
    QTest::keyClick(widget, Qt::Key_B);
    QTest::keyClick(widget, Qt::Key_Left);
    QCOMPARE(canvas.keys, (std::vector<int>{Qt::Key_B, Qt::Key_Left}));
    QCOMPARE(boosts, 0);
    QTest::keyClick(widget, Qt::Key_Escape);
    QCOMPARE(stops, 1);
    // While a drag is on, Esc takes it back and stops nothing.
    QTest::mousePress(widget, Qt::LeftButton, {}, QPoint(50, 50));
    QTest::keyClick(widget, Qt::Key_Escape);
    QCOMPARE(stops, 1);
    QCOMPARE(canvas.keys.back(), static_cast<int>(Qt::Key_Escape));
    QTest::mouseRelease(widget, Qt::LeftButton, {}, QPoint(50, 50));
  }

  void wheelAndContextMenu() {
    Shown shown;
    const QPointF at(110, 70);
    QWheelEvent turn(at, shown.widget.mapToGlobal(at), {}, QPoint(0, 240), Qt::NoButton, Qt::ControlModifier,
                     Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(&shown.widget, &turn);
    QCOMPARE(shown.canvas.wheels.size(), 1U);
    QCOMPARE(shown.canvas.wheels[0].second, QPointF(0, 2));
    QCOMPARE(shown.canvas.wheels[0].first.region, std::string("layer 3/expert 17"));
    QContextMenuEvent click(QContextMenuEvent::Mouse, QPoint(110, 70),
                            shown.widget.mapToGlobal(QPoint(110, 70)));
    QCoreApplication::sendEvent(&shown.widget, &click);
    QCOMPARE(shown.canvas.menus.size(), 1U);
    QCOMPARE(shown.canvas.menus[0].region, std::string("layer 3/expert 17"));
    shown.widget.requestContextMenu();
    QCOMPARE(shown.canvas.menus[1].region, std::string());
  }

  void toolTipComesAndGoes() {
    Shown shown;
    shown.widget.activateWindow();
    const auto tip = [&] { return shown.widget.findChild<CanvasToolTip*>(); };
    QTest::mouseMove(&shown.widget, QPoint(30, 30));
    QTest::mouseMove(&shown.widget, shown.middleOf("layer 3/expert 17"));
    QTRY_VERIFY(tip() != nullptr && tip()->isVisible());
    const QRect cell(shown.widget.mapToGlobal(QPoint(100, 60)), QSize(40, 24));
    QVERIFY(!tip()->geometry().intersects(cell));
    QVERIFY(shown.widget.screen()->availableGeometry().contains(tip()->geometry()));
    QTest::mouseMove(&shown.widget, QPoint(300, 250));
    QTRY_VERIFY(!tip()->isVisible());
    QTest::mouseMove(&shown.widget, shown.middleOf("layer 3/expert 17"));
    QTRY_VERIFY(tip()->isVisible());
    QTest::mousePress(&shown.widget, Qt::LeftButton, {}, shown.middleOf("layer 3/expert 17"));
    QVERIFY(!tip()->isVisible());
    QTest::mouseRelease(&shown.widget, Qt::LeftButton, {}, shown.middleOf("layer 3/expert 17"));
  }

  void toolTipStaysOnTheScreenAndClear_data() {
    QTest::addColumn<QRect>("cell");
    QTest::newRow("middle") << QRect(500, 400, 14, 24);
    QTest::newRow("left edge") << QRect(0, 400, 14, 24);
    QTest::newRow("right edge") << QRect(986, 400, 14, 24);
    QTest::newRow("top right") << QRect(986, 0, 14, 24);
    QTest::newRow("bottom left") << QRect(0, 776, 14, 24);
    QTest::newRow("bottom right") << QRect(986, 776, 14, 24);
    QTest::newRow("whole row") << QRect(0, 300, 1000, 24);
    QTest::newRow("whole column") << QRect(490, 0, 14, 800);
  }
  void toolTipStaysOnTheScreenAndClear() {
    QFETCH(QRect, cell);
    const QRect screen(0, 0, 1000, 800);
    for (const QSize size : {QSize(120, 40), QSize(300, 160), QSize(480, 260)}) {
      const QRect tip(toolTipPosition(size, cell, screen), size);
      QVERIFY(screen.contains(tip));
      QVERIFY(!tip.intersects(cell));
    }
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestCanvasInput)
#include "tst_canvas_input.moc"
