#include "views/canvas/image_textures.h"

#include "core/base/log.h"

namespace moescope::views {

namespace {

constexpr long kFramesKept = 120;

}  // namespace

const GlTexture* ImageTextures::find(const ImageSource& image, long frame) {
  const auto cells = static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (image.width <= 0 || image.height <= 0 || image.pixels.size() < cells) return nullptr;
  const auto [at, isNew] = m_entries.try_emplace(std::string(image.key));
  Entry& entry = at->second;
  entry.lastFrame = frame;
  const bool same = !isNew && entry.texture.name() != 0 && entry.version == image.version &&
                    entry.texture.width() == image.width && entry.texture.height() == image.height;
  if (same) return &entry.texture;
  static_assert(sizeof(Colour) == 4);
  if (!entry.texture.upload(image.width, image.height, image.pixels.data(), false)) {
    spdlog::warn("the image {} of {} x {} pixels is too large for the graphics driver", image.key,
                 image.width, image.height);
    m_entries.erase(at);
    return nullptr;
  }
  entry.version = image.version;
  return &entry.texture;
}

void ImageTextures::forgetUnused(long frame) {
  std::erase_if(m_entries,
                [frame](const auto& entry) { return frame - entry.second.lastFrame > kFramesKept; });
}

}  // namespace moescope::views
