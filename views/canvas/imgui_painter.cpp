#include "views/canvas/imgui_painter.h"

#include <imgui.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace moescope::views {

namespace {

constexpr float kHatchPeriod = 6.0F, kHatchWidth = 2.0F;

ImU32 packed(Colour c) { return IM_COL32(c.r, c.g, c.b, c.a); }
ImVec2 vec(Point p) { return {p.x, p.y}; }
ImTextureID idOf(const GlTexture& texture) {
  return reinterpret_cast<ImTextureID>(static_cast<std::uintptr_t>(texture.name()));
}

struct Polygon {
  std::array<ImVec2, 8> points;
  int count = 0;
  void add(ImVec2 p) { points[static_cast<std::size_t>(count++)] = p; }
};

/// The part of `polygon` where sign * (x + slope * y - at) >= 0.
Polygon cut(const Polygon& polygon, float slope, float at, float sign) {
  Polygon kept;
  for (int i = 0; i < polygon.count; ++i) {
    const ImVec2 a = polygon.points[static_cast<std::size_t>(i)];
    const ImVec2 b = polygon.points[static_cast<std::size_t>((i + 1) % polygon.count)];
    const float da = sign * (a.x + slope * a.y - at), db = sign * (b.x + slope * b.y - at);
    if (da >= 0) kept.add(a);
    if ((da > 0 && db < 0) || (da < 0 && db > 0)) {
      const float t = da / (da - db);
      kept.add({a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)});
    }
  }
  return kept;
}

}  // namespace

float ImGuiPainter::snapped(float logical) const {
  const auto ratio = static_cast<float>(m_ratio);
  return std::round(logical * ratio) / ratio;
}

void ImGuiPainter::fillRect(Rect rect, Colour colour) {
  m_list.AddRectFilled({rect.x, rect.y}, {rect.x + rect.width, rect.y + rect.height}, packed(colour));
}

void ImGuiPainter::strokeRect(Rect rect, Colour colour, float width) {
  // Four bars: crisp at every ratio, and inside the rectangle.
  const float w = std::min({width, rect.width / 2, rect.height / 2});
  fillRect({rect.x, rect.y, rect.width, w}, colour);
  fillRect({rect.x, rect.y + rect.height - w, rect.width, w}, colour);
  fillRect({rect.x, rect.y + w, w, rect.height - 2 * w}, colour);
  fillRect({rect.x + rect.width - w, rect.y + w, w, rect.height - 2 * w}, colour);
}

void ImGuiPainter::line(Point from, Point to, Colour colour, float width) {
  const float before = std::floor(width / 2.0F);
  if (from.x == to.x) {
    fillRect({snapped(from.x) - before, std::min(from.y, to.y), width, std::abs(to.y - from.y)}, colour);
  } else if (from.y == to.y) {
    fillRect({std::min(from.x, to.x), snapped(from.y) - before, std::abs(to.x - from.x), width}, colour);
  } else {
    m_list.AddLine(vec(from), vec(to), packed(colour), width);
  }
}

void ImGuiPainter::polyline(std::span<const Point> points, Colour colour, float width) {
  for (const Point& p : points) m_list.PathLineTo(vec(p));
  m_list.PathStroke(packed(colour), ImDrawFlags_None, width);
}

void ImGuiPainter::fillTriangle(Point a, Point b, Point c, Colour colour) {
  m_list.AddTriangleFilled(vec(a), vec(b), vec(c), packed(colour));
}

void ImGuiPainter::hatch(Rect rect, Colour colour, bool rising) {
  // Each stripe is the part of the rectangle between two diagonals, so that no clip splits the draw list.
  const float slope = rising ? 1.0F : -1.0F;
  const float first = rising ? rect.x + rect.y : rect.x - rect.y - rect.height;
  Polygon whole;
  for (const ImVec2 corner :
       {ImVec2(rect.x, rect.y), ImVec2(rect.x + rect.width, rect.y),
        ImVec2(rect.x + rect.width, rect.y + rect.height), ImVec2(rect.x, rect.y + rect.height)}) {
    whole.add(corner);
  }
  const auto stripes = static_cast<int>(std::ceil((rect.width + rect.height) / kHatchPeriod - 0.5F));
  for (int i = 0; i < stripes; ++i) {
    const float at = (static_cast<float>(i) + 0.5F) * kHatchPeriod;
    const Polygon stripe = cut(cut(whole, slope, first + at, 1.0F), slope, first + at + kHatchWidth, -1.0F);
    if (stripe.count >= 3) m_list.AddConvexPolyFilled(stripe.points.data(), stripe.count, packed(colour));
  }
}

void ImGuiPainter::image(const ImageSource& image, Rect target, Rect source) {
  const GlTexture* texture = m_resources.images.find(image, m_frame);
  if (texture == nullptr) return;
  const auto width = static_cast<float>(image.width), height = static_cast<float>(image.height);
  m_list.AddImage(idOf(*texture), {target.x, target.y}, {target.x + target.width, target.y + target.height},
                  {source.x / width, source.y / height},
                  {(source.x + source.width) / width, (source.y + source.height) / height});
}

void ImGuiPainter::text(Point at, std::string_view utf8, Colour colour, FontRole font, Align align) {
  if (utf8.empty()) return;
  if (align != Align::Left) at.x -= textWidth(utf8, font) * (align == Align::Centre ? 0.5F : 1.0F);
  const ImFont* imgui = m_resources.fonts.imguiFont(font, utf8);
  if (imgui == nullptr) {
    shapedText(at, utf8, colour, font);
    return;
  }
  const float height = m_resources.fonts.lineHeight(font);
  m_list.AddText(imgui, static_cast<float>(imgui->FontSize / m_ratio),
                 {snapped(at.x), snapped(at.y - height / 2)}, packed(colour), utf8.data(),
                 utf8.data() + utf8.size());
}

void ImGuiPainter::shapedText(Point at, std::string_view utf8, Colour colour, FontRole font) {
  if (utf8.empty()) return;
  const auto entry = m_resources.texts.find(utf8, font, m_ratio, m_frame);
  const auto ratio = static_cast<float>(m_ratio);
  const float width = entry.source.width / ratio, height = entry.source.height / ratio;
  const float x = snapped(at.x), y = snapped(at.y - height / 2);
  const auto page = static_cast<float>(entry.texture->width());
  const ImU32 tint = entry.coloured ? IM_COL32(255, 255, 255, colour.a) : packed(colour);
  m_list.AddImage(
      idOf(*entry.texture), {x, y}, {x + width, y + height}, {entry.source.x / page, entry.source.y / page},
      {(entry.source.x + entry.source.width) / page, (entry.source.y + entry.source.height) / page}, tint);
}

float ImGuiPainter::textWidth(std::string_view utf8, FontRole font) {
  return m_resources.fonts.width(utf8, font);
}

void ImGuiPainter::pushClip(Rect rect) {
  m_list.PushClipRect({rect.x, rect.y}, {rect.x + rect.width, rect.y + rect.height}, true);
  m_regions.pushClip(rect);
}

void ImGuiPainter::popClip() {
  m_list.PopClipRect();
  m_regions.popClip();
}

void ImGuiPainter::hitRegion(Rect rect, std::string_view id) { m_regions.add(rect, id); }

}  // namespace moescope::views
