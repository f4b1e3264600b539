// Canvases on a real display: frames on demand, nothing drawn at rest, and a new OpenGL context, a second
// canvas or another theme do not disturb the picture. Run at scale 1, 1.5 and 2.
#include <QDockWidget>
#include <QMainWindow>
#include <QVBoxLayout>

#include "tests/canvas/canvas_bench.h"
#include "tests/support/gui_test.h"

namespace moescope::views {

class TestCanvasFrames : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void scaleIsTheOneAskedFor() {
    Shown shown;
    const double scale = qEnvironmentVariable("QT_SCALE_FACTOR", QStringLiteral("1")).toDouble();
    QCOMPARE(shown.widget.devicePixelRatioF(), scale);
    QCOMPARE(shown.widget.picture().size(), QSize(qRound(400 * scale), qRound(300 * scale)));
    QCOMPARE(shown.canvas.area.width, 400.0F);  // logical pixels at every scale
  }

  void noFramesAtRest() {
    Shown shown;
    const auto frames = [&shown] { return shown.widget.frameCount(); };
    QVERIFY(staysAtRest(frames));
    const long before = frames();
    for (int i = 0; i < 10; ++i) shown.widget.wake();
    QTRY_COMPARE(frames(), before + 1);
    QVERIFY(staysAtRest(frames));
    QVERIFY(shown.widget.lastFrameMs() > 0.0);
  }

  void floatingAndDockingChangeNothing() {
    TestCanvas canvas;
    canvas.draw = [](CanvasPainter& painter) {
      static const std::vector<Colour> kCells{kRed, kBlue, kBlue, kRed};
      painter.image({"map", 1, 2, 2, kCells}, {200, 20, 80, 80}, {0, 0, 2, 2});
      painter.text({20, 150}, "Load share", {255, 255, 255});
      painter.shapedText({20, 180}, "·straight ↵", {255, 255, 255});
    };
    QMainWindow window;
    window.setCentralWidget(new QWidget);
    auto* dock = new QDockWidget(&window);
    auto* widget = new CanvasWidget(canvas);
    widget->setFixedSize(300, 200);
    dock->setWidget(widget);
    window.addDockWidget(Qt::LeftDockWidgetArea, dock);
    window.resize(800, 600);
    window.show();
    QVERIFY(QTest::qWaitForWindowExposed(&window));
    QTRY_VERIFY(widget->frameCount() > 0);
    const QImage docked = widget->picture();
    QVERIFY(pixelsUnlike(docked, QRectF(200, 20, 80, 80), Theme::current().colour(ColourRole::Canvas)) >
            6000);
    for (int time = 0; time < 2; ++time) {
      for (const bool floating : {true, false}) {
        const long before = widget->frameCount();
        dock->setFloating(floating);
        QTRY_VERIFY(widget->frameCount() > before);  // in the new OpenGL context
        QCOMPARE(widget->picture(), docked);
      }
    }
    QTest::mouseClick(widget, Qt::LeftButton, {}, QPoint(110, 70));
    QCOMPARE(canvas.presses.size(), 1U);
    QCOMPARE(canvas.presses[0].region, std::string("layer 3/expert 17"));
  }

  void twoCanvasesDoNotDisturbEachOther() {
    TestCanvas a, b;
    a.draw = [](CanvasPainter& painter) { painter.fillRect({0, 200, 50, 50}, kBlue); };
    QWidget window;
    auto* column = new QVBoxLayout(&window);
    auto* first = new CanvasWidget(a);
    auto* second = new CanvasWidget(b);
    first->setFixedSize(300, 260);
    second->setFixedSize(300, 260);
    column->addWidget(first);
    column->addWidget(second);
    window.show();
    QVERIFY(QTest::qWaitForWindowExposed(&window));
    QTRY_VERIFY(first->frameCount() > 0 && second->frameCount() > 0);
    QCOMPARE(pixel(first->picture(), 25, 225), q(kBlue));
    QCOMPARE(pixel(second->picture(), 25, 225), Theme::current().colour(ColourRole::Canvas));
  }

  void themeChangesAtOnce() {
    Shown shown;
    const QColor dark = pixel(shown.widget.picture(), 350, 250);
    QCOMPARE(dark, Theme::current().colour(ColourRole::Canvas));
    const long before = shown.widget.frameCount();
    chooseTheme(ThemeChoice::Light);
    QTRY_VERIFY(shown.widget.frameCount() > before);
    QCOMPARE(pixel(shown.widget.picture(), 350, 250), QColor(Qt::white));
    chooseTheme(ThemeChoice::Dark);
  }

  void focusIsShown() {
    Shown shown;
    shown.widget.activateWindow();
    shown.widget.setFocus();
    QTRY_VERIFY(shown.widget.hasFocus());
    QCOMPARE(pixel(shown.widget.picture(), 1, 150), Theme::current().colour(ColourRole::Accent));
    QVERIFY(shown.canvas.focus.back());
    shown.widget.clearFocus();
    QCOMPARE(pixel(shown.widget.picture(), 1, 150), Theme::current().colour(ColourRole::Canvas));
    QVERIFY(!shown.canvas.focus.back());
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestCanvasFrames)
#include "tst_canvas_frames.moc"
