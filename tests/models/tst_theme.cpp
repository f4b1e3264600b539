// Colours by the formula of WCAG 2 from the theme files, and icons and fonts that are really there.
#include <QDir>
#include <QDirIterator>
#include <QFontInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QRawFont>
#include <QRegularExpression>

#include <cmath>

#include "core/figure/colour_map.h"
#include "tests/support/gui_test.h"
#include "views/theme/theme_file.h"

namespace moescope::views {

namespace {

const QStringList kThemes{QStringLiteral("dark"), QStringLiteral("light")};

QString resource(const QString& path) { return QStringLiteral(MOESCOPE_RESOURCES "/") + path; }

// Relative luminance and contrast ratio as WCAG 2.1 defines them.
double luminance(const QColor& colour) {
  const auto linear = [](double c) { return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4); };
  return 0.2126 * linear(colour.redF()) + 0.7152 * linear(colour.greenF()) + 0.0722 * linear(colour.blueF());
}
double contrast(const QColor& a, const QColor& b) {
  const double la = luminance(a), lb = luminance(b);
  return (std::max(la, lb) + 0.05) / (std::min(la, lb) + 0.05);
}

struct Pair {
  const char* front;
  const char* ground;
  double least;
};
constexpr double kText = 4.5, kMark = 3.0;
// Every pair that the window uses.
constexpr Pair kPairs[] = {
    {"text", "window", kText},
    {"text", "panel", kText},
    {"text", "canvas", kText},
    {"text", "control", kText},
    {"text", "controlHover", kText},
    {"text", "accentBack", kText},
    {"text", "empty", kText},
    {"text2", "window", kText},
    {"text2", "panel", kText},
    {"text2", "canvas", kText},
    {"text2", "control", kText},
    {"text2", "accentBack", kText},
    {"text3", "panel", kText},
    {"text3", "canvas", kText},
    {"accent", "panel", kText},
    {"accent", "canvas", kText},
    {"accent", "accentBack", kText},
    {"accent", "control", kText},
    {"onAccent", "accent", kText},
    {"warning", "panel", kText},
    {"error", "panel", kText},
    {"ok", "panel", kText},
    {"warning", "accentBack", kText},
    {"warning", "canvas", kText},
    {"error", "canvas", kText},
    {"ok", "canvas", kText},
    {"ok", "window", kText},
    {"border", "window", kMark},
    {"border", "panel", kMark},
    {"border", "canvas", kMark},
    {"border", "control", kMark},
    {"border", "accentBack", kMark},
    {"accent", "window", kMark},
    {"accent", "empty", kMark},
    {"recording", "panel", kMark},
    {"recording", "window", kMark},
    {"recording", "accentBack", kMark},
    {"ink", "inkBack", kMark},
    {"ink", "canvas", kMark},
    {"text3", "window", kMark},
    {"text3", "control", kMark},
    {"text3", "empty", kMark},
};

QColor colourIn(const QString& theme, const char* key) {
  QFile file(resource(QStringLiteral("themes/%1.json").arg(theme)));
  if (!file.open(QIODevice::ReadOnly)) return {};
  return QColor(
      QJsonDocument::fromJson(file.readAll())[QLatin1String("colours")][QLatin1String(key)].toString());
}

int inked(const QImage& image) {
  int count = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) count += image.pixelColor(x, y).alpha() > 96;
  }
  return count;
}

}  // namespace

class TestTheme : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void contrast_data() {
    QTest::addColumn<QColor>("front");
    QTest::addColumn<QColor>("ground");
    QTest::addColumn<double>("least");
    for (const QString& theme : kThemes) {
      for (const Pair& pair : kPairs) {
        QTest::addRow("%s: %s on %s", qPrintable(theme), pair.front, pair.ground)
            << colourIn(theme, pair.front) << colourIn(theme, pair.ground) << pair.least;
      }
    }
  }
  void contrast() {
    QFETCH(QColor, front);
    QFETCH(QColor, ground);
    QFETCH(double, least);
    QVERIFY(front.isValid() && ground.isValid());
    const double ratio = views::contrast(front, ground);
    QVERIFY2(ratio >= least, qPrintable(QString::number(ratio)));
  }

  void formulaIsTheOneOfWcag() {
    // Published examples: black on white 21, #777777 on white 4.48, #767676 on white 4.54.
    QCOMPARE(views::contrast(Qt::black, Qt::white), 21.0);
    QVERIFY(std::abs(views::contrast(QColor("#777777"), Qt::white) - 4.48) < 0.005);
    QVERIFY(std::abs(views::contrast(QColor("#767676"), Qt::white) - 4.54) < 0.005);
  }

  void blackOrWhiteReadsOnEveryDataColour() {
    for (const auto map :
         {figure::ColourMapId::Cividis, figure::ColourMapId::Viridis, figure::ColourMapId::Diverging}) {
      for (const auto theme : {figure::Theme::Dark, figure::Theme::Light}) {
        for (const figure::Rgb& c : figure::colourTable(map, theme)) {
          const QColor colour(c[0], c[1], c[2]);
          QVERIFY(std::max(views::contrast(Qt::black, colour), views::contrast(Qt::white, colour)) >= kText);
        }
      }
    }
  }

  void filesAreRead() {
    for (const QString& theme : kThemes) {
      const auto colours = readThemeColours(resource(QStringLiteral("themes/%1.json").arg(theme)));
      QVERIFY(colours.has_value());
      for (int role = 0; role < kColourRoles; ++role) {
        const QString key = keyOf(static_cast<ColourRole>(role));
        QCOMPARE((*colours)[static_cast<std::size_t>(role)], colourIn(theme, qPrintable(key)));
      }
    }
  }

  void badFilesAreErrors_data() {
    QTest::addColumn<QByteArray>("from");
    QTest::addColumn<QByteArray>("to");
    QTest::addColumn<QString>("where");
    QTest::newRow("not JSON") << QByteArray("{\n  \"name\"") << QByteArray("{\n  name")
                              << QStringLiteral("byte");
    QTest::newRow("no colour") << QByteArray("#17191D") << QByteArray("black")
                               << QStringLiteral("colours.canvas");
    QTest::newRow("missing key") << QByteArray("\"ok\": \"#62BE86\",") << QByteArray()
                                 << QStringLiteral("colours.ok");
    QTest::newRow("unknown key") << QByteArray("\"ok\":") << QByteArray("\"okay\": \"#000000\", \"ok\":")
                                 << QStringLiteral("colours");
  }
  void badFilesAreErrors() {
    QFETCH(QByteArray, from);
    QFETCH(QByteArray, to);
    QFETCH(QString, where);
    QFile good(resource(QStringLiteral("themes/dark.json")));
    QVERIFY(good.open(QIODevice::ReadOnly));
    QByteArray text = good.readAll();
    QVERIFY(text.contains(from));
    QTemporaryDir folder;
    QFile bad(folder.filePath(QStringLiteral("bad.json")));
    QVERIFY(bad.open(QIODevice::WriteOnly));
    bad.write(text.replace(from, to));
    bad.close();
    const auto read = readThemeColours(bad.fileName());
    QVERIFY(!read);
    QCOMPARE(read.error().kind, std::string("theme.bad_file"));
    QVERIFY2(QString::fromStdString(read.error().where).startsWith(where), read.error().where.c_str());
  }

  void everyIconThatIsNamedExists() {
    static const QRegularExpression kName(
        QStringLiteral("themeIcon\\((?:QStringLiteral\\()?\"([a-z_0-9]+)\""));
    QStringList names;
    for (const char* folder : {"views", "app"}) {
      QDirIterator files(QStringLiteral(MOESCOPE_RESOURCES "/../%1").arg(QLatin1String(folder)),
                         {QStringLiteral("*.cpp")}, QDir::Files, QDirIterator::Subdirectories);
      while (files.hasNext()) {
        QFile file(files.next());
        QVERIFY(file.open(QIODevice::ReadOnly));
        for (auto match = kName.globalMatch(QString::fromUtf8(file.readAll())); match.hasNext();)
          names << match.next().captured(1);
      }
    }
    QVERIFY(names.size() > 10);
    for (const QString& name : names)
      QVERIFY2(QFile::exists(resource(QStringLiteral("icons/%1.svg").arg(name))), qPrintable(name));
  }

  void iconsRenderInOneColourOfTheTheme() {
    const auto files = QDir(resource(QStringLiteral("icons"))).entryInfoList({QStringLiteral("*.svg")});
    QVERIFY(files.size() >= 40);
    for (const QFileInfo& file : files) {
      QFile svg(file.filePath());
      QVERIFY(svg.open(QIODevice::ReadOnly));
      QVERIFY2(svg.readAll().contains("viewBox=\"0 0 16 16\""), qPrintable(file.fileName()));
      const QIcon icon = themeIcon(file.completeBaseName());
      const QImage image = icon.pixmap(QSize(16, 16), 1.0).toImage();
      QVERIFY2(inked(image) >= 10 && inked(image) < 200, qPrintable(file.fileName()));
      const QPixmap twice = icon.pixmap(QSize(16, 16), 2.0);
      QCOMPARE(twice.size(), QSize(32, 32));
      QCOMPARE(twice.devicePixelRatio(), 2.0);
    }
    chooseTheme(ThemeChoice::Dark);
    const QIcon stop = themeIcon(QStringLiteral("stop"));
    const auto middle = [&stop](QIcon::Mode mode, QIcon::State state) {
      return stop.pixmap(QSize(16, 16), 1.0, mode, state).toImage().pixelColor(8, 8);
    };
    QCOMPARE(middle(QIcon::Normal, QIcon::Off), colourIn(QStringLiteral("dark"), "text"));
    QCOMPARE(middle(QIcon::Disabled, QIcon::Off), colourIn(QStringLiteral("dark"), "text3"));
    QCOMPARE(middle(QIcon::Selected, QIcon::Off), colourIn(QStringLiteral("dark"), "onAccent"));
    QCOMPARE(middle(QIcon::Normal, QIcon::On), colourIn(QStringLiteral("dark"), "accent"));
    chooseTheme(ThemeChoice::Light);
    QCOMPARE(middle(QIcon::Normal, QIcon::Off), colourIn(QStringLiteral("light"), "text"));
    chooseTheme(ThemeChoice::Dark);
  }

  void fontsAreTheBundledOnes() {
    const Theme& theme = Theme::current();
    const std::pair<QFont, const char*> fonts[] = {{theme.font(FontSize::Body), "Open Sans"},
                                                   {theme.font(FontSize::Title), "Open Sans"},
                                                   {theme.mono(), "DejaVu Sans Mono"}};
    for (const auto& [font, family] : fonts) QCOMPARE(QFontInfo(font).family(), QLatin1String(family));
    for (const char* file : {"OpenSans-Regular.ttf", "OpenSans-Semibold.ttf", "DejaVuSans.ttf",
                             "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf"}) {
      QVERIFY2(QRawFont(resource(QStringLiteral("fonts/") + QLatin1String(file)), 12).isValid(), file);
    }
    for (const char* file : {"LICENSE-OpenSans.txt", "LICENSE-DejaVu.txt"}) {
      QVERIFY(QFileInfo(resource(QStringLiteral("fonts/") + QLatin1String(file))).size() > 1000);
    }
    QVERIFY(theme.font(FontSize::Title).weight() > theme.font(FontSize::Body).weight());
    // Numbers in columns line up: all digits have one width.
    const QFontMetricsF metrics(theme.font(FontSize::Body));
    for (char digit = '1'; digit <= '9'; ++digit) {
      QCOMPARE(metrics.horizontalAdvance(QLatin1Char(digit)), metrics.horizontalAdvance(QLatin1Char('0')));
    }
  }

  void semiBoldIsNotFaked() {
    // The SemiBold file is wider than the Regular one; a synthetic bold would not reach its width.
    const QString text = QStringLiteral("Routing map");
    const QRawFont file(resource(QStringLiteral("fonts/OpenSans-Semibold.ttf")), 120, QFont::PreferNoHinting);
    double expected = 0;
    for (const QPointF& advance :
         file.advancesForGlyphIndexes(file.glyphIndexesForString(text), QRawFont::KernedAdvances))
      expected += advance.x();
    QFont font = Theme::current().font(FontSize::Title);
    font.setPixelSize(120);
    font.setHintingPreference(QFont::PreferNoHinting);
    QVERIFY(std::abs(QFontMetricsF(font).horizontalAdvance(text) - expected) < 0.01 * expected);
  }

  void choiceIsImmediateAndRemembered() {
    QWidget window;
    QLabel label(QStringLiteral("text"), &window);
    window.show();
    chooseTheme(ThemeChoice::Light);
    QVERIFY(!Theme::current().dark());
    QCOMPARE(savedThemeChoice(), ThemeChoice::Light);
    QTRY_COMPARE(label.palette().color(QPalette::WindowText), colourIn(QStringLiteral("light"), "text"));
    chooseTheme(ThemeChoice::Dark);
    QVERIFY(Theme::current().dark());
    QCOMPARE(savedThemeChoice(), ThemeChoice::Dark);
    QTRY_COMPARE(label.palette().color(QPalette::WindowText), colourIn(QStringLiteral("dark"), "text"));
  }

  void primaryButtonHasTheAccent() {
    QPushButton button(QStringLiteral("Generate"));
    button.setDefault(true);
    QPushButton other(QStringLiteral("Stop"));
    for (QPushButton* each : {&button, &other}) {
      each->resize(each->sizeHint());
      QVERIFY(each->height() >= 26);
    }
    const QColor accent = colourIn(QStringLiteral("dark"), "accent");
    QCOMPARE(button.grab().toImage().pixelColor(5, 13), accent);
    QVERIFY(other.grab().toImage().pixelColor(5, 13) != accent);
    button.setEnabled(false);
    QVERIFY(button.grab().toImage().pixelColor(5, 13) != accent);
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestTheme)
#include "tst_theme.moc"
