#include "views/api/colour_bar.h"

#include <algorithm>
#include <cmath>

#include "core/figure/colour_map.h"
#include "core/figure/ticks.h"
#include "views/api/cell_marks.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr float kBarHeight = 10.0F;
constexpr float kEndReach = 8.0F;  // how far from an end the pointer may be to drag it
constexpr float kTick = 4.0F;
constexpr float kLabelGap = 8.0F;
constexpr float kTickText = 12.0F;
constexpr int kMostTicks = 6;
constexpr double kLeastRatio = 1.1;
constexpr double kLeastSpan = 0.01;  // of the data's range

/// Ticks of the scale; a scale from high to low (ranks) has whole ones.
std::vector<figure::Tick> ticksOf(const figure::ColourScale& scale) {
  if (scale.min > scale.max) return figure::wholeTicks(scale.max, scale.min, kMostTicks);
  return figure::scaleTicks(scale, kMostTicks, true);
}

/// The range with one end dragged to `value`; the ends never meet or cross.
void moveEnd(figure::ColourScale& scale, const figure::ColourScale& data, bool low, double value) {
  if (scale.scale == figure::ScaleKind::Log2) {
    // The middle is uniform and is never moved, so both ends move.
    const double ratio = std::max(kLeastRatio, low ? 1.0 / std::max(value, 1e-6) : value);
    scale.max = ratio;
    scale.min = 1.0 / ratio;
    return;
  }
  const double least = kLeastSpan * (data.max - data.min);
  if (low) {
    scale.min = std::min(value, scale.max - least);
    if (scale.scale == figure::ScaleKind::Sqrt) scale.min = std::max(0.0, scale.min);
  } else {
    scale.max = std::max(value, scale.min + least);
  }
}

}  // namespace

Colour dataColour(const figure::ColourScale& scale, double value) {
  const auto mapped = figure::mapColour(scale, Theme::current().data(), value);
  return {mapped.colour[0], mapped.colour[1], mapped.colour[2]};
}

void ColourBar::setScale(const figure::ColourScale& scale) {
  if (scale.label != m_data.label) m_ownRange = false;
  const double min = m_shown.min, max = m_shown.max;
  m_data = m_shown = scale;
  if (m_ownRange) {
    m_shown.min = min;
    m_shown.max = max;
  }
}

void ColourBar::reset() {
  m_ownRange = false;
  m_shown = m_data;
}

void ColourBar::draw(CanvasPainter& painter, Rect area, float barWidth) {
  const Theme& theme = Theme::current();
  if (m_pixels.empty() || m_pixelMap != m_shown.map || m_pixelDark != theme.dark()) {
    m_pixels.clear();
    for (const figure::Rgb& c : figure::colourTable(m_shown.map, theme.data()))
      m_pixels.push_back({c[0], c[1], c[2]});
    m_pixelMap = m_shown.map;
    m_pixelDark = theme.dark();
    ++m_version;
  }
  const float labelWidth = painter.textWidth(m_shown.label, FontRole::Small);
  const float line = area.y + kBarHeight / 2.0F + 2.0F;
  painter.text({area.x, line}, m_shown.label, theme.paint(ColourRole::Text2), FontRole::Small);
  m_bar = {std::round(area.x + labelWidth + kLabelGap), line - kBarHeight / 2.0F, barWidth, kBarHeight};
  const ImageSource image{"colour bar", m_version, static_cast<int>(m_pixels.size()), 1, m_pixels};
  painter.image(image, m_bar, {0, 0, static_cast<float>(m_pixels.size()), 1});
  painter.strokeRect(grown(m_bar, 1.0F), theme.paint(ColourRole::Border), 1.0F);
  float free = m_bar.x - 20.0F;
  for (const auto& [value, text] : ticksOf(m_shown)) {
    const double position = figure::scalePosition(m_shown, value);
    if (!(position >= -1e-9 && position <= 1.0 + 1e-9)) continue;
    const float x = m_bar.x + static_cast<float>(position) * m_bar.width;
    painter.line({x, m_bar.y + m_bar.height}, {x, m_bar.y + m_bar.height + kTick},
                 theme.paint(ColourRole::Border));
    const float half = painter.textWidth(text, FontRole::Small) / 2.0F;
    if (x - half < free) continue;
    free = x + half + 4.0F;
    painter.text({x, m_bar.y + m_bar.height + kTick + kTickText / 2.0F + 1.0F}, text,
                 theme.paint(ColourRole::Text2), FontRole::Small, Align::Centre);
  }
  painter.hitRegion(m_bar, "colour bar");
  painter.hitRegion({m_bar.x - kEndReach, m_bar.y - 4.0F, 2.0F * kEndReach, m_bar.height + 8.0F},
                    "colour bar/low");
  painter.hitRegion(
      {m_bar.x + m_bar.width - kEndReach, m_bar.y - 4.0F, 2.0F * kEndReach, m_bar.height + 8.0F},
      "colour bar/high");
}

bool ColourBar::press(const CanvasEvent& event) {
  if (!event.region.starts_with("colour bar")) return false;
  m_dragged = event.region == "colour bar/low"    ? End::Low
              : event.region == "colour bar/high" ? End::High
                                                  : End::None;
  m_atPress = m_shown;
  return true;
}

bool ColourBar::drag(const CanvasEvent& event) {
  if (m_shown.min > m_shown.max) return false;  // ranks have no other range
  if (m_dragged == End::None || m_bar.width <= 0.0F) return false;
  const double position = (event.at.x - m_bar.x) / m_bar.width;
  m_shown = m_atPress;
  moveEnd(m_shown, m_data, m_dragged == End::Low, figure::scaleValue(m_atPress, position));
  m_ownRange = true;
  return true;
}

bool ColourBar::release() { return std::exchange(m_dragged, End::None) != End::None; }

bool ColourBar::doubleClick(const CanvasEvent& event) {
  if (!event.region.starts_with("colour bar")) return false;
  reset();
  return true;
}

}  // namespace moescope::views
