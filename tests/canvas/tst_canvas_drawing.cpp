// Canvases on a real display: shapes, heatmaps and texts reach the screen where and as they should.
// Run at scale 1, 1.5 and 2.
#include "tests/canvas/canvas_bench.h"
#include "tests/support/gui_test.h"
#include "views/canvas/canvas_fonts.h"

namespace moescope::views {

class TestCanvasDrawing : public QObject {
  Q_OBJECT

 private Q_SLOTS:
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
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestCanvasDrawing)
#include "tst_canvas_drawing.moc"
