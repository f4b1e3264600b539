// PlaceholderPainter: a painter where nothing can be drawn; it measures text and keeps hit regions, so that
// panels behave the same. Not for tests of draw lists.
#pragma once

#include "views/canvas/hit_regions.h"

namespace moescope::views {

class PlaceholderPainter : public CanvasPainter {
 public:
  explicit PlaceholderPainter(HitRegions& regions) : m_regions(regions) {}

  void fillRect(Rect, Colour) override {}
  void strokeRect(Rect, Colour, float) override {}
  void line(Point, Point, Colour, float) override {}
  void polyline(std::span<const Point>, Colour, float) override {}
  void fillTriangle(Point, Point, Point, Colour) override {}
  void hatch(Rect, Colour, bool) override {}
  void image(const ImageSource&, Rect, Rect) override {}
  void text(Point, std::string_view, Colour, FontRole, Align) override {}
  void shapedText(Point, std::string_view, Colour, FontRole) override {}
  [[nodiscard]] float textWidth(std::string_view utf8, FontRole font) override;
  void pushClip(Rect rect) override { m_regions.pushClip(rect); }
  void popClip() override { m_regions.popClip(); }
  void hitRegion(Rect rect, std::string_view id) override { m_regions.add(rect, id); }

 private:
  HitRegions& m_regions;
};

}  // namespace moescope::views
