#include "views/figure/figure_style.h"

#include <QDir>
#include <QFontDatabase>
#include <QFontInfo>
#include <QFontMetricsF>

#include <algorithm>

#include "core/figure/colour_map.h"

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

bool hasTextInside(const figure::FigureSpec& spec, const figure::FigurePanel& panel) {
  const auto labelled = [](const auto& item) { return !item.label.empty(); };
  const auto named = [](const auto& item) { return !item.name.empty(); };
  const auto pointLabels = [](const figure::Line& line) { return line.named || !line.labels.empty(); };
  const bool highlighted =
      panel.bars && std::ranges::find(panel.bars->highlighted, true) != panel.bars->highlighted.end();
  const bool marked = panel.map && (!panel.map->marks.empty() || !panel.map->indistinct.empty());
  return std::ranges::any_of(panel.references, labelled) || std::ranges::any_of(panel.bands, named) ||
         std::ranges::any_of(panel.lines, pointLabels) || highlighted || marked || panel.lines.size() > 1 ||
         !spec.groups.empty() || !panel.sideColumns.empty() || !panel.headingNote.empty();
}

}  // namespace

FigureStyle styleOf(const figure::FigureSpec& spec) {
  FigureStyle style;
  style.theme = spec.theme;
  switch (spec.theme) {
    case figure::Theme::Print:
      style.ground = Qt::white;
      style.ink = style.frame = style.secondary = style.accent = Qt::black;
      style.empty = Qt::white;
      style.bar = QColor(0x9A, 0xA0, 0xA8);
      style.flat = QColor(0xE6, 0xE8, 0xEB);
      break;
    case figure::Theme::Light:
      style.ground = Qt::white;
      style.ink = QColor(0x1B, 0x1F, 0x24);
      style.secondary = style.bar = QColor(0x51, 0x59, 0x63);
      style.frame = QColor(0x7C, 0x84, 0x8E);
      style.accent = QColor(0x00, 0x75, 0x6A);
      style.empty = QColor(0xEE, 0xF0, 0xF2);
      style.flat = QColor(0xE6, 0xE8, 0xEB);
      style.grid = QColor(0xD2, 0xD6, 0xDB);
      break;
    case figure::Theme::Dark:
      style.ground = QColor(0x17, 0x19, 0x1D);
      style.ink = QColor(0xE4, 0xE7, 0xEB);
      style.secondary = style.bar = QColor(0xA8, 0xAF, 0xB9);
      style.frame = QColor(0x7A, 0x82, 0x8D);
      style.accent = QColor(0x37, 0xBF, 0xAB);
      style.empty = QColor(0x1E, 0x21, 0x25);
      style.flat = QColor(0x2A, 0x2E, 0x34);
      style.grid = QColor(0x33, 0x37, 0x3E);
      break;
  }
  style.plain = spec.theme == figure::Theme::Print ? QColor(0x66, 0x6D, 0x75) : style.secondary;
  style.labels = fontOf(spec.fontPoints);
  style.inside = fontOf(spec.fontPoints - figure::kInsideTextStep);
  style.title = style.labels;
  style.title.setBold(true);
  // Spacing follows the text, so that a slide with 18 pt is a larger picture of the same layout.
  const double scale = spec.fontPoints / 8.0;
  style.gap *= scale;
  style.margin *= scale;
  style.tickLength *= scale;
  style.markerRadius *= scale;
  return style;
}

QColor FigureStyle::colour(int index) const {
  if (index == figure::kPlainColour) return plain;
  const figure::Rgb colour = figure::categoryColour(index, theme);
  return {colour[0], colour[1], colour[2]};
}

QColor mixed(const QColor& colour, const QColor& ground, double part) {
  const auto mix = [part](int a, int b) { return qRound(part * a + (1.0 - part) * b); };
  return {mix(colour.red(), ground.red()), mix(colour.green(), ground.green()),
          mix(colour.blue(), ground.blue())};
}

double lineHeight(const QFont& font) {
  const QFontMetricsF metrics(font);
  return metrics.ascent() + metrics.descent();
}

double smallestTextPoints(const figure::FigureSpec& spec) {
  const auto panels = figure::panelsOf(spec);
  const bool inside = spec.drawSampleLine || std::ranges::any_of(panels, [&](const auto& panel) {
                        return hasTextInside(spec, panel);
                      });
  return inside ? spec.fontPoints - figure::kInsideTextStep : spec.fontPoints;
}

bool loadFigureFonts(const QString& folder) {
  for (const char* file : {"DejaVuSans.ttf", "DejaVuSans-Bold.ttf"}) {
    const QString path = QDir(folder).filePath(QString::fromLatin1(file));
    if (QFileInfo::exists(path)) QFontDatabase::addApplicationFont(path);
  }
  return QFontInfo(QFont(QString::fromLatin1(kFamily))).family() == QLatin1String(kFamily);
}

}  // namespace moescope::views
