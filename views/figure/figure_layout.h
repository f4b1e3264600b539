// FigureLayout: where the parts of a figure stand, in tenths of a point, from text sizes alone.
// Not for drawing.
#pragma once

#include <QRectF>
#include <QStringList>

#include <vector>

#include "core/figure/ticks.h"
#include "views/figure/figure_style.h"

namespace moescope::views {

struct FigureLayout {
  QRectF page;
  QRectF frame;  ///< the axes
  QRectF title;  ///< empty if there is none
  QRectF yLabel, xLabel;
  QRectF colourLabel, colourBar;  ///< empty without a map
  QRectF legend;                  ///< one line: series above the axes or marks below the colour bar
  QRectF sample;
  QStringList sampleLines;                                ///< wrapped
  std::vector<figure::Tick> xTicks, yTicks, colourTicks;  ///< thinned so that labels stand clear

  [[nodiscard]] double x(const figure::Axis& axis, double value) const;
  [[nodiscard]] double y(const figure::Axis& axis, double value) const;
};

FigureLayout layOut(const figure::FigureSpec& spec, const FigureStyle& style);

/// One sample of the legend of marks: what a map shows beside its colours.
struct MarkSample {
  bool missing = false;  ///< else `mark`
  figure::CellMark mark = figure::CellMark::Banned;
  QString text;
};
/// The marks that occur in the map, each once; empty without a map.
std::vector<MarkSample> markSamples(const figure::FigureSpec& spec);
/// Side of the box of a legend's sample.
double legendBox(const FigureStyle& style);

}  // namespace moescope::views
