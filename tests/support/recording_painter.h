// RecordingPainter: keeps what a canvas draws as a list, so that tests need no OpenGL and no display.
// Not a picture: text has a fixed width for each character.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "views/api/canvas_painter.h"

namespace moescope::views {

struct PaintCommand {
  enum class Kind : std::uint8_t {
    FillRect,
    StrokeRect,
    Line,
    Polyline,
    Triangle,
    Hatch,
    Image,
    Text,
    ShapedText,
    HitRegion
  };
  Kind kind = Kind::FillRect;
  Rect
      rect;  ///< of lines and triangles the bounds, of text the box that its width and the font's height give
  Colour colour;
  float width = 1.0F;
  bool rising = false;  ///< hatch
  std::string text;     ///< text, or the key of an image
  std::string id;       ///< of a hit region
  FontRole font = FontRole::Small;
  Align align = Align::Left;
  std::vector<Point> points;  ///< of lines and triangles
  std::uint64_t version = 0;  ///< image
  int imageWidth = 0, imageHeight = 0;
  Rect source;                 ///< image
  std::vector<Colour> pixels;  ///< image
  std::vector<Rect> clips;     ///< pushed when it was drawn, outermost first
};

class RecordingPainter : public CanvasPainter {
 public:
  static constexpr float kCharacterWidth = 7.0F;
  static constexpr float kTextHeight = 14.0F;

  std::vector<PaintCommand> commands;

  [[nodiscard]] std::vector<PaintCommand> ofKind(PaintCommand::Kind kind) const;
  /// The topmost region with this id.
  [[nodiscard]] std::optional<Rect> find(std::string_view id) const;
  /// Id of the topmost region at a point; empty if none.
  [[nodiscard]] std::string regionAt(Point at) const;
  [[nodiscard]] std::vector<std::string> regions() const;
  /// Texts of both kinds in the order of drawing.
  [[nodiscard]] std::vector<std::string> texts() const;
  [[nodiscard]] bool hasText(std::string_view text) const;
  /// True if every pushClip had its popClip.
  [[nodiscard]] bool balanced() const { return m_clips.empty() && !m_poppedTooOften; }
  void clear();

  void fillRect(Rect rect, Colour colour) override;
  void strokeRect(Rect rect, Colour colour, float width) override;
  void line(Point from, Point to, Colour colour, float width) override;
  void polyline(std::span<const Point> points, Colour colour, float width) override;
  void fillTriangle(Point a, Point b, Point c, Colour colour) override;
  void hatch(Rect rect, Colour colour, bool rising) override;
  void image(const ImageSource& image, Rect target, Rect source) override;
  void text(Point at, std::string_view utf8, Colour colour, FontRole font, Align align) override;
  void shapedText(Point at, std::string_view utf8, Colour colour, FontRole font) override;
  [[nodiscard]] float textWidth(std::string_view utf8, FontRole font) override;
  void pushClip(Rect rect) override;
  void popClip() override;
  void hitRegion(Rect rect, std::string_view id) override;

 private:
  PaintCommand& add(PaintCommand::Kind kind, Rect rect, Colour colour);

  std::vector<Rect> m_clips;
  bool m_poppedTooOften = false;
};

}  // namespace moescope::views
