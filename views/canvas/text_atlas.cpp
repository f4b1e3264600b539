#include "views/canvas/text_atlas.h"

#include <QFontMetricsF>
#include <QImage>
#include <QPainter>

#include <algorithm>
#include <cmath>

#include "views/canvas/canvas_fonts.h"

namespace moescope::views {

namespace {

constexpr int kPageSize = 1024;
constexpr int kGap = 1;

// White text on nothing, straight alpha as ImGui blends it.
QImage drawn(const QString& text, const QFont& font, double ratio) {
  const QFontMetricsF metrics(font);
  const int width =
      std::min(kPageSize, static_cast<int>(std::ceil(metrics.horizontalAdvance(text) * ratio)) + 2);
  const int height = std::min(kPageSize, static_cast<int>(std::ceil(metrics.height() * ratio)));
  QImage image(std::max(1, width), std::max(1, height), QImage::Format_ARGB32_Premultiplied);
  image.setDevicePixelRatio(ratio);
  image.fill(Qt::transparent);
  QPainter painter(&image);
  painter.setFont(font);
  painter.setPen(Qt::white);
  painter.drawText(QPointF(0, metrics.ascent()), text);
  painter.end();
  return image.convertToFormat(QImage::Format_RGBA8888);
}

// Glyphs without colours of their own become pure white, so that only their coverage counts.
bool whiten(QImage& image) {
  bool coloured = false;
  for (int y = 0; y < image.height() && !coloured; ++y) {
    const uchar* pixel = image.constScanLine(y);
    for (int x = 0; x < image.width(); ++x, pixel += 4) {
      const auto [low, high] = std::minmax({pixel[0], pixel[1], pixel[2]});
      coloured = coloured || (pixel[3] > 64 && high - low > 24);
    }
  }
  if (coloured) return true;
  for (int y = 0; y < image.height(); ++y) {
    uchar* pixel = image.scanLine(y);
    for (int x = 0; x < image.width(); ++x, pixel += 4) pixel[0] = pixel[1] = pixel[2] = 255;
  }
  return false;
}

}  // namespace

std::size_t TextAtlas::pageFor(int width, int height, long frame, int* x, int* y) {
  const auto place = [&](Page& page) {
    if (page.x + width > kPageSize) {
      page.y += page.shelf + kGap;
      page.x = page.shelf = 0;
    }
    if (page.y + height > kPageSize) return false;
    *x = page.x;
    *y = page.y;
    page.x += width + kGap;
    page.shelf = std::max(page.shelf, height);
    return true;
  };
  for (std::size_t i = 0; i < m_pages.size(); ++i) {
    if (place(*m_pages[i])) return i;
  }
  // All are full: the page that was not used for longest is begun again, unless this frame needs it.
  std::size_t oldest = m_pages.size();
  for (std::size_t i = 0; i < m_pages.size(); ++i) {
    const bool older = oldest == m_pages.size() || m_pages[i]->lastFrame < m_pages[oldest]->lastFrame;
    if (m_pages[i]->lastFrame < frame && older) oldest = i;
  }
  if (oldest == m_pages.size()) {
    m_pages.push_back(std::make_unique<Page>());
    m_pages.back()->texture.upload(kPageSize, kPageSize, nullptr, false);
  } else {
    std::erase_if(m_slots, [oldest](const auto& slot) { return slot.second.page == oldest; });
  }
  Page& page = *m_pages[oldest];
  page.x = page.y = page.shelf = 0;
  place(page);
  return oldest;
}

TextAtlas::Entry TextAtlas::find(std::string_view utf8, FontRole font, double ratio, long frame) {
  if (ratio != m_ratio) {
    clear();
    m_ratio = ratio;
  }
  std::string key(1, static_cast<char>('0' + static_cast<int>(font)));
  key += utf8;
  auto found = m_slots.find(key);
  if (found == m_slots.end()) {
    QImage image =
        drawn(QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size())), qtFont(font), ratio);
    Slot slot;
    slot.coloured = whiten(image);
    int x = 0, y = 0;
    slot.page = pageFor(image.width(), image.height(), frame, &x, &y);
    slot.source = {static_cast<float>(x), static_cast<float>(y), static_cast<float>(image.width()),
                   static_cast<float>(image.height())};
    m_pages[slot.page]->texture.uploadPart(x, y, image.width(), image.height(), image.constBits());
    found = m_slots.emplace(std::move(key), slot).first;
  }
  Page& page = *m_pages[found->second.page];
  page.lastFrame = frame;
  return {&page.texture, found->second.source, found->second.coloured};
}

void TextAtlas::clear() {
  m_slots.clear();
  m_pages.clear();
}

}  // namespace moescope::views
