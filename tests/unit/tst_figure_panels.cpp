// Figures as grids of panels, and their axes, bars and names: where their values are, aligned and readable in
// every size.
#include <QtTest>

#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>

#include <cmath>

#include "tests/support/svg_texts.h"
#include "views/figure/figure_painter.h"
#include "views/figure/figure_writer.h"

using namespace moescope;
using figure::AxisKind;
using tests::SvgText;
using tests::svgTexts;
using tests::wordsOf;
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
      QFAIL("pdftotext is missing: install poppler-utils");
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

  /// A label that has no room beside its colour bar stands above it, whole.
  void longColourLabelsAreWhole() {
    figure::FigureSpec spec;
    figure::HeatMap map;
    map.rows = map.columns = 2;
    map.values = {0.1, 0.2, 0.3, 0.4};
    spec.x = {"Expert", -0.5, 1.5, {}, false, {}};
    spec.y = {"Layer", -0.5, 1.5, {}, true, {}};
    const std::string words = "Choices per token of the label divided by chance (12.50 %) in the whole run";
    map.colours.label = words;
    spec.map = map;
    figure::FigureSpec grid = spec;
    grid.map.reset();
    for (const double low : {0.0, 0.5}) {
      figure::FigurePanel panel;
      panel.map = map;
      panel.map->colours.min = low;  // each has its own bar
      grid.panels.push_back(panel);
    }
    for (figure::FigureSpec* figure : {&spec, &grid}) {
      for (const double width : {2.4, 3.25, 6.75}) {
        figure->widthInches = width;
        figure->heightInches = 4.0;
        const views::FigurePainter painter(*figure, false);
        std::vector<const views::ColourBarLayout*> bars;
        for (const auto& panel : painter.layout().panels)
          bars.push_back(figure == &spec ? &painter.layout().colours : &panel.colours);
        for (const auto* bar : bars) {
          QVERIFY(painter.layout().page.contains(bar->bar) && painter.layout().page.contains(bar->label));
          QVERIFY(!bar->label.intersects(bar->bar));
          if (!bar->labelAbove.isEmpty())
            QCOMPARE(bar->labelAbove.join(QLatin1Char(' ')).toStdString(), words);
          for (const auto& panel : painter.layout().panels) QVERIFY(!panel.frame.intersects(bar->label));
        }
        const QString all = wordsOf(svgTexts(*figure)).join(QLatin1Char(' '));
        QVERIFY2(!all.contains(QChar(0x2026)), qPrintable(all));
      }
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
};

QTEST_MAIN(TestFigurePanels)
#include "tst_figure_panels.moc"
