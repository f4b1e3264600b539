// ImageTextures: the images of a canvas on the GPU, by name, uploaded again when their version changes.
// Not for text (text_atlas.h).
#pragma once

#include <string>
#include <unordered_map>

#include "views/api/canvas_painter.h"
#include "views/canvas/gl_texture.h"

namespace moescope::views {

/// The OpenGL context must be current.
class ImageTextures {
 public:
  /// Null if the image is empty or larger than the driver allows.
  const GlTexture* find(const ImageSource& image, long frame);
  /// Frees what was not drawn for a while.
  void forgetUnused(long frame);
  void clear() { m_entries.clear(); }

 private:
  struct Entry {
    GlTexture texture;
    std::uint64_t version = 0;
    long lastFrame = 0;
  };
  std::unordered_map<std::string, Entry> m_entries;
};

}  // namespace moescope::views
