#include "views/api/theme.h"

#include <QApplication>
#include <QEvent>
#include <QFontDatabase>
#include <QSettings>
#include <QToolTip>
#include <QWidget>

#include <algorithm>
#include <cstdlib>

#include "core/base/log.h"
#include "views/figure/figure_style.h"
#include "views/theme/theme_file.h"
#include "views/theme/theme_icon.h"
#include "views/theme/theme_style.h"

namespace moescope::views {

namespace {

constexpr double kReferencePoints = 9.0;  // the system font size at which the window's sizes hold
constexpr double kLeastPoints = 8.0, kMostPoints = 16.0;
constexpr int kDarkBelow = 128;  // HSL lightness of a desktop's window colour
const auto kChoiceKey = QStringLiteral("theme");

struct Installed {
  Theme theme;
  double fontRatio = 1.0;
  bool systemDark = false;
  std::function<bool()> desktopIsDark;
  QString fontFolder;
  ThemeColours dark, light;
};

Installed& installed() {
  static Installed state;
  return state;
}

int pixelsOf(FontSize size) {
  switch (size) {
    case FontSize::Body:
    case FontSize::Title: return 12;
    case FontSize::Small: return 11;
    case FontSize::Number: return 15;
    case FontSize::Heading: return 17;
  }
  return 12;
}

QFont sized(const QString& family, FontSize size) {
  QFont font(family);
  font.setPixelSize(std::max(11, qRound(pixelsOf(size) * installed().fontRatio)));
  return font;
}

QPalette paletteOf(const Theme& theme) {
  const auto colour = [&theme](ColourRole role) { return theme.colour(role); };
  QPalette palette;
  const std::pair<QPalette::ColorRole, ColourRole> roles[] = {
      {QPalette::Window, ColourRole::Window},
      {QPalette::WindowText, ColourRole::Text},
      {QPalette::Base, ColourRole::Canvas},
      {QPalette::AlternateBase, ColourRole::Panel},
      {QPalette::Text, ColourRole::Text},
      {QPalette::Button, ColourRole::Control},
      {QPalette::ButtonText, ColourRole::Text},
      {QPalette::BrightText, ColourRole::Error},
      {QPalette::Light, ColourRole::ControlHover},
      {QPalette::Midlight, ColourRole::ControlHover},
      {QPalette::Mid, ColourRole::Separator},
      {QPalette::Dark, ColourRole::Border},
      {QPalette::Shadow, ColourRole::Border},
      {QPalette::Highlight, ColourRole::Accent},
      {QPalette::HighlightedText, ColourRole::OnAccent},
      {QPalette::PlaceholderText, ColourRole::Text3},
      {QPalette::ToolTipBase, ColourRole::Control},
      {QPalette::ToolTipText, ColourRole::Text},
      {QPalette::Link, ColourRole::Accent},
      {QPalette::LinkVisited, ColourRole::Accent}};
  for (const auto& [role, ours] : roles) palette.setColor(role, colour(ours));
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
    palette.setColor(QPalette::Disabled, role, colour(ColourRole::Text3));
  }
  palette.setColor(QPalette::Disabled, QPalette::Highlight, colour(ColourRole::Track));
  palette.setColor(QPalette::Disabled, QPalette::HighlightedText, colour(ColourRole::Text3));
  return palette;
}

}  // namespace

/// The only writer of the current theme.
class ThemeLoader {
 public:
  static void apply(ThemeChoice choice) {
    Installed& state = installed();
    Theme& theme = state.theme;
    theme.m_dark = choice == ThemeChoice::System ? state.systemDark : choice == ThemeChoice::Dark;
    theme.m_colours = theme.m_dark ? state.dark : state.light;
    QPalette palette = paletteOf(theme);
    QApplication::setPalette(palette);
    QToolTip::setPalette(palette);
    // Docks and what is in them stand on the panel colour.
    palette.setColor(QPalette::Window, theme.colour(ColourRole::Panel));
    QApplication::setPalette(palette, "QDockWidget");
    for (QWidget* window : QApplication::topLevelWidgets()) window->update();
  }
};

namespace {

/// The palette of the desktop is what is left when the window's own is taken away.
bool desktopPaletteIsDark() {
  QApplication::setPalette(QPalette());
  return QApplication::palette().color(QPalette::Window).lightness() < kDarkBelow;
}

void askDesktop() {
  Installed& state = installed();
  state.systemDark = state.desktopIsDark();
  ThemeLoader::apply(savedThemeChoice());
}

/// Qt sends a ThemeChange to every window; the first one is enough.
class DesktopFollower : public QObject {
 public:
  using QObject::QObject;

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override {
    if (event->type() == QEvent::ThemeChange && !m_asked) {
      m_asked = true;
      // Once, and not inside the delivery of the event.
      QMetaObject::invokeMethod(
          this,
          [this] {
            m_asked = false;
            askDesktop();
          },
          Qt::QueuedConnection);
    }
    return QObject::eventFilter(watched, event);
  }

 private:
  bool m_asked = false;
};

}  // namespace

void setDesktopProbe(std::function<bool()> isDark) { installed().desktopIsDark = std::move(isDark); }

const Theme& Theme::current() { return installed().theme; }

Colour Theme::paint(ColourRole role) const {
  const QColor c = colour(role);
  return {static_cast<std::uint8_t>(c.red()), static_cast<std::uint8_t>(c.green()),
          static_cast<std::uint8_t>(c.blue()), 255};
}

QFont Theme::font(FontSize size) const {
  QFont font = sized(QStringLiteral("Open Sans"), size);
  if (size != FontSize::Body && size != FontSize::Small) font.setWeight(QFont::DemiBold);
  return font;
}

QFont Theme::mono(FontSize size) const { return sized(QStringLiteral("DejaVu Sans Mono"), size); }

QString fontFile(const QString& name) { return installed().fontFolder + QLatin1Char('/') + name; }

void installTheme(QApplication& application, const QString& resources) {
  Installed& state = installed();
  state.desktopIsDark = desktopPaletteIsDark;
  state.systemDark = state.desktopIsDark();
  application.installEventFilter(new DesktopFollower(&application));
  const double points = QApplication::font().pointSizeF();
  state.fontRatio = points > 0 ? std::clamp(points, kLeastPoints, kMostPoints) / kReferencePoints : 1.0;
  for (auto [file, colours] : {std::pair{"dark", &state.dark}, std::pair{"light", &state.light}}) {
    auto read =
        readThemeColours(QStringLiteral("%1/themes/%2.json").arg(resources, QString::fromLatin1(file)));
    if (!read) {
      // Without colours there is no window; nothing is open yet that could be lost.
      spdlog::error("{}", read.error().text());
      std::exit(EXIT_FAILURE);
    }
    *colours = *read;
  }
  setIconFolder(resources + QStringLiteral("/icons"));
  state.fontFolder = resources + QStringLiteral("/fonts");
  for (const char* file : {"OpenSans-Regular.ttf", "OpenSans-Semibold.ttf", "DejaVuSansMono.ttf"}) {
    const QString path = fontFile(QLatin1String(file));
    if (QFontDatabase::addApplicationFont(path) < 0)
      spdlog::warn("{}: the font cannot be read", path.toStdString());
  }
  loadFigureFonts(state.fontFolder);
  QApplication::setStyle(new ThemeStyle);
  ThemeLoader::apply(savedThemeChoice());
  application.setFont(state.theme.font(FontSize::Body));
}

ThemeChoice savedThemeChoice() {
  const QString word = QSettings().value(kChoiceKey).toString();
  if (word == QLatin1String("dark")) return ThemeChoice::Dark;
  if (word == QLatin1String("light")) return ThemeChoice::Light;
  return ThemeChoice::System;
}

void chooseTheme(ThemeChoice choice) {
  const char* word = choice == ThemeChoice::Dark ? "dark" : choice == ThemeChoice::Light ? "light" : "system";
  QSettings().setValue(kChoiceKey, QString::fromLatin1(word));
  ThemeLoader::apply(choice);
}

}  // namespace moescope::views
