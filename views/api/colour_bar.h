// ColourBar: the scale of a picture, drawn at its bottom, with ends that can be dragged.
// Not for mapping values (core/figure/colour_map.h).
#pragma once

#include <functional>
#include <vector>

#include "core/figure/figure_spec.h"
#include "views/api/canvas.h"

namespace moescope::views {

/// Part of a canvas, which passes its events on. A range that the user has set stays until it is reset.
class ColourBar {
 public:
  /// Takes the scale of new data: a range set by the user stays while `label` stays the same.
  void setScale(const figure::ColourScale& scale);
  /// What pictures are drawn with.
  [[nodiscard]] const figure::ColourScale& scale() const { return m_shown; }
  /// What setScale() was given last.
  [[nodiscard]] const figure::ColourScale& dataScale() const { return m_data; }
  [[nodiscard]] bool isOwnRange() const { return m_ownRange; }
  void reset();

  /// Label on the left, bar, ticks below; `area` is 40 px high. Hit regions "colour bar", "colour bar/low"
  /// and "colour bar/high".
  void draw(CanvasPainter& painter, Rect area, float barWidth);
  /// Where the bar ended when it was drawn last, for what follows on the line.
  [[nodiscard]] float right() const { return m_bar.x + m_bar.width; }

  // True if the event was for the bar. After drag() and doubleClick() the picture has to be drawn anew.
  bool press(const CanvasEvent& event);
  bool drag(const CanvasEvent& event);
  bool release();
  bool doubleClick(const CanvasEvent& event);

 private:
  enum class End : std::uint8_t { None, Low, High };

  figure::ColourScale m_data, m_shown, m_atPress;
  bool m_ownRange = false;
  End m_dragged = End::None;
  Rect m_bar;
  std::vector<Colour> m_pixels;
  figure::ColourMapId m_pixelMap = figure::ColourMapId::Cividis;
  bool m_pixelDark = false;
  std::uint64_t m_version = 0;
};

/// A colour of a data table as canvases take it.
Colour dataColour(const figure::ColourScale& scale, double value);

}  // namespace moescope::views
