// The export dialog: what its fields say is what its files are, as other programs read them.
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QPointer>
#include <QProcess>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QXmlStreamReader>

#include <nlohmann/json.hpp>

#include "core/figure/ticks.h"
#include "tests/support/gui_test.h"
#include "views/panels/export/export_dialog.h"
#include "views/panels/export/figure_preview.h"
#include "views/panels/export/segments.h"

namespace moescope::views {

namespace {

figure::FigureSpec barFigure() {
  figure::FigureSpec spec;
  spec.kind = "expert-load";
  spec.title = "Load of each expert, layer 10";
  spec.sampleLine = "Run Sunset · tokens 0–3";
  spec.x = {"4 experts, sorted by load", -0.5, 3.5, {}, false, {}};
  spec.y = {"Load share ÷ uniform", 0.0, 4.0, {}, false, "×"};
  spec.bars = figure::Bars{{3.0, 0.5, 0.4, 0.1}, {true, false, false, false}, {"E2", "E0", "E3", "E1"}};
  spec.references = {{true, 1.0, "uniform 25.00 %"}};
  return spec;
}

figure::FigureSpec mapFigure(figure::ColourMapId colours) {
  figure::FigureSpec spec;
  spec.kind = "routing-map";
  spec.title = "Map";
  figure::HeatMap map;
  map.rows = 4;
  map.columns = 8;
  map.colours = {colours, figure::ScaleKind::Linear, 0.0, 1.0, "Share"};
  for (int i = 0; i < 32; ++i) map.values.push_back(i / 32.0);
  spec.x = {"Expert", -0.5, 7.5, figure::expertTicks(8, 4), false, {}};
  spec.y = {"Layer", -0.5, 3.5, {}, true, {}};
  spec.map = std::move(map);
  return spec;
}

QByteArray bytesOf(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

QString toolOutput(const QString& tool, const QStringList& arguments) {
  QProcess process;
  process.start(tool, arguments);
  if (!process.waitForFinished()) return {};
  return QString::fromUtf8(process.readAllStandardOutput());
}

}  // namespace

class TestExportDialog : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    m_folder = std::make_unique<QTemporaryDir>();
    QFile::remove(QSettings().fileName());
  }

  void cleanup() { delete m_dialog; }

  void writesAllFormatsAndTheirData() {
    open();
    for (const char* format : {"svg", "pdf", "png", "data"}) check(format)->setChecked(true);
    m_dialog->findChild<QSpinBox*>(QStringLiteral("dpi"))->setValue(200);
    m_dialog->findChild<QLineEdit*>(QStringLiteral("name"))->setText(QStringLiteral("load"));
    QSignalSpy exported(m_dialog, &ExportDialog::exported);
    m_dialog->findChild<QPushButton*>(QStringLiteral("export"))->click();
    QCOMPARE(exported.count(), 1);
    QCOMPARE(exported[0][0].toStringList().size(), 5);
    QCOMPARE(QDir(m_folder->path()).entryList(QDir::Files, QDir::Name),
             QStringList({"load.csv", "load.json", "load.pdf", "load.png", "load.svg"}));

    QXmlStreamReader svg(bytesOf(m_folder->filePath(QStringLiteral("load.svg"))));
    QStringList texts;
    while (!svg.atEnd()) {
      if (svg.readNext() == QXmlStreamReader::StartElement && svg.name() == QLatin1String("text")) {
        texts << svg.readElementText().trimmed();
      }
    }
    QVERIFY(!svg.hasError());
    QVERIFY(texts.contains(QStringLiteral("E2 3.00×")));

    const QImage png(m_folder->filePath(QStringLiteral("load.png")));
    QCOMPARE(png.size(), QSize(650, 480));
    QCOMPARE(png.dotsPerMeterX(), 7874);

    const QString csv = QString::fromUtf8(bytesOf(m_folder->filePath(QStringLiteral("load.csv"))));
    QCOMPARE(csv.count(QLatin1Char('\n')), 5);  // a header and four bars
    const auto json = bytesOf(m_folder->filePath(QStringLiteral("load.json")));
    const auto remade = figure::figureFromJson(json.toStdString(), "load.json");
    QVERIFY(remade.has_value());
    QCOMPARE(remade->bars->values, barFigure().bars->values);
    QCOMPARE(remade->widthInches, 3.25);
  }

  void pdfAsOtherToolsReadIt() {
    QVERIFY2(!QStandardPaths::findExecutable(QStringLiteral("pdffonts")).isEmpty(),
             "pdffonts is missing: install poppler-utils, as ./dev test does");
    open();
    m_dialog->findChild<QLineEdit*>(QStringLiteral("name"))->setText(QStringLiteral("load"));
    m_dialog->findChild<QPushButton*>(QStringLiteral("export"))->click();
    const QString path = m_folder->filePath(QStringLiteral("load.pdf"));
    QVERIFY(!bytesOf(path).contains("DCTDecode"));
    const QString fonts = toolOutput(QStringLiteral("pdffonts"), {path});
    QVERIFY(fonts.contains(QLatin1String("DejaVuSans")) && fonts.contains(QLatin1String("TrueType")));
    QVERIFY(toolOutput(QStringLiteral("pdfinfo"), {path})
                .contains(QRegularExpression(QStringLiteral("Page size: +234 x 173 pts"))));
    QVERIFY(toolOutput(QStringLiteral("pdftotext"), {path, QStringLiteral("-")})
                .contains(QStringLiteral("4 experts, sorted by load")));
  }

  void presetsAndUnits() {
    open();
    auto* preset = combo("preset");
    auto* width = m_dialog->findChild<QDoubleSpinBox*>(QStringLiteral("width"));
    QCOMPARE(preset->currentText(), QStringLiteral("Single column, 3.25 in"));
    choose(preset, 1);
    QCOMPARE(m_dialog->settings().widthInches, 6.75);
    choose(combo("unit"), 1);
    QVERIFY(std::abs(width->value() - 171.45) < 0.06);
    QCOMPARE(m_dialog->settings().widthInches, 6.75);  // another unit is not another size
    QCOMPARE(preset->currentIndex(), 1);
    width->setValue(80.0);
    QVERIFY(std::abs(m_dialog->settings().widthInches - 80.0 / 25.4) < 1e-9);
    QCOMPARE(preset->currentText(), QStringLiteral("Custom"));
    choose(combo("unit"), 0);
    width->setValue(3.27);
    QCOMPARE(m_dialog->settings().widthInches, 3.27);
    choose(preset, 2);
    QCOMPARE(m_dialog->settings().heightInches, 7.5);
    QCOMPARE(m_dialog->settings().fontPoints, 20.0);
  }

  void warnsOfSmallText() {
    open();
    auto* warning = label("warning");
    QVERIFY(!warning->isVisible());
    m_dialog->findChild<QDoubleSpinBox*>(QStringLiteral("font"))->setValue(6.5);
    QVERIFY(warning->isVisible());  // 5.5 pt inside the axes
    QVERIFY(warning->text().contains(QStringLiteral("5.5 pt")));
    QVERIFY(label("facts")->text().contains(QStringLiteral("Smallest text 5.5 pt, thinnest line 0.6 pt")));
    m_dialog->findChild<QDoubleSpinBox*>(QStringLiteral("font"))->setValue(7.0);
    QVERIFY(!warning->isVisible());
  }

  void bottomLineNamesFilesAndSizes() {
    open();
    QVERIFY(label("files")->text().contains(QStringLiteral(".svg .pdf .csv .json")));
    QTRY_VERIFY(label("files")->text().contains(QStringLiteral("about ")));
    const QRegularExpression number(QStringLiteral("about ([\\d.]+)\u2009KiB"));
    const double said = number.match(label("files")->text()).captured(1).toDouble();
    QSignalSpy exported(m_dialog, &ExportDialog::exported);
    m_dialog->findChild<QPushButton*>(QStringLiteral("export"))->click();
    qint64 bytes = 0;
    for (const QString& file : exported[0][0].toStringList()) bytes += QFileInfo(file).size();
    QVERIFY(std::abs(said - static_cast<double>(bytes) / 1024) < 0.1);
  }

  void theSizeOfALargePictureIsAnEstimate() {
    open();
    for (const char* format : {"svg", "pdf", "data"}) check(format)->setChecked(false);
    check("png")->setChecked(true);
    choose(combo("preset"), 2);
    m_dialog->findChild<QSpinBox*>(QStringLiteral("dpi"))->setValue(300);  // 6.75 million pixels
    QTRY_VERIFY(label("files")->text().contains(QStringLiteral("Writes 1 file, about ")));
    const QRegularExpression number(QStringLiteral("about ([\\d.]+)\u2009KiB"));
    const double said = number.match(label("files")->text()).captured(1).toDouble();
    m_dialog->findChild<QPushButton*>(QStringLiteral("export"))->click();
    const double real =
        static_cast<double>(QFileInfo(m_folder->filePath(QStringLiteral("expert-load.png"))).size()) / 1024;
    QVERIFY2(said > real / 2 && said < real * 2, qPrintable(QStringLiteral("%1, is %2").arg(said).arg(real)));
  }

  void whatCannotBeWrittenIsSaid() {
    open();
    auto* name = m_dialog->findChild<QLineEdit*>(QStringLiteral("name"));
    auto* folder = m_dialog->findChild<QLineEdit*>(QStringLiteral("folder"));
    auto* button = m_dialog->findChild<QPushButton*>(QStringLiteral("export"));
    QVERIFY(button->isEnabled());
    name->setText(QStringLiteral(" "));
    QVERIFY(!button->isEnabled());
    QCOMPARE(label("problem")->text(), QStringLiteral("Give the figure a name."));
    name->setText(QStringLiteral("../up"));
    QVERIFY(!button->isEnabled());
    name->setText(QStringLiteral("ok"));
    folder->setText(QStringLiteral("/nonexistent"));
    QVERIFY(label("problem")->text().contains(QStringLiteral("no folder /nonexistent")));
    folder->setText(m_folder->path());
    for (const char* format : {"svg", "pdf", "png", "data"}) check(format)->setChecked(false);
    QVERIFY(!button->isEnabled());
    check("svg")->setChecked(true);
    QVERIFY(button->isEnabled());
    QVERIFY(label("problem")->text().isEmpty());

    // A folder stands where the file should go: found only when it is written.
    QDir(m_folder->path()).mkdir(QStringLiteral("ok.svg"));
    QPointer<ExportDialog> dialog = m_dialog;
    button->click();
    QVERIFY(dialog && dialog->isVisible());
    auto* error = m_dialog->findChild<QWidget*>(QStringLiteral("error"));
    QVERIFY(error->isVisible());
    QVERIFY(error->accessibleName().contains(QStringLiteral("ok.svg")));
  }

  void saysWhatItReplaces() {
    open();
    QVERIFY(label("problem")->text().isEmpty());
    QFile taken(m_folder->filePath(QStringLiteral("taken.svg")));
    QVERIFY(taken.open(QIODevice::WriteOnly));
    m_dialog->findChild<QLineEdit*>(QStringLiteral("name"))->setText(QStringLiteral("taken"));
    QCOMPARE(label("problem")->text(), QStringLiteral("Replaces taken.svg."));
    QVERIFY(m_dialog->findChild<QPushButton*>(QStringLiteral("export"))->isEnabled());
  }

  void sourcesAndErrors() {
    open({{QStringLiteral("Bars"), [] { return Result<figure::FigureSpec>(barFigure()); }},
          {QStringLiteral("Map"),
           [] { return Result<figure::FigureSpec>(mapFigure(figure::ColourMapId::Cividis)); }},
          {QStringLiteral("Nothing"), []() -> Result<figure::FigureSpec> {
             return fail("figure.no_routing", "", "", "no routing is shown");
           }}});
    QCOMPARE(m_dialog->windowTitle(), QStringLiteral("Export figure: Bars"));
    QVERIFY(!combo("colours")->isEnabled());
    choose(combo("source"), 1);
    QCOMPARE(m_dialog->settings().name, QStringLiteral("routing-map"));
    QVERIFY(combo("colours")->isEnabled());
    QCOMPARE(combo("colours")->count(), 3);
    const QImage cividis = m_dialog->findChild<FigurePreview*>()->image();
    choose(combo("colours"), combo("colours")->findText(QStringLiteral("Greys")));
    QVERIFY(m_dialog->settings().colours == figure::ColourMapId::Greys);
    QVERIFY(m_dialog->findChild<FigurePreview*>()->image() != cividis);
    choose(combo("source"), 2);
    QVERIFY(m_dialog->findChild<QWidget*>(QStringLiteral("error"))->isVisible());
    QVERIFY(!m_dialog->findChild<QPushButton*>(QStringLiteral("export"))->isEnabled());
    choose(combo("source"), 0);
    QVERIFY(!m_dialog->findChild<QWidget*>(QStringLiteral("error"))->isVisible());
    QVERIFY(m_dialog->findChild<QPushButton*>(QStringLiteral("export"))->isEnabled());
  }

  void aDivergingMapKeepsItsColours() {
    ExportSettings settings;
    settings.colours = figure::ColourMapId::Greys;
    QVERIFY(dressed(mapFigure(figure::ColourMapId::Diverging), settings).map->colours.map ==
            figure::ColourMapId::Diverging);
    QVERIFY(dressed(mapFigure(figure::ColourMapId::Cividis), settings).map->colours.map ==
            figure::ColourMapId::Greys);
  }

  void previewHasTrueProportionsAndVision() {
    open();
    auto* preview = m_dialog->findChild<FigurePreview*>();
    const QImage normal = preview->image();
    QVERIFY(std::abs(normal.width() / static_cast<double>(normal.height()) - 3.25 / 2.4) < 0.01);
    QVERIFY(label("size_text")->text().startsWith(QStringLiteral("3.25 × 2.40 in at ")));
    choose(combo("vision"), 4, false);  // grey
    const QImage grey = preview->image();
    QVERIFY(grey.allGray());
    QCOMPARE(grey.size(), normal.size());
    QVERIFY(!seenWith(figure::ColourVision::Deuteranopia, QImage(1, 1, QImage::Format_RGB32)).isNull());
    QImage red(1, 1, QImage::Format_RGB32);
    red.fill(QColor(255, 0, 0));
    const auto expected = figure::simulate(figure::ColourVision::Deuteranopia, {255, 0, 0});
    QCOMPARE(seenWith(figure::ColourVision::Deuteranopia, red).pixelColor(0, 0),
             QColor(expected[0], expected[1], expected[2]));
    preview->setActualSize(true);
    QCOMPARE(preview->scale(), 1.0);
    QCOMPARE(preview->image().width(), qRound(3.25 * preview->logicalDpiX()));
  }

  void themeAndTextFollowTheSettings() {
    open();
    check("title")->setChecked(true);
    check("sample_line")->setChecked(true);
    auto* theme = m_dialog->findChild<Segments*>(QStringLiteral("theme"));
    theme->setChoice(2);
    Q_EMIT theme->chosen(2);
    auto* svgText = m_dialog->findChild<Segments*>(QStringLiteral("svg_text"));
    svgText->setChoice(1);
    Q_EMIT svgText->chosen(1);
    const auto files = exportFiles(barFigure(), m_dialog->settings());
    QVERIFY(files.has_value());
    QVERIFY(!files->front().bytes.contains("<text"));
    const figure::FigureSpec spec = dressed(barFigure(), m_dialog->settings());
    QVERIFY(spec.theme == figure::Theme::Dark && spec.drawTitle && spec.drawSampleLine);
    QVERIFY(label("facts")->text().contains(QStringLiteral("Dark background")));
  }

  void theFolderIsRemembered() {
    open();
    m_dialog->findChild<QPushButton*>(QStringLiteral("export"))->click();
    delete m_dialog;
    m_dialog =
        new ExportDialog({{QStringLiteral("Bars"), [] { return Result<figure::FigureSpec>(barFigure()); }}});
    QCOMPARE(m_dialog->settings().folder, m_folder->path());
  }

  void stems() {
    QCOMPARE(fileStem(QStringLiteral("Load of each expert, layer 10")),
             QStringLiteral("load-of-each-expert-layer-10"));
    QCOMPARE(fileStem(QStringLiteral("../÷")), QStringLiteral("figure"));
    QVERIFY(fileStem(QString(500, QLatin1Char('a'))).size() <= 80);
  }

  void isNotModalAndNamed() {
    open();
    QVERIFY(!m_dialog->isModal());
    for (const auto* box : m_dialog->findChildren<QComboBox*>()) {
      QVERIFY2(!box->accessibleName().isEmpty() || box->objectName() == QLatin1String("source"),
               qPrintable(box->objectName()));
    }
  }

 private:
  void open(std::vector<ExportSource> sources = {}) {
    if (sources.empty()) {
      sources.push_back(
          {QStringLiteral("Expert load"), [] { return Result<figure::FigureSpec>(barFigure()); }});
    }
    m_dialog = new ExportDialog(std::move(sources), m_folder->path());
    m_dialog->show();
  }

  [[nodiscard]] QCheckBox* check(const char* name) const {
    return m_dialog->findChild<QCheckBox*>(QString::fromLatin1(name));
  }
  [[nodiscard]] QComboBox* combo(const char* name) const {
    return m_dialog->findChild<QComboBox*>(QString::fromLatin1(name));
  }
  [[nodiscard]] QLabel* label(const char* name) const {
    return m_dialog->findChild<QLabel*>(QString::fromLatin1(name));
  }

  static void choose(QComboBox* box, int index, bool activate = true) {
    box->setCurrentIndex(index);
    if (activate) Q_EMIT box->activated(index);
  }

  std::unique_ptr<QTemporaryDir> m_folder;
  QPointer<ExportDialog> m_dialog;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestExportDialog)
#include "tst_export_dialog.moc"
