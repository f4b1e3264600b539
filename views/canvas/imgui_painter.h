// ImGuiPainter: CanvasPainter on an ImGui draw list. Not for input; ImGui gets none.
#pragma once

#include "views/canvas/canvas_fonts.h"
#include "views/canvas/hit_regions.h"
#include "views/canvas/image_textures.h"
#include "views/canvas/text_atlas.h"

struct ImDrawList;

namespace moescope::views {

/// What a canvas keeps between frames.
struct CanvasResources {
  CanvasFonts fonts;
  ImageTextures images;
  TextAtlas texts;
};

/// Lives for one frame; the ImGui context and the OpenGL context are current.
class ImGuiPainter : public CanvasPainter {
 public:
  ImGuiPainter(ImDrawList& list, CanvasResources& resources, HitRegions& regions, double ratio, long frame)
      : m_list(list), m_resources(resources), m_regions(regions), m_ratio(ratio), m_frame(frame) {}

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
  [[nodiscard]] float snapped(float logical) const;  // to the grid of device pixels

  ImDrawList& m_list;
  CanvasResources& m_resources;
  HitRegions& m_regions;
  double m_ratio;
  long m_frame;
};

}  // namespace moescope::views
