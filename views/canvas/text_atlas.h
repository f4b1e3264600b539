// TextAtlas: text of any script, shaped and drawn by Qt once and kept in textures by its content. Not for
// labels that change all the time; ImGui draws those.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "views/api/canvas_painter.h"
#include "views/canvas/gl_texture.h"

namespace moescope::views {

/// The OpenGL context must be current.
class TextAtlas {
 public:
  struct Entry {
    const GlTexture* texture = nullptr;
    Rect source;            ///< in pixels of the texture
    bool coloured = false;  ///< emoji: keeps its own colours
  };
  /// `ratio` is the device pixel ratio. Text wider than a page is cut.
  Entry find(std::string_view utf8, FontRole font, double ratio, long frame);
  void clear();

 private:
  struct Page {
    GlTexture texture;
    int x = 0, y = 0, shelf = 0;  // where the next text goes, and the height of its row
    long lastFrame = 0;
  };
  struct Slot {
    std::size_t page = 0;
    Rect source;
    bool coloured = false;
  };

  std::size_t pageFor(int width, int height, long frame, int* x, int* y);

  std::vector<std::unique_ptr<Page>> m_pages;
  std::unordered_map<std::string, Slot> m_slots;
  double m_ratio = 0.0;
};

}  // namespace moescope::views
