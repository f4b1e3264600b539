// GlTexture: an RGBA texture of the current OpenGL context. Not for framebuffers.
#pragma once

#include <cstdint>

namespace moescope::views {

/// The context that made it must be current in every call, or be gone before forget().
class GlTexture {
 public:
  GlTexture() = default;
  ~GlTexture() { release(); }
  GlTexture(const GlTexture&) = delete;
  GlTexture& operator=(const GlTexture&) = delete;
  GlTexture(GlTexture&& other) noexcept;
  GlTexture& operator=(GlTexture&& other) noexcept;

  /// RGBA bytes [height, width]; null leaves them undefined. False if the driver cannot hold that size.
  bool upload(int width, int height, const void* pixels, bool smooth);
  void uploadPart(int x, int y, int width, int height, const void* pixels);
  void release();

  [[nodiscard]] unsigned int name() const { return m_name; }
  [[nodiscard]] int width() const { return m_width; }
  [[nodiscard]] int height() const { return m_height; }

 private:
  unsigned int m_name = 0;
  int m_width = 0, m_height = 0;
};

}  // namespace moescope::views
