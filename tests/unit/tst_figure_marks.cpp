// What stands in a figure beside its lines: broken axes, bands, intervals, groups, labels and evidence are
// where their values are and not told apart by colour alone.
#include <QtTest>

#include <limits>
#include <set>

#include "tests/support/svg_texts.h"
#include "views/figure/figure_painter.h"
#include "views/figure/figure_writer.h"
#include "views/figure/label_placer.h"
#include "views/figure/line_look.h"

using namespace moescope;
using figure::AxisKind;
using tests::svgTexts;
using tests::wordsOf;

namespace {

constexpr double kDots = 720;  // one pixel a unit of the layout

figure::FigureSpec single() {
  figure::FigureSpec spec;
  spec.x = {"Step", 50, 2500, {}, false, {}, AxisKind::LogZero};
  spec.y = {"CV", 0, 3, {}, false, {}};
  return spec;
}

}  // namespace

class TestFigureMarks : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { QVERIFY(views::loadFigureFonts(QStringLiteral(MOESCOPE_RESOURCES "/fonts"))); }

  void zeroStandsApart() {
    figure::FigureSpec spec = single();
    figure::Line line;
    line.x = {0, 64, 2000};
    line.y = {1, 1, 1};
    line.low = {0.5, 0.9, 0.9};
    line.high = {1.5, 1.1, 1.1};
    line.marker = figure::Marker::None;
    spec.lines = {line};
    const views::FigurePainter painter(spec, false);
    const auto& panel = painter.layout().panels[0];
    const QImage image = views::figureImage(spec, kDots);
    const QColor white(Qt::white);
    // Neither line nor band runs over the break.
    const double gap = (panel.x(0) + panel.x(64)) / 2;
    QCOMPARE(image.pixelColor(QPointF(gap, panel.y(1)).toPoint()), white);
    QVERIFY(image.pixelColor(QPointF(panel.x(300), panel.y(1)).toPoint()) == QColor(Qt::black));
    QVERIFY(image.pixelColor(QPointF(panel.x(300), panel.y(1.06)).toPoint()) != white);
    // The interval of the point apart is an error bar.
    QVERIFY(image.pixelColor(QPointF(panel.x(0), panel.y(1.4)).toPoint()) != white);
    QVERIFY(image.pixelColor(QPointF(panel.x(0) + 40, panel.y(1.4)).toPoint()) == white);
    QVERIFY(wordsOf(svgTexts(spec)).contains(QStringLiteral("0")));
    QVERIFY(wordsOf(svgTexts(spec)).contains(QStringLiteral("1\u2009k")));
  }

  void linesDifferInMoreThanColour() {
    const views::FigureStyle style = views::styleOf(single());
    for (const int points : {5, 100}) {
      figure::FigurePanel panel;
      for (int i = 0; i <= figure::kLastColour; ++i) {
        figure::Line line;
        line.colour = i;
        line.x.assign(static_cast<std::size_t>(points), 0.0);
        panel.lines.push_back(line);
      }
      std::set<std::pair<int, QList<qreal>>> looks;
      for (const figure::Line& line : panel.lines) {
        const views::LineLook look = views::lookOf(line, panel, style);
        looks.insert({static_cast<int>(look.marker), look.pen.dashPattern()});
      }
      QCOMPARE(looks.size(), panel.lines.size());
    }
  }

  void trajectoryHasLabelsAndGroups() {
    figure::FigureSpec spec = single();
    spec.groups = {{"surge", 5, figure::Marker::Triangle}, {"unused", 0, figure::Marker::Square}};
    spec.x = {"Balance", 0, 4, {}, false, {}};
    figure::Line line;
    line.x = {3.5, 2.0, 1.9, 1.0};
    line.y = {2.8, 2.0, 1.9, 0.5};
    line.labels = {"0", "64", "", "2067"};
    line.groups = {0, 0, -1, -1};
    line.arrows = true;
    line.ringed = 3;
    spec.lines = {line};
    const QStringList words = wordsOf(svgTexts(spec));
    for (const char* word : {"surge", "64", "2067"}) QVERIFY2(words.contains(QLatin1String(word)), word);
    QVERIFY(!words.contains(QStringLiteral("unused")));
    // Orange has a dark edge: its marker has both colours.
    const views::FigurePainter painter(spec, false);
    const QImage image = views::figureImage(spec, kDots);
    QCOMPARE(image.pixelColor(painter.layout().panels[0].at(3.5, 2.8).toPoint()), QColor(0xE6, 0x9F, 0x00));
  }

  void labelsKeepClear() {
    views::LabelPlacer placer(QRectF(0, 0, 1000, 1000));
    placer.addLine({0, 500, 1000, 500});
    QList<QRectF> placed;
    for (int i = 0; i < 20; ++i) {
      const QPointF point(50.0 * i, 500);
      if (const auto box = placer.place(views::LabelPlacer::around(point, {120, 60}, 30), false)) {
        QVERIFY(box->bottom() <= 500 || box->top() >= 500);
        for (const QRectF& other : placed) QVERIFY(!other.intersects(*box));
        placed << *box;
      }
    }
    QVERIFY(placed.size() >= 8 && placed.size() < 20);
    // On a line rather than nowhere, but never on a box.
    views::LabelPlacer narrow(QRectF(0, 470, 1000, 60));
    narrow.addLine({0, 500, 1000, 500});
    const QList<QRectF> places = views::LabelPlacer::around({500, 500}, {100, 50}, 20);
    QVERIFY(!narrow.place(places, false));
    QVERIFY(narrow.place(places, true));
    narrow.addBox({0, 470, 1000, 60});
    QVERIFY(!narrow.place(places, true));
  }

  void bandsCoverTheirRange() {
    figure::FigureSpec spec = single();
    spec.x.kind = AxisKind::Log10;
    spec.bands = {{100, 1000, "collapse", "100–1 k", 0, false}};
    const views::FigurePainter painter(spec, false);
    const auto& panel = painter.layout().panels[0];
    const QImage image = views::figureImage(spec, kDots);
    const auto at = [&](double x) { return image.pixelColor(QPointF(panel.x(x), panel.y(1.0)).toPoint()); };
    QCOMPARE(at(98), QColor(Qt::white));
    QVERIFY(at(103) != QColor(Qt::white));
    QCOMPARE(at(970), at(103));
    QCOMPARE(at(1030), QColor(Qt::white));
    const QStringList words = wordsOf(svgTexts(spec));
    QVERIFY(words.contains(QStringLiteral("collapse")) && words.contains(QStringLiteral("100–1 k")));
  }

  void evidenceInMaps() {
    figure::FigureSpec spec;
    spec.x = {"Expert", -0.5, 2.5, {}, false, {}};
    spec.y = {"", -0.5, 1.5, {{0, "code"}, {1, "rare"}}, true, {}, AxisKind::Category};
    figure::HeatMap map;
    map.rows = 2;
    map.columns = 3;
    map.values = {4, 4, 4, 4, 4, 4};
    map.colours = {figure::ColourMapId::Diverging, figure::ScaleKind::Log2, 0.25, 4, "Rate ÷ chance"};
    map.indistinct = {true, false, false, false, false, false};
    map.missingRows = {1};
    map.missingText = "fewer than 1000 tokens";
    spec.map = map;
    const auto pixel = [&](double x, double y) {
      const views::FigurePainter painter(spec, false);
      return views::figureImage(spec, kDots).pixelColor(painter.layout().panels[0].at(x, y).toPoint());
    };
    QCOMPARE(pixel(0.2, 0.2), QColor(0xE6, 0xE8, 0xEB));
    QCOMPARE(pixel(1, 0), QColor(0xA5, 0x28, 0x13));
    const QStringList words = wordsOf(svgTexts(spec));
    QVERIFY(words.contains(QStringLiteral("not distinguishable from chance")));
    QVERIFY(words.contains(QStringLiteral("fewer than 1000 tokens")));
    const auto wide = [&](double inches) {
      spec.widthInches = inches;
      const views::FigureLayout layout = views::FigurePainter(spec, false).layout();
      const QRectF& bar = layout.colours.bar;
      for (const auto& entry : layout.markLegend.entries) {
        if (entry.box.left() < bar.right() ||
            !QRectF(0, bar.top() - 30, 1e4, bar.height() + 60).intersects(entry.box))
          return false;
      }
      return layout.page.contains(layout.markLegend.entries.back().box);
    };
    QVERIFY(!wide(6.75));  // in print the legend has a line of its own
    QVERIFY(wide(12));
    spec.widthInches = 3.25;
    spec.map->dotDistinct = true;
    QCOMPARE(pixel(0.2, 0.2), QColor(0xA5, 0x28, 0x13));
    QCOMPARE(pixel(0, 0), QColor(0xA5, 0x28, 0x13));
    QCOMPARE(pixel(1, 0), QColor(Qt::black));
    QVERIFY(wordsOf(svgTexts(spec)).contains(QStringLiteral("distinguishable from chance")));
  }

  void awkwardValuesDrawSomething() {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const double huge = std::numeric_limits<double>::max();
    figure::FigureSpec spec = single();
    figure::Line line;
    line.x = {nan, 0, -5, 64, huge, 100};
    line.y = {1, nan, 1, huge, 1, -huge};
    line.low = {nan, nan, 0, 0, 0, -huge};
    line.high = {1, 1, nan, huge, 1, huge};
    line.xLow = line.xHigh = line.x;
    line.labels.assign(6, "label");
    line.arrows = line.named = true;
    line.name = "line";
    spec.lines = {line, figure::Line{}};
    spec.bands = {{-10, 0, "none", "", 0, false}, {1e-300, 1e300, "all", "", 1, true}};
    spec.references = {{false, nan, "nowhere", true}};
    spec.sideColumns = {{"", {}, {nan, 2.0, -1.0}}};
    for (const double inches : {0.5, 3.0}) {
      spec.widthInches = spec.heightInches = inches;
      QVERIFY(!views::figureImage(spec, 100).isNull());
      QVERIFY(!svgTexts(spec).isEmpty());
    }
  }
};

QTEST_MAIN(TestFigureMarks)
#include "tst_figure_marks.moc"
