// Figures of the phases and the specialization: grids of panels, trajectories, broken axes, bands, intervals
// and marks are where their values are, readable, and not told apart by colour alone.
#include <QtTest>

#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QXmlStreamReader>

#include <cmath>
#include <limits>
#include <set>

#include "views/figure/figure_painter.h"
#include "views/figure/figure_writer.h"
#include "views/figure/label_placer.h"
#include "views/figure/line_look.h"

using namespace moescope;
using figure::AxisKind;
using views::FigureFormat;

namespace {

constexpr double kDots = 720;  // one pixel a unit of the layout

figure::Line course(double factor) {
  figure::Line line;
  line.name = "layer";
  for (int i = 0; i < 12; ++i) {
    line.x.push_back(64.0 * std::exp2(0.45 * i));
    line.y.push_back(factor * (1.0 + std::sin(0.6 * i)));
    line.low.push_back(line.y.back() - 0.1);
    line.high.push_back(line.y.back() + 0.1);
  }
  return line;
}

figure::FigureSpec multiples(int count) {
  figure::FigureSpec spec;
  spec.kind = "phases-layers";
  spec.title = "Phases";
  spec.widthInches = 6.75;
  spec.heightInches = 4.0;
  spec.x = {"Training step", 50, 2500, {}, false, {}, AxisKind::Log10};
  spec.y = {"CV of expert load", 0, 3, {}, false, {}};
  spec.sharedX = spec.sharedY = spec.letters = true;
  for (int i = 0; i < count; ++i) {
    figure::FigurePanel panel;
    panel.heading = "Layer " + std::to_string(i);
    panel.headingNote = "peak at 256";
    panel.lines = {course(0.5 + 0.1 * i), course(0.8)};
    panel.lines[1].name = "mean of layers";
    panel.lines[1].colour = figure::kPlainColour;
    panel.bands = {{64, 256, "collapse", "", 5, false}, {256, 2500, "recovery", "", 0, false}};
    spec.panels.push_back(panel);
  }
  return spec;
}

figure::FigureSpec single() {
  figure::FigureSpec spec;
  spec.x = {"Step", 50, 2500, {}, false, {}, AxisKind::LogZero};
  spec.y = {"CV", 0, 3, {}, false, {}};
  return spec;
}

struct SvgText {
  QString text;
  double size = 0;
};

/// Texts with the size of their font, which Qt writes into the group around them.
QList<SvgText> svgTexts(const figure::FigureSpec& spec) {
  const auto bytes = views::figureBytes(spec, {FigureFormat::Svg, 300, false});
  QXmlStreamReader reader(bytes ? *bytes : QByteArray());
  QList<SvgText> texts;
  while (!reader.atEnd()) {
    if (reader.readNext() != QXmlStreamReader::StartElement || reader.name() != QLatin1String("text"))
      continue;
    const double size = reader.attributes().value(QLatin1String("font-size")).toDouble();
    texts << SvgText{reader.readElementText().trimmed(), size};
  }
  return reader.hasError() ? QList<SvgText>() : texts;
}

QStringList wordsOf(const QList<SvgText>& texts) {
  QStringList words;
  for (const SvgText& text : texts) words << text.text;
  return words;
}

}  // namespace

class TestFigurePanels : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { QVERIFY(views::loadFigureFonts(QStringLiteral(MOESCOPE_RESOURCES "/fonts"))); }

  void sixMultiplesAreReadable() {
    const figure::FigureSpec spec = multiples(6);
    const QList<SvgText> texts = svgTexts(spec);
    QVERIFY(texts.size() > 20);
    for (const SvgText& text : texts)
      QVERIFY2(text.size >= 10 * figure::kReadablePoints, qPrintable(text.text + QString::number(text.size)));
    const QStringList words = wordsOf(texts);
    QCOMPARE(words.count(QStringLiteral("Training step")), 1);
    QCOMPARE(words.count(QStringLiteral("CV of expert load")), 1);
    // Once in the legend, not in every panel.
    for (const char* word : {"collapse", "recovery", "layer", "mean of layers"})
      QCOMPARE(words.count(QString::fromLatin1(word)), 1);
    QCOMPARE(words.count(QStringLiteral("peak at 256")), 6);
    QVERIFY(words.contains(QStringLiteral("a  Layer 0")) && words.contains(QStringLiteral("f  Layer 5")));
    // Numbers of the shared axes: three at the left and three at the bottom, two panels a column, three a
    // row.
    QCOMPARE(words.count(QStringLiteral("100")), 3);
    QCOMPARE(words.count(QStringLiteral("0")), 2);
  }

  void gridIsAligned() {
    figure::FigureSpec spec = multiples(5);
    spec.columns = 3;
    const views::FigurePainter painter(spec, false);
    const auto& panels = painter.layout().panels;
    QCOMPARE(panels.size(), std::size_t{5});
    for (const auto& panel : panels) {
      QCOMPARE(panel.frame.size(), panels[0].frame.size());
      QVERIFY(panel.frame.width() > 1.2 * 720);
      QVERIFY(painter.layout().page.contains(panel.frame));
    }
    QCOMPARE(panels[1].frame.top(), panels[0].frame.top());
    QCOMPARE(panels[3].frame.left(), panels[0].frame.left());
    // The third column has one panel only: its numbers stand there.
    QVERIFY(!panels[0].xNumbers && panels[2].xNumbers && panels[3].xNumbers && panels[4].xNumbers);
    QVERIFY(panels[0].yNumbers && !panels[1].yNumbers && panels[3].yNumbers);
    for (std::size_t i = 0; i < panels.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) QVERIFY(!panels[i].frame.intersects(panels[j].frame));
    }
  }

  void columnsFollowTheShape() {
    figure::FigureSpec spec = multiples(6);
    spec.widthInches = 2.7;
    spec.heightInches = 8.0;
    QCOMPARE(views::gridColumns(spec), 1);
    spec.widthInches = 16.0;
    spec.heightInches = 2.0;
    QVERIFY(views::gridColumns(spec) >= 5);
    spec.columns = 4;
    QCOMPARE(views::gridColumns(spec), 4);
    spec.columns = 100;
    QCOMPARE(views::gridColumns(spec), 6);
  }

  void everySizeStaysOnThePage() {
    for (const double width : {2.7, 6.75, 16.6}) {
      figure::FigureSpec spec = multiples(16);
      spec.widthInches = width;
      const QImage image = views::figureImage(spec, 96);
      for (int x = 0; x < image.width(); ++x) {
        QCOMPARE(image.pixelColor(x, 0), QColor(Qt::white));
        QCOMPARE(image.pixelColor(x, image.height() - 1), QColor(Qt::white));
      }
    }
  }

  void pdfHoldsTheTexts() {
    if (QStandardPaths::findExecutable(QStringLiteral("pdftotext")).isEmpty())
      QSKIP("poppler-utils is not installed");
    const auto bytes = views::figureBytes(multiples(6), {FigureFormat::Pdf, 300, false});
    QVERIFY(bytes.has_value());
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("f.pdf")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(*bytes);
    file.close();
    QProcess process;
    process.start(QStringLiteral("pdftotext"),
                  {QStringLiteral("-layout"), file.fileName(), QStringLiteral("-")});
    QVERIFY(process.waitForFinished());
    const QString text = QString::fromUtf8(process.readAllStandardOutput());
    for (const char* word : {"Layer 0", "Layer 5", "collapse", "Training step", "peak at 256"})
      QVERIFY2(text.contains(QLatin1String(word)), word);
    process.start(QStringLiteral("pdffonts"), {file.fileName()});
    QVERIFY(process.waitForFinished());
    const QStringList fonts =
        QString::fromUtf8(process.readAllStandardOutput()).split('\n', Qt::SkipEmptyParts).mid(2);
    QCOMPARE(fonts.size(), 2);  // regular, and bold for the headings
    for (const QString& font : fonts) QVERIFY(font.contains(QLatin1String("TrueType")));
  }

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

  void horizontalBarsWithIntervals() {
    figure::FigureSpec spec;
    spec.x = {"Tokens", 0, 80, {}, false, "%"};
    spec.y = {"", -0.5, 1.5, {{0, "code"}, {1, "law"}}, true, {}, AxisKind::Category};
    spec.bars = figure::Bars{{40, 10}, {}, {"code", "law"}, {35, 5}, {50, 15}, true, 0, {false, true}};
    spec.references = {{false, 12.5, "chance 12.5 %", true}};
    spec.sideColumns = {{"rate", {"40 %", "10 %"}}};
    const views::FigurePainter painter(spec, false);
    const auto& panel = painter.layout().panels[0];
    const QImage image = views::figureImage(spec, kDots);
    const auto at = [&](double x, double y) { return image.pixelColor(panel.at(x, y).toPoint()); };
    QCOMPARE(at(20, 0.3), QColor(0x00, 0x72, 0xB2));
    QCOMPARE(at(41, 0.3), QColor(Qt::white));
    QCOMPARE(at(45, 0), QColor(Qt::black));  // the interval
    QCOMPARE(at(52, 0), QColor(Qt::white));
    QVERIFY(at(5, 1.3) != QColor(Qt::white) && at(5, 1.3) != at(20, 0.3));
    QVERIFY(at(20, 0.3) == at(20, -0.3));
    const QStringList words = wordsOf(svgTexts(spec));
    for (const char* word : {"code", "law", "chance 12.5 %", "rate", "40 %", "20%"})
      QVERIFY2(words.contains(QString::fromUtf8(word)), word);
  }

  void axesKeepTheirPart() {
    // Names and columns beside the axes give way in a narrow figure.
    figure::FigureSpec spec;
    spec.y = {"", -0.5, 1.5, {{0, "a very long domain name"}, {1, "law"}}, true, {}, AxisKind::Category};
    spec.x = {"Tokens", 0, 1, {}, false, {}};
    spec.bars = figure::Bars{{0.5, 0.1}, {}, {}, {}, {}, true};
    spec.sideColumns = {{"rate", {"46.1 %", "4.7 %"}}, {"95 % interval", {"[40.0, 52.1]", "[1.2, 8.1]"}}};
    for (const double inches : {1.6, 7.0}) {
      spec.widthInches = inches;
      const views::FigurePainter painter(spec, false);
      const auto& panel = painter.layout().panels[0];
      QVERIFY(panel.frame.width() > 0.25 * painter.layout().page.width());
      QCOMPARE(panel.sideColumns.size(), std::size_t(inches > 5 ? 2 : 1));
      for (const QRectF& column : panel.sideColumns) QVERIFY(painter.layout().page.contains(column));
    }
  }

  void longNamesAreTurned() {
    figure::FigureSpec spec;
    spec.y = {"Share", 0, 1, {}, false, {}};
    spec.x = {"", -0.5, 7.5, {}, false, {}, AxisKind::Category};
    for (int i = 0; i < 8; ++i) spec.x.ticks.emplace_back(i, "a long name of domain " + std::to_string(i));
    spec.bars = figure::Bars{std::vector<double>(8, 0.5), {}, {}};
    const views::FigurePainter painter(spec, false);
    const auto& panel = painter.layout().panels[0];
    QCOMPARE(panel.xTicks.size(), std::size_t{8});
    QVERIFY(panel.nameAngle > 0);
    QVERIFY(panel.frame.height() > 300 && panel.frame.left() > 0);
    spec.widthInches = 30;
    QCOMPARE(views::FigurePainter(spec, false).layout().panels[0].nameAngle, 0.0);
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

QTEST_MAIN(TestFigurePanels)
#include "tst_figure_panels.moc"
