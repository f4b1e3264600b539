#include "views/figure/figure_style.h"

#include <QDir>
#include <QFontDatabase>
#include <QFontInfo>

#include <algorithm>

namespace moescope::views {

namespace {

constexpr const char* kFamily = "DejaVu Sans";

QFont fontOf(double points) {
  QFont font(QString::fromLatin1(kFamily));
  font.setPixelSize(std::max(1, qRound(points * kUnitsPerPoint)));
  // Layout must not depend on the pixel grid of a device.
  font.setHintingPreference(QFont::PreferNoHinting);
  font.setStyleStrategy(static_cast<QFont::StyleStrategy>(QFont::PreferOutline | QFont::NoSubpixelAntialias));
  return font;
}

bool hasTextInside(const figure::FigureSpec& spec) {
  const bool labelled =
      std::ranges::any_of(spec.references, [](const auto& line) { return !line.label.empty(); });
  const bool highlighted =
      spec.bars && std::ranges::find(spec.bars->highlighted, true) != spec.bars->highlighted.end();
  const bool legend = spec.lines.size() > 1 || (spec.map && !spec.map->marks.empty());
  return labelled || highlighted || legend || spec.drawSampleLine;
}

}  // namespace

FigureStyle styleOf(const figure::FigureSpec& spec) {
  FigureStyle style;
  switch (spec.theme) {
    case figure::Theme::Print:
      style.ground = Qt::white;
      style.ink = style.frame = style.secondary = style.accent = Qt::black;
      style.empty = Qt::white;
      style.bar = QColor(0x9A, 0xA0, 0xA8);
      break;
    case figure::Theme::Light:
      style.ground = Qt::white;
      style.ink = QColor(0x1B, 0x1F, 0x24);
      style.secondary = style.bar = QColor(0x51, 0x59, 0x63);
      style.frame = QColor(0x7C, 0x84, 0x8E);
      style.accent = QColor(0x00, 0x75, 0x6A);
      style.empty = QColor(0xEE, 0xF0, 0xF2);
      break;
    case figure::Theme::Dark:
      style.ground = QColor(0x17, 0x19, 0x1D);
      style.ink = QColor(0xE4, 0xE7, 0xEB);
      style.secondary = style.bar = QColor(0xA8, 0xAF, 0xB9);
      style.frame = QColor(0x7A, 0x82, 0x8D);
      style.accent = QColor(0x37, 0xBF, 0xAB);
      style.empty = QColor(0x1E, 0x21, 0x25);
      break;
  }
  style.labels = fontOf(spec.fontPoints);
  style.inside = fontOf(spec.fontPoints - figure::kInsideTextStep);
  style.title = style.labels;
  style.title.setBold(true);
  // Spacing follows the text, so that a slide with 18 pt is a larger picture of the same layout.
  const double scale = spec.fontPoints / 8.0;
  style.gap *= scale;
  style.margin *= scale;
  style.tickLength *= scale;
  return style;
}

double smallestTextPoints(const figure::FigureSpec& spec) {
  return hasTextInside(spec) ? spec.fontPoints - figure::kInsideTextStep : spec.fontPoints;
}

bool loadFigureFonts(const QString& folder) {
  for (const char* file : {"DejaVuSans.ttf", "DejaVuSans-Bold.ttf"}) {
    const QString path = QDir(folder).filePath(QString::fromLatin1(file));
    if (QFileInfo::exists(path)) QFontDatabase::addApplicationFont(path);
  }
  return QFontInfo(QFont(QString::fromLatin1(kFamily))).family() == QLatin1String(kFamily);
}

}  // namespace moescope::views
