#include "views/canvas/hit_regions.h"

#include <algorithm>

namespace moescope::views {

namespace {

Rect intersection(Rect a, Rect b) {
  const float left = std::max(a.x, b.x), top = std::max(a.y, b.y);
  const float right = std::min(a.x + a.width, b.x + b.width),
              bottom = std::min(a.y + a.height, b.y + b.height);
  return {left, top, std::max(0.0F, right - left), std::max(0.0F, bottom - top)};
}

}  // namespace

void HitRegions::clear() {
  m_regions.clear();
  m_clips.clear();
}

void HitRegions::pushClip(Rect rect) {
  m_clips.push_back(m_clips.empty() ? rect : intersection(m_clips.back(), rect));
}

void HitRegions::popClip() {
  if (!m_clips.empty()) m_clips.pop_back();
}

void HitRegions::add(Rect rect, std::string_view id) {
  if (!m_clips.empty()) rect = intersection(m_clips.back(), rect);
  if (rect.width > 0 && rect.height > 0) m_regions.push_back({rect, std::string(id)});
}

std::string HitRegions::at(Point point) const {
  const auto found = std::find_if(m_regions.rbegin(), m_regions.rend(),
                                  [&](const Region& region) { return region.rect.contains(point); });
  return found == m_regions.rend() ? std::string() : found->id;
}

std::optional<Rect> HitRegions::rectOf(std::string_view id) const {
  const auto found = std::find_if(m_regions.rbegin(), m_regions.rend(),
                                  [&](const Region& region) { return region.id == id; });
  return found == m_regions.rend() ? std::nullopt : std::optional(found->rect);
}

}  // namespace moescope::views
