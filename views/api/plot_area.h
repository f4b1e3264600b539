// PlotArea: where the axes of a small plot lie on a canvas, and their ticks. Not for figures on paper
// (views/figure/figure_layout.h).
#pragma once

#include <vector>

#include "core/figure/figure_spec.h"
#include "views/api/canvas_painter.h"

namespace moescope::views {

struct PlotArea {
  Rect frame;  ///< inside the axes
  double xMin = 0, xMax = 1, yMin = 0, yMax = 1;

  [[nodiscard]] float x(double value) const;
  [[nodiscard]] float y(double value) const;
};

/// Leaves room for the labels of `y` on the left and for a line of text above and below.
PlotArea plotArea(Rect area, const figure::Axis& x, const figure::Axis& y);

/// At most `most` ticks with their labels and lines across the frame.
void drawYAxis(CanvasPainter& painter, const PlotArea& plot, const figure::Axis& y, int most);

/// Where those lines lie, from the bottom up.
std::vector<float> gridLines(const PlotArea& plot, const figure::Axis& y, int most);

}  // namespace moescope::views
