// FigureStyle: colours, fonts and lengths of a figure in one theme. Not the theme of the window: a figure
// must come out the same whatever the user chose there.
#pragma once

#include <QColor>
#include <QFont>

#include "core/figure/figure_spec.h"

namespace moescope::views {

/// Figures are laid out in tenths of a point.
inline constexpr double kUnitsPerPoint = 10.0;
inline constexpr int kUnitsPerInch = 720;
/// Part of its colour in a shaded range or interval.
inline constexpr double kBandStrength = 0.14, kIntervalStrength = 0.25;

struct FigureStyle {
  figure::Theme theme = figure::Theme::Print;
  QColor ground, ink, secondary, frame, accent, empty, bar;
  QColor plain;             ///< kPlainColour: grey beside the coloured
  QColor flat;              ///< cells that are not distinguishable from the baseline
  QColor grid;              ///< invalid: no grid lines
  double frameWidth = 6.0;  ///< 0.6 pt
  double dataWidth = 8.0;   ///< 0.8 pt
  double tickLength = 25.0;
  double gap = 30.0;  ///< between parts that belong together
  double margin = 20.0;
  double markerRadius = 20.0;
  QFont labels;  ///< the size asked for
  QFont inside;  ///< 1 pt smaller, inside the axes
  QFont title;

  /// An Okabe–Ito colour, or the grey of kPlainColour.
  [[nodiscard]] QColor colour(int index) const;
};

FigureStyle styleOf(const figure::FigureSpec& spec);

/// `part` of a colour on a ground, opaque: print files with transparency give trouble.
QColor mixed(const QColor& colour, const QColor& ground, double part);
/// Ascent and descent of a font.
double lineHeight(const QFont& font);

/// The smallest size, in points, that the figure draws text in.
double smallestTextPoints(const figure::FigureSpec& spec);

/// Makes the bundled DejaVu Sans known, from `folder`/DejaVuSans.ttf and DejaVuSans-Bold.ttf. False if there
/// is neither a bundled nor an installed one: figures then depend on the machine. Needs a QGuiApplication.
bool loadFigureFonts(const QString& folder);

}  // namespace moescope::views
