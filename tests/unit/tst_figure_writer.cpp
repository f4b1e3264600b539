// Figures as files: text stays text or becomes paths, fonts are embedded, nothing is lossy, sizes and
// resolutions are true, and a figure remade from its JSON has the same bytes.
#include <QtTest>

#include <QGuiApplication>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QXmlStreamReader>

#include <algorithm>
#include <cmath>

#include "core/figure/colour_map.h"
#include "core/figure/ticks.h"
#include "views/figure/figure_painter.h"
#include "views/figure/figure_writer.h"

using namespace moescope;
using views::FigureFormat;

namespace {

figure::FigureSpec mapFigure(int rows, int columns) {
  figure::FigureSpec spec;
  spec.kind = "routing-map";
  spec.title = "Load share ÷ uniform";
  spec.sampleLine = "Run Sunset · tokens 46–173 · 128 tokens";
  spec.baseline = "uniform load";
  spec.provenance = {{"program", "MoEScope"},
                     {"trace", "sunset.moescope"},
                     {"content id", "abc123"},
                     {"filter", "tokens 46–173"}};
  figure::HeatMap map;
  map.rows = rows;
  map.columns = columns;
  map.colours = {figure::ColourMapId::Diverging, figure::ScaleKind::Log2, 0.25, 4.0, "Load ÷ uniform"};
  for (int i = 0; i < rows * columns; ++i) map.values.push_back(std::exp2(2.0 * std::sin(0.7 * i)));
  spec.x = {"Expert", -0.5, columns - 0.5, figure::expertTicks(columns, 4), false, {}};
  spec.y = {"Layer", -0.5, rows - 0.5, {}, true, {}};
  spec.map = std::move(map);
  return spec;
}

figure::FigureSpec barFigure() {
  figure::FigureSpec spec;
  spec.kind = "expert-load";
  spec.title = "Bars";
  spec.x = {"4 experts, sorted by load", -0.5, 3.5, {}, false, {}};
  spec.y = {"Load share ÷ uniform", 0.0, 4.0, {}, false, "×"};
  spec.bars = figure::Bars{{3.0, 0.5, 0.4, 0.1}, {true, false, false, false}, {"E2", "E0", "E3", "E1"}};
  spec.references = {{true, 1.0, "uniform 25.00 %"}};
  return spec;
}

QByteArray bytesOf(const figure::FigureSpec& spec, FigureFormat format, bool paths = false, int dpi = 300) {
  const auto bytes = views::figureBytes(spec, {format, dpi, paths});
  return bytes ? *bytes : QByteArray();
}

/// All character data of the <text> elements; the reader also checks that the file is well-formed XML.
QStringList svgTexts(const QByteArray& svg, bool* wellFormed) {
  QXmlStreamReader reader(svg);
  QStringList texts;
  while (!reader.atEnd()) {
    if (reader.readNext() == QXmlStreamReader::StartElement && reader.name() == QLatin1String("text")) {
      texts << reader.readElementText().trimmed();
    }
  }
  *wellFormed = !reader.hasError();
  return texts;
}

QString toolOutput(const QString& tool, const QStringList& arguments) {
  QProcess process;
  process.start(tool, arguments);
  process.waitForFinished();
  return QString::fromUtf8(process.readAllStandardOutput());
}

QString writePdf(const QTemporaryDir& folder, const figure::FigureSpec& spec) {
  const QString path = folder.filePath(QStringLiteral("figure.pdf"));
  QFile file(path);
  if (!file.open(QIODevice::WriteOnly)) return {};
  file.write(bytesOf(spec, FigureFormat::Pdf));
  return path;
}

}  // namespace

class TestFigureWriter : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() { QVERIFY(views::loadFigureFonts(QStringLiteral(MOESCOPE_RESOURCES "/fonts"))); }

  void svgTextIsEditable() {
    bool wellFormed = false;
    const QByteArray svg = bytesOf(mapFigure(16, 64), FigureFormat::Svg);
    const QStringList texts = svgTexts(svg, &wellFormed);
    QVERIFY(wellFormed);
    for (const char* text : {"Expert", "Layer", "Load ÷ uniform", "63", "¼", "4"})
      QVERIFY2(texts.contains(QString::fromUtf8(text)), text);
    QVERIFY(svg.contains("font-family=\"DejaVu Sans\""));
    QVERIFY(!svg.contains("<image"));
    QVERIFY(svg.contains("<title>Load share ÷ uniform</title>"));
    QVERIFY(svg.contains("content id: abc123"));
    QVERIFY(svg.contains("width=\"82.55mm\" height=\"60.96mm\""));
  }

  void svgTextAsPaths() {
    bool wellFormed = false;
    const QByteArray svg = bytesOf(mapFigure(16, 64), FigureFormat::Svg, true);
    QCOMPARE(svgTexts(svg, &wellFormed), QStringList());
    QVERIFY(wellFormed);
  }

  void svgBarsAndLabels() {
    bool wellFormed = false;
    const QStringList texts = svgTexts(bytesOf(barFigure(), FigureFormat::Svg), &wellFormed);
    for (const char* text : {"E2 3.00×", "uniform 25.00 %", "1×", "4×"})
      QVERIFY2(texts.contains(QString::fromUtf8(text)), text);
  }

  void pdfEmbedsFontsAndLosesNothing() {
    QTemporaryDir folder;
    // Above the limit of vector cells: an image, which Qt would store as JPEG by default.
    for (const auto& spec : {mapFigure(16, 64), mapFigure(256, 128)}) {
      const QByteArray pdf = bytesOf(spec, FigureFormat::Pdf);
      QVERIFY(pdf.startsWith("%PDF-"));
      QVERIFY(!pdf.contains("DCTDecode"));
      QVERIFY(pdf.contains("/FontFile2"));
      QVERIFY(!pdf.contains("/Type3"));
      QVERIFY(!pdf.contains("(D:"));
    }
    QVERIFY(!bytesOf(mapFigure(16, 64), FigureFormat::Pdf).contains("/Subtype /Image"));
    QVERIFY(bytesOf(mapFigure(256, 128), FigureFormat::Pdf).contains("/Subtype /Image"));
  }

  void pdfAsOtherToolsReadIt() {
    QVERIFY2(!QStandardPaths::findExecutable(QStringLiteral("pdffonts")).isEmpty(),
             "pdffonts is missing: install poppler-utils, as ./dev test does");
    QTemporaryDir folder;
    const QString path = writePdf(folder, mapFigure(16, 64));
    const QStringList fonts = toolOutput(QStringLiteral("pdffonts"), {path}).split('\n', Qt::SkipEmptyParts);
    QCOMPARE(fonts.size(), 3);  // two header lines and one font
    QVERIFY(fonts[2].contains(QLatin1String("DejaVuSans")));
    QVERIFY(fonts[2].contains(QLatin1String("TrueType")));
    QVERIFY(fonts[2].simplified().contains(QLatin1String("yes")));
    QCOMPARE(toolOutput(QStringLiteral("pdfimages"), {QStringLiteral("-list"), path})
                 .split('\n', Qt::SkipEmptyParts)
                 .size(),
             2);
    const QString info = toolOutput(QStringLiteral("pdfinfo"), {path});
    QVERIFY(info.contains(QRegularExpression(QStringLiteral("Title: +Load share ÷ uniform"))));
    QVERIFY(info.contains(QLatin1String("content id: abc123")));
    QVERIFY(info.contains(QRegularExpression(QStringLiteral("Creator: +MoEScope"))));
    QVERIFY(info.contains(QRegularExpression(QStringLiteral("Page size: +234 x 173 pts"))));
    QVERIFY(!info.contains(QLatin1String("CreationDate")));
    QVERIFY(toolOutput(QStringLiteral("pdftotext"), {path, QStringLiteral("-")})
                .contains(QStringLiteral("Load ÷ uniform")));
  }

  void pdfImageIsLossless() {
    QVERIFY2(!QStandardPaths::findExecutable(QStringLiteral("pdfimages")).isEmpty(),
             "pdfimages is missing: install poppler-utils, as ./dev test does");
    QTemporaryDir folder;
    const figure::FigureSpec spec = mapFigure(256, 128);
    const QString path = writePdf(folder, spec);
    toolOutput(QStringLiteral("pdfimages"),
               {QStringLiteral("-png"), path, folder.filePath(QStringLiteral("i"))});
    const QImage image(folder.filePath(QStringLiteral("i-000.png")));
    QVERIFY(!image.isNull());
    const int times = image.width() / 128;
    QCOMPARE(image.height(), 256 * times);
    for (int i = 0; i < 256 * 128; i += 37) {
      const figure::Rgb c =
          figure::mapColour(spec.map->colours, spec.theme, spec.map->values[static_cast<std::size_t>(i)])
              .colour;
      QCOMPARE(image.pixelColor(i % 128 * times, i / 128 * times), QColor(c[0], c[1], c[2]));
    }
  }

  void pngSizeResolutionAndText() {
    QImage image;
    QVERIFY(image.loadFromData(bytesOf(mapFigure(16, 64), FigureFormat::Png, false, 600)));
    QCOMPARE(image.size(), QSize(1950, 1440));
    QCOMPARE(image.dotsPerMeterX(), 23622);
    QCOMPARE(image.text(QStringLiteral("Title")), QStringLiteral("Load share ÷ uniform"));
    QVERIFY(image.text(QStringLiteral("Description")).contains(QLatin1String("trace: sunset.moescope")));
  }

  void cellsHaveTheirColours() {
    const figure::FigureSpec spec = mapFigure(16, 64);
    const views::FigurePainter painter(spec, false);
    const QImage image = views::figureImage(spec, 720);
    for (int row = 0; row < 16; ++row) {
      for (int column = 0; column < 64; ++column) {
        const QPointF at(painter.layout().panels[0].x(column), painter.layout().panels[0].y(row));
        const figure::Rgb c = figure::mapColour(spec.map->colours, spec.theme,
                                                spec.map->values[static_cast<std::size_t>(row * 64 + column)])
                                  .colour;
        QCOMPARE(image.pixelColor(at.toPoint()), QColor(c[0], c[1], c[2]));
      }
    }
  }

  void barsReachTheirValues() {
    const figure::FigureSpec spec = barFigure();
    const views::FigurePainter painter(spec, false);
    const QImage image = views::figureImage(spec, 720);
    const auto pixel = [&](double x, double y) {
      return image.pixelColor(painter.layout().panels[0].at(x, y).toPoint());
    };
    QCOMPARE(pixel(0, 2.95), QColor(Qt::black));  // steered
    QCOMPARE(pixel(0.2, 3.7), QColor(Qt::white));
    QVERIFY(pixel(1, 0.45) != QColor(Qt::white));
    QVERIFY(pixel(1, 0.45) != QColor(Qt::black));
    QCOMPARE(pixel(1, 0.6), QColor(Qt::white));
  }

  void nothingLeavesThePage() {
    // A frame of ground colour must remain around everything, at every size and with every part.
    for (const double inches : {2.0, 3.25, 10.0}) {
      figure::FigureSpec spec = mapFigure(16, 64);
      spec.widthInches = inches;
      spec.heightInches = std::max(2.4, 0.75 * inches);
      spec.drawTitle = spec.drawSampleLine = true;
      spec.map->marks = {{{3, 5}, figure::CellMark::Banned}, {{0, -1}, figure::CellMark::LayerRule}};
      const QImage image = views::figureImage(spec, 200);
      for (int x = 0; x < image.width(); ++x) {
        QCOMPARE(image.pixelColor(x, 0), QColor(Qt::white));
        QCOMPARE(image.pixelColor(x, image.height() - 1), QColor(Qt::white));
      }
      for (int y = 0; y < image.height(); ++y) {
        QCOMPARE(image.pixelColor(0, y), QColor(Qt::white));
        QCOMPARE(image.pixelColor(image.width() - 1, y), QColor(Qt::white));
      }
    }
  }

  void remadeFromItsJson() {
    figure::FigureSpec spec = mapFigure(16, 64);
    spec.map->values[7] = std::nan("");
    spec.map->marks = {{{3, 5}, figure::CellMark::Boosted}};
    const auto remade = figure::figureFromJson(figure::toJson(spec).dump(1), "f.json");
    QVERIFY(remade.has_value());
    for (const FigureFormat format : {FigureFormat::Svg, FigureFormat::Pdf, FigureFormat::Png}) {
      const QByteArray first = bytesOf(spec, format);
      QVERIFY(!first.isEmpty());
      QCOMPARE(bytesOf(*remade, format), first);
    }
  }

  void filesWithDataBesideThem() {
    QTemporaryDir folder;
    const auto path = std::filesystem::path(folder.path().toStdString()) / "map.svg";
    const auto files = views::figureFiles(mapFigure(2, 3), path, {FigureFormat::Svg, 300, false}, true);
    QVERIFY(files.has_value());
    QCOMPARE(files->size(), std::size_t{3});
    QVERIFY(views::writeFiles(*files).has_value());
    QCOMPARE(QDir(folder.path()).entryList(QDir::Files, QDir::Name),
             QStringList({"map.csv", "map.json", "map.svg"}));
    auto elsewhere = *files;
    elsewhere[0].path = "/nonexistent/folder/map.svg";
    const auto refused = views::writeFiles(elsewhere);
    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().kind, std::string("figure.unwritable"));
  }

  void tooManyPixels() {
    figure::FigureSpec spec = mapFigure(2, 2);
    spec.widthInches = spec.heightInches = 60;
    const auto bytes = views::figureBytes(spec, {FigureFormat::Png, 1200, false});
    QVERIFY(!bytes.has_value());
    QCOMPARE(bytes.error().kind, std::string("figure.too_large"));
  }

  void smallTextIsKnown() {
    figure::FigureSpec spec = mapFigure(2, 2);
    spec.fontPoints = 6.5;
    QCOMPARE(views::smallestTextPoints(spec), 6.5);
    QCOMPARE(views::smallestTextPoints(barFigure()), 7.0);
  }
};

QTEST_MAIN(TestFigureWriter)
#include "tst_figure_writer.moc"
