#include "views/panels/common/canvas_text.h"

#include <cmath>

namespace moescope::views {

namespace {

/// Where black and white contrast alike (WCAG 2): (L + 0.05)^2 = 1.05 * 0.05.
constexpr double kMiddleLuminance = 0.1791;

double linear(std::uint8_t channel) {
  const double c = channel / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

}  // namespace

float lineHeight(FontRole font) {
  switch (font) {
    case FontRole::Body: return 16.0F;
    case FontRole::Small:
    case FontRole::SmallSemiBold: return 15.0F;
    case FontRole::Mono: return 14.0F;
  }
  return 15.0F;
}

void middleText(CanvasPainter& painter, Point at, std::string_view utf8, Colour colour, FontRole font,
                Align align) {
  painter.text({at.x, std::round(at.y - lineHeight(font) / 2.0F)}, utf8, colour, font, align);
}

void middleShapedText(CanvasPainter& painter, Point at, std::string_view utf8, Colour colour, FontRole font) {
  painter.shapedText({at.x, std::round(at.y - lineHeight(font) / 2.0F)}, utf8, colour, font);
}

Colour textOn(Colour ground) {
  const double luminance = 0.2126 * linear(ground.r) + 0.7152 * linear(ground.g) + 0.0722 * linear(ground.b);
  return luminance > kMiddleLuminance ? Colour{0, 0, 0} : Colour{255, 255, 255};
}

}  // namespace moescope::views
