// HitRegions: what can be pointed at in one frame, with the clipping that was in force. Not for what a
// click on it does (canvas.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "views/api/canvas_painter.h"

namespace moescope::views {

class HitRegions {
 public:
  void clear();
  void pushClip(Rect rect);
  void popClip();
  void add(Rect rect, std::string_view id);

  /// Id of the topmost region; empty if there is none.
  [[nodiscard]] std::string at(Point point) const;
  /// The visible part of the topmost region with this id.
  [[nodiscard]] std::optional<Rect> rectOf(std::string_view id) const;

 private:
  struct Region {
    Rect rect;
    std::string id;
  };
  std::vector<Region> m_regions;
  std::vector<Rect> m_clips;
};

}  // namespace moescope::views
