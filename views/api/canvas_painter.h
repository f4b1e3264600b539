// CanvasPainter: how panels and plug-ins draw on a canvas without seeing ImGui. A recording painter
// checks draw lists in tests. Not for text input, menus or tool tips, which are Qt widgets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace moescope::views {

struct Point {
  float x = 0, y = 0;
};
struct Rect {
  float x = 0, y = 0, width = 0, height = 0;
  [[nodiscard]] bool contains(Point p) const {
    return p.x >= x && p.x < x + width && p.y >= y && p.y < y + height;
  }
};
struct Colour {
  std::uint8_t r = 0, g = 0, b = 0, a = 255;
  bool operator==(const Colour&) const = default;
};

enum class FontRole : std::uint8_t { Body, Small, SmallSemiBold, Mono };
enum class Align : std::uint8_t { Left, Centre, Right };

/// An image kept on the GPU between frames, named by the caller; uploaded again when `version` changes.
struct ImageSource {
  std::string_view key;
  std::uint64_t version = 0;
  int width = 0, height = 0;
  std::span<const Colour> pixels;  ///< [height, width]
};

/// Positions are logical pixels from the top left of the canvas.
class CanvasPainter {
 public:
  virtual ~CanvasPainter() = default;
  virtual void fillRect(Rect rect, Colour colour) = 0;
  virtual void strokeRect(Rect rect, Colour colour, float width = 1.0F) = 0;  ///< lies inside the rectangle
  virtual void line(Point from, Point to, Colour colour, float width = 1.0F) = 0;
  virtual void polyline(std::span<const Point> points, Colour colour, float width = 1.0F) = 0;
  virtual void fillTriangle(Point a, Point b, Point c, Colour colour) = 0;
  virtual void hatch(Rect rect, Colour colour, bool rising) = 0;  ///< 45 degrees, 2 px of 6
  /// Nearest-neighbour scaled; `source` is the part of the image in pixels. At most 8192 pixels on a side.
  virtual void image(const ImageSource& image, Rect target, Rect source) = 0;
  /// UI font through ImGui: for axis numbers and labels only. `at` is the left, middle or right of the line,
  /// half way up its height.
  virtual void text(Point at, std::string_view utf8, Colour colour, FontRole font = FontRole::Small,
                    Align align = Align::Left) = 0;
  /// Any script, shaped by Qt, kept in an atlas keyed by the text: for tokens. `at` is the left of the line,
  /// half way up its height.
  virtual void shapedText(Point at, std::string_view utf8, Colour colour, FontRole font = FontRole::Mono) = 0;
  [[nodiscard]] virtual float textWidth(std::string_view utf8, FontRole font) = 0;
  virtual void pushClip(Rect rect) = 0;
  virtual void popClip() = 0;
  /// A stable id for what can be pointed at: "layer 3/expert 17". Later regions lie above earlier ones.
  virtual void hitRegion(Rect rect, std::string_view id) = 0;
};

}  // namespace moescope::views
