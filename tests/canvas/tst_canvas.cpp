// Canvases on a real display: what is drawn reaches the screen, mouse and keys reach the canvas, nothing is
// drawn at rest, and a new OpenGL context changes nothing. Run at scale 1, 1.5 and 2.
#include <QDockWidget>
#include <QMainWindow>
#include <QMenu>
#include <QScreen>
#include <QSignalSpy>
#include <QVBoxLayout>

#include <functional>

#include "tests/support/gui_test.h"
#include "views/api/canvas_widget.h"
#include "views/canvas/canvas_fonts.h"
#include "views/canvas/canvas_tool_tip.h"

namespace moescope::views {

namespace {

constexpr Colour kRed{200, 30, 30}, kBlue{20, 60, 220};
constexpr Rect kCell{100, 60, 40, 24};

class TestCanvas : public Canvas {
 public:
  std::function<void(CanvasPainter&)> draw = [](CanvasPainter&) {};
  std::vector<CanvasEvent> presses, releases, moves, doubleClicks, menus;
  std::vector<std::pair<CanvasEvent, QPointF>> wheels;
  std::vector<int> keys;
  std::vector<bool> focus;
  bool usesKeys = true;
  int left = 0, built = 0;
  Rect area;

  void build(Rect given, CanvasPainter& painter) override {
    area = given;
    ++built;
    painter.fillRect(kCell, kRed);
    painter.hitRegion({0, 0, 200, 200}, "map");
    painter.hitRegion(kCell, "layer 3/expert 17");
    draw(painter);
  }
  void press(const CanvasEvent& event) override { presses.push_back(event); }
  void move(const CanvasEvent& event) override { moves.push_back(event); }
  void release(const CanvasEvent& event) override { releases.push_back(event); }
  void doubleClick(const CanvasEvent& event) override { doubleClicks.push_back(event); }
  void leave() override { ++left; }
  void wheel(const CanvasEvent& event, QPointF steps) override { wheels.emplace_back(event, steps); }
  void contextMenu(const CanvasEvent& event) override { menus.push_back(event); }
  bool key(const QKeyEvent& event) override {
    keys.push_back(event.key());
    return usesKeys;
  }
  void focusChanged(bool hasFocus) override { focus.push_back(hasFocus); }
  std::optional<ToolTipContent> toolTip(const CanvasEvent& event) override {
    if (event.region != "layer 3/expert 17") return std::nullopt;
    ToolTipContent content;
    content.heading = QStringLiteral("Layer 3 · expert 17");
    content.tag = QStringLiteral("boosted +1.50");
    content.rows = {{QStringLiteral("load share m"), QStringLiteral("4.88 %")},
                    {QStringLiteral("·light"), QStringLiteral("0.41"), 0.41, true}};
    content.footer = QStringLiteral("click selects");
    content.clearOf = kCell;
    return content;
  }
};

struct Shown {
  TestCanvas canvas;
  CanvasWidget widget{canvas};
  explicit Shown(
      std::function<void(CanvasPainter&)> draw = [](CanvasPainter&) {}, QSize size = {400, 300}) {
    canvas.draw = std::move(draw);
    widget.resize(size);
    widget.show();
    if (!QTest::qWaitForWindowExposed(&widget)) qFatal("no window");
    waitForIdle();
  }
  void waitForIdle() {
    long before = -1;
    while (before != widget.frameCount()) {
      before = widget.frameCount();
      QTest::qWait(60);
    }
  }
  QPoint middleOf(std::string_view region) {
    const Rect rect = widget.regionRect(region).value();
    return {static_cast<int>(rect.x + rect.width / 2), static_cast<int>(rect.y + rect.height / 2)};
  }
};

QColor pixel(const QImage& image, double x, double y) {
  const double ratio = image.devicePixelRatio();
  return image.pixelColor(static_cast<int>(x * ratio), static_cast<int>(y * ratio));
}
QColor q(Colour c) { return {c.r, c.g, c.b}; }

int pixelsUnlike(const QImage& image, QRectF logical, const QColor& ground) {
  const double ratio = image.devicePixelRatio();
  int count = 0;
  for (int y = static_cast<int>(logical.top() * ratio); y < static_cast<int>(logical.bottom() * ratio); ++y) {
    for (int x = static_cast<int>(logical.left() * ratio); x < static_cast<int>(logical.right() * ratio);
         ++x) {
      if (image.pixelColor(x, y) != ground) ++count;
    }
  }
  return count;
}

}  // namespace

class TestCanvasWidget : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void scaleIsTheOneAskedFor() {
    Shown shown;
    const double scale = qEnvironmentVariable("QT_SCALE_FACTOR", QStringLiteral("1")).toDouble();
    QCOMPARE(shown.widget.devicePixelRatioF(), scale);
    QCOMPARE(shown.widget.picture().size(), QSize(qRound(400 * scale), qRound(300 * scale)));
    QCOMPARE(shown.canvas.area.width, 400.0F);  // logical pixels at every scale
  }

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

  void noFramesAtRest() {
    Shown shown;
    const long before = shown.widget.frameCount();
    QTest::qWait(1000);
    QCOMPARE(shown.widget.frameCount(), before);
    for (int i = 0; i < 10; ++i) shown.widget.wake();
    QTRY_COMPARE(shown.widget.frameCount(), before + 1);
    QTest::qWait(200);
    QCOMPARE(shown.widget.frameCount(), before + 1);
    QVERIFY(shown.widget.lastFrameMs() > 0.0);
  }

  void shapesHaveTheirColours() {
    Shown shown([](CanvasPainter& painter) {
      painter.strokeRect({10, 100, 60, 40}, kBlue, 2.0F);
      painter.fillTriangle({200, 100}, {240, 140}, {200, 140}, kBlue);
      painter.pushClip({300, 100, 20, 20});
      painter.fillRect({290, 90, 60, 60}, kBlue);
      painter.popClip();
      painter.line({10, 200}, {100, 200}, kBlue, 2.0F);
    });
    const QImage image = shown.widget.picture();
    const QColor ground = Theme::current().colour(ColourRole::Canvas);
    QCOMPARE(pixel(image, 120, 70), q(kRed));
    QCOMPARE(pixel(image, 99, 70), ground);
    QCOMPARE(pixel(image, 11, 120), q(kBlue));  // the outline lies inside
    QCOMPARE(pixel(image, 69, 120), q(kBlue));
    QCOMPARE(pixel(image, 9, 120), ground);
    QCOMPARE(pixel(image, 40, 120), ground);
    QCOMPARE(pixel(image, 205, 135), q(kBlue));
    QCOMPARE(pixel(image, 235, 105), ground);
    QCOMPARE(pixel(image, 310, 110), q(kBlue));
    QCOMPARE(pixel(image, 325, 110), ground);
    QCOMPARE(pixel(image, 50, 199.5), q(kBlue));
    QCOMPARE(pixel(image, 50, 202), ground);
  }

  void hatchCoversAThird() {
    const Rect cell{200, 20, 60, 60};
    Shown shown([cell](CanvasPainter& painter) { painter.hatch(cell, kBlue, true); });
    const QImage image = shown.widget.picture();
    double cover = 0;
    int count = 0;
    const double ratio = image.devicePixelRatio();
    for (int y = qRound(20 * ratio); y < qRound(80 * ratio); ++y) {
      for (int x = qRound(200 * ratio); x < qRound(260 * ratio); ++x, ++count) {
        // Share of the way from the ground to the colour, in the channel that differs most.
        const double ground = Theme::current().colour(ColourRole::Canvas).blue();
        cover += (image.pixelColor(x, y).blue() - ground) / (kBlue.b - ground);
      }
    }
    cover /= count;
    // 2 of 6 px; half a pixel of antialiasing on each side of a stripe.
    QVERIFY2(cover > 0.28 && cover < 0.48, qPrintable(QString::number(cover)));
    QCOMPARE(pixelsUnlike(image, QRectF(195, 20, 4, 60), Theme::current().colour(ColourRole::Canvas)), 0);
    QCOMPARE(pixelsUnlike(image, QRectF(262, 20, 4, 60), Theme::current().colour(ColourRole::Canvas)), 0);
  }

  void heatMapIsOneImage_data() {
    QTest::addColumn<int>("rows");
    QTest::addColumn<int>("columns");
    QTest::newRow("layers x experts") << 48 << 128;
    QTest::newRow("tokens x experts") << 4096 << 128;
  }
  void heatMapIsOneImage() {
    QFETCH(int, rows);
    QFETCH(int, columns);
    std::vector<Colour> cells(static_cast<std::size_t>(rows * columns));
    const auto colourOf = [](int row, int column) {
      return Colour{static_cast<std::uint8_t>(row * 37 % 251), static_cast<std::uint8_t>(column * 3 % 256),
                    static_cast<std::uint8_t>((row + column) % 256)};
    };
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) cells[static_cast<std::size_t>(r * columns + c)] = colourOf(r, c);
    }
    std::uint64_t version = 1;
    // A window of 32 x 32 cells of it, 8 logical pixels a cell.
    const int firstRow = rows - 40;
    Shown shown([&](CanvasPainter& painter) {
      painter.image({"map", version, columns, rows, cells}, {20, 20, 256, 256},
                    {16, static_cast<float>(firstRow), 32, 32});
    });
    const QImage image = shown.widget.picture();
    for (int r = 0; r < 32; ++r) {
      for (int c = 0; c < 32; ++c)
        QCOMPARE(pixel(image, 20 + 8 * c + 4, 20 + 8 * r + 4), q(colourOf(firstRow + r, 16 + c)));
    }
    // The same version is not read again, a new one is.
    std::fill(cells.begin(), cells.end(), kBlue);
    QCOMPARE(pixel(shown.widget.picture(), 24, 24), q(colourOf(firstRow, 16)));
    ++version;
    QCOMPARE(pixel(shown.widget.picture(), 24, 24), q(kBlue));
  }

  void textStandsWhereItShould() {
    float width = 0;
    Shown shown([&](CanvasPainter& painter) {
      width = painter.textWidth("Load share", FontRole::Small);
      painter.text({20, 150}, "Load share", {255, 255, 255}, FontRole::Small);
      painter.text({200, 200}, "Load share", {255, 255, 255}, FontRole::Small, Align::Right);
    });
    const QImage image = shown.widget.picture();
    const QColor ground = Theme::current().colour(ColourRole::Canvas);
    // Qt measures the same font.
    const double expected =
        QFontMetricsF(qtFont(FontRole::Small)).horizontalAdvance(QStringLiteral("Load share"));
    QVERIFY2(std::abs(width - expected) < 0.06 * expected,
             qPrintable(QStringLiteral("%1 and %2").arg(width).arg(expected)));
    QVERIFY(pixelsUnlike(image, QRectF(20, 143, width, 14), ground) > 60);
    QCOMPARE(pixelsUnlike(image, QRectF(20, 120, width, 20), ground), 0);
    QCOMPARE(pixelsUnlike(image, QRectF(20, 160, width, 20), ground), 0);
    QVERIFY(pixelsUnlike(image, QRectF(200 - width, 193, width, 14), ground) > 60);
    QCOMPARE(pixelsUnlike(image, QRectF(202, 193, 60, 14), ground), 0);
  }

  void tokensOfAnyScript_data() {
    QTest::addColumn<QString>("text");
    QTest::newRow("latin") << QStringLiteral("·straight");
    QTest::newRow("arrows") << QStringLiteral("↵→␣");
    QTest::newRow("bytes") << QStringLiteral("‹E2›");
    QTest::newRow("greek") << QStringLiteral("σήμερα");
  }
  void tokensOfAnyScript() {
    QFETCH(QString, text);
    const std::string utf8 = text.toStdString();
    float width = 0;
    Shown shown([&](CanvasPainter& painter) {
      width = painter.textWidth(utf8, FontRole::Mono);
      painter.shapedText({20, 150}, utf8, {255, 255, 255});
    });
    QVERIFY(width > 5);
    QCOMPARE(width, static_cast<float>(QFontMetricsF(qtFont(FontRole::Mono)).horizontalAdvance(text)));
    const QColor ground = Theme::current().colour(ColourRole::Canvas);
    const QImage image = shown.widget.picture();
    QVERIFY(pixelsUnlike(image, QRectF(20, 141, width, 18), ground) > 15);
    QCOMPARE(pixelsUnlike(image, QRectF(20 + width + 3, 141, 40, 18), ground), 0);
  }

  void manyTextsAreEvictedNotLost() {
    // More than a page of texts, new ones in each frame; the last frame is compared with a fresh canvas.
    int round = 0;
    const auto draw = [&round](CanvasPainter& painter) {
      for (int i = 0; i < 120; ++i) {
        const std::string text = "token " + std::to_string(round * 1000 + i);
        painter.shapedText({static_cast<float>(10 + 80 * (i % 8)), static_cast<float>(10 + 18 * (i / 8))},
                           text, {255, 255, 255});
      }
    };
    Shown shown(draw, {660, 300});
    QImage last;
    for (round = 0; round < 40; ++round) last = shown.widget.picture();
    --round;
    Shown fresh(draw, {660, 300});
    fresh.widget.setFocus();
    QCOMPARE(last, fresh.widget.picture());
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
      dock->setFloating(true);
      QVERIFY(QTest::qWaitForWindowExposed(dock));
      QTest::qWait(50);
      QCOMPARE(widget->picture(), docked);
      dock->setFloating(false);
      QTest::qWait(50);
      QCOMPARE(widget->picture(), docked);
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

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestCanvasWidget)
#include "tst_canvas.moc"
