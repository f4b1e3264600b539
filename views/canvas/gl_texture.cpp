#include "views/canvas/gl_texture.h"

#include <QOpenGLContext>
#include <QOpenGLFunctions>

#include <utility>

namespace moescope::views {

namespace {

QOpenGLFunctions& gl() { return *QOpenGLContext::currentContext()->functions(); }

}  // namespace

GlTexture::GlTexture(GlTexture&& other) noexcept
    : m_name(std::exchange(other.m_name, 0)), m_width(other.m_width), m_height(other.m_height) {}

GlTexture& GlTexture::operator=(GlTexture&& other) noexcept {
  std::swap(m_name, other.m_name);
  std::swap(m_width, other.m_width);
  std::swap(m_height, other.m_height);
  return *this;
}

bool GlTexture::upload(int width, int height, const void* pixels, bool smooth) {
  int limit = 0;
  gl().glGetIntegerv(GL_MAX_TEXTURE_SIZE, &limit);
  if (width > limit || height > limit) return false;
  if (m_name == 0) gl().glGenTextures(1, &m_name);
  gl().glBindTexture(GL_TEXTURE_2D, m_name);
  const int filter = smooth ? GL_LINEAR : GL_NEAREST;
  gl().glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, filter);
  gl().glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, filter);
  gl().glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
  gl().glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
  gl().glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
  if (width == m_width && height == m_height) {
    gl().glTexSubImage2D(GL_TEXTURE_2D, 0, 0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
  } else {
    gl().glTexImage2D(GL_TEXTURE_2D, 0, GL_RGBA8, width, height, 0, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
  }
  m_width = width;
  m_height = height;
  return true;
}

void GlTexture::uploadPart(int x, int y, int width, int height, const void* pixels) {
  gl().glBindTexture(GL_TEXTURE_2D, m_name);
  gl().glPixelStorei(GL_UNPACK_ALIGNMENT, 4);
  gl().glTexSubImage2D(GL_TEXTURE_2D, 0, x, y, width, height, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
}

void GlTexture::release() {
  // Without a context the names went with it.
  if (m_name != 0 && QOpenGLContext::currentContext() != nullptr) gl().glDeleteTextures(1, &m_name);
  m_name = 0;
  m_width = m_height = 0;
}

}  // namespace moescope::views
