#include "views/api/plot_area.h"

#include <algorithm>
#include <cmath>

#include "core/figure/ticks.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr float kLeft = 34.0F, kRight = 12.0F, kTop = 14.0F, kBottom = 20.0F;
constexpr float kLabelGap = 6.0F;

}  // namespace

float PlotArea::x(double value) const {
  const double range = xMax > xMin ? xMax - xMin : 1.0;
  return frame.x + static_cast<float>((value - xMin) / range) * frame.width;
}

float PlotArea::y(double value) const {
  const double range = yMax > yMin ? yMax - yMin : 1.0;
  return frame.y + frame.height - static_cast<float>((value - yMin) / range) * frame.height;
}

PlotArea plotArea(Rect area, const figure::Axis& x, const figure::Axis& y) {
  PlotArea plot;
  plot.frame = {area.x + kLeft, area.y + kTop, std::max(1.0F, area.width - kLeft - kRight),
                std::max(1.0F, area.height - kTop - kBottom)};
  plot.xMin = x.min;
  plot.xMax = x.max;
  plot.yMin = y.min;
  plot.yMax = y.max;
  return plot;
}

void drawYAxis(CanvasPainter& painter, const PlotArea& plot, const figure::Axis& y, int most) {
  const Colour grid = Theme::current().paint(ColourRole::Separator);
  const Colour label = Theme::current().paint(ColourRole::Text2);
  for (const auto& [value, text] : figure::labelledTicks(y.min, y.max, most, y.suffix)) {
    const float at = std::round(plot.y(value));
    painter.fillRect({plot.frame.x, at, plot.frame.width, 1.0F}, grid);
    painter.text({plot.frame.x - kLabelGap, at}, text, label, FontRole::Small, Align::Right);
  }
}

std::vector<float> gridLines(const PlotArea& plot, const figure::Axis& y, int most) {
  std::vector<float> lines;
  for (const double value : figure::niceTicks(y.min, y.max, most)) lines.push_back(std::round(plot.y(value)));
  return lines;
}

}  // namespace moescope::views
