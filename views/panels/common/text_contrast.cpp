#include "views/api/text_contrast.h"

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

Colour textOn(Colour ground) {
  const double luminance = 0.2126 * linear(ground.r) + 0.7152 * linear(ground.g) + 0.0722 * linear(ground.b);
  return luminance > kMiddleLuminance ? Colour{0, 0, 0} : Colour{255, 255, 255};
}

}  // namespace moescope::views
