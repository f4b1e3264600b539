// Theme: the colours, fonts and icons of the window, read from resources/themes. Not for data colours
// (core/figure/colour_map.h) or for figures (views/figure/figure_style.h).
#pragma once

#include <QColor>
#include <QFont>
#include <QIcon>
#include <QString>

#include <array>
#include <functional>

#include "core/figure/figure_spec.h"
#include "views/api/canvas_painter.h"

class QApplication;

namespace moescope::views {

/// The rows of the palette; each is a key of resources/themes/*.json.
enum class ColourRole : std::uint8_t {
  Window,
  Panel,
  Canvas,
  Control,
  ControlHover,
  Empty,
  Separator,
  Border,
  Track,
  Text,
  Text2,
  Text3,
  Accent,
  OnAccent,
  AccentBack,
  Warning,
  Error,
  Ok,
  Recording,
  Ink,
  InkBack,
};
inline constexpr int kColourRoles = static_cast<int>(ColourRole::InkBack) + 1;

enum class FontSize : std::uint8_t {
  Body,     ///< 12 px at scale 1
  Small,    ///< 11 px
  Title,    ///< 12 px SemiBold
  Number,   ///< 15 px SemiBold
  Heading,  ///< 17 px SemiBold
};

enum class ThemeChoice : std::uint8_t { System, Dark, Light };

/// GUI thread only. Widgets learn of a change by QEvent::PaletteChange.
class Theme {
 public:
  static const Theme& current();

  [[nodiscard]] bool dark() const { return m_dark; }
  [[nodiscard]] QColor colour(ColourRole role) const { return m_colours[static_cast<std::size_t>(role)]; }
  /// The same for canvases.
  [[nodiscard]] Colour paint(ColourRole role) const;
  /// The variant of the data colours that belongs to it.
  [[nodiscard]] figure::Theme data() const { return m_dark ? figure::Theme::Dark : figure::Theme::Light; }
  /// Open Sans in one of the window's sizes; follows the system font size by ratio.
  [[nodiscard]] QFont font(FontSize size) const;
  /// DejaVu Sans Mono: tokens, SQL, ids.
  [[nodiscard]] QFont mono(FontSize size = FontSize::Body) const;

 private:
  friend class ThemeLoader;
  bool m_dark = true;
  std::array<QColor, kColourRoles> m_colours;
};

/// Colours, fonts, style and icons for the application; the choice of the last start. Reads
/// `resources`/themes, /fonts and /icons.
void installTheme(QApplication& application, const QString& resources);
[[nodiscard]] ThemeChoice savedThemeChoice();
/// How the desktop's own choice is found out; asked again whenever the desktop says that its theme changed.
void setDesktopProbe(std::function<bool()> isDark);
/// Immediate; nothing is lost.
void chooseTheme(ThemeChoice choice);

/// Where a bundled font file lies ("OpenSans-Regular.ttf"), for canvases, which rasterise it themselves.
[[nodiscard]] QString fontFile(const QString& name);

/// An icon of resources/icons, tinted with the palette; follows the theme. Unknown names are a bug.
QIcon themeIcon(const QString& name);

}  // namespace moescope::views
