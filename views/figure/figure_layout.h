// FigureLayout: where the parts of a figure stand, in tenths of a point, from text sizes alone.
// Not for drawing.
#pragma once

#include <QRectF>
#include <QStringList>

#include <vector>

#include "core/figure/ticks.h"
#include "views/figure/figure_legend.h"
#include "views/figure/figure_style.h"

namespace moescope::views {

struct ColourBarLayout {
  QRectF label, bar;       ///< empty without a map
  QStringList labelAbove;  ///< lines of a label that has no room beside the bar
  std::vector<figure::Tick> ticks;
};

/// One pair of axes with what stands around it.
struct PanelLayout {
  const figure::FigurePanel* panel = nullptr;
  const figure::Axis* xAxis = nullptr;
  const figure::Axis* yAxis = nullptr;
  QRectF frame;                              ///< the axes
  QRectF heading;                            ///< the line above the axes; empty if there is none
  QString letter;                            ///< before the heading
  QRectF xLabel, yLabel;                     ///< empty where the label stands elsewhere or there is none
  std::vector<figure::Tick> xTicks, yTicks;  ///< thinned so that labels stand clear
  bool xNumbers = true, yNumbers = true;     ///< false inside a grid with shared axes
  double nameAngle = 0.0;                    ///< of the names of categories on the x axis, degrees
  double xNameRoom = 0.0, yNameRoom = 0.0;   ///< longer names are shortened; 0: as they are
  ColourBarLayout colours;                   ///< its own; empty if the figure has one for all
  std::vector<QRectF> sideColumns;           ///< as many as there is room for, over the height of the frame

  [[nodiscard]] double x(double value) const;
  [[nodiscard]] double y(double value) const;
  [[nodiscard]] QPointF at(double xValue, double yValue) const { return {x(xValue), y(yValue)}; }
};

struct FigureLayout {
  QRectF page;
  QRectF title;  ///< empty if there is none
  QRectF sample;
  QStringList sampleLines;          ///< wrapped
  Legend seriesLegend, markLegend;  ///< above the panels, below them
  QRectF sharedXLabel, sharedYLabel;
  ColourBarLayout colours;  ///< one for all maps
  std::vector<PanelLayout> panels;
};

/// `spec` must outlive the layout.
FigureLayout layOut(const figure::FigureSpec& spec, const FigureStyle& style);

/// Columns of the grid of panels: as asked for, or so that a panel is somewhat wider than high.
int gridColumns(const figure::FigureSpec& spec);

}  // namespace moescope::views
