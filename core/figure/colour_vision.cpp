#include "core/figure/colour_vision.h"

#include <algorithm>
#include <cmath>

namespace moescope::figure {

namespace {

using Matrix = std::array<std::array<double, 3>, 3>;

constexpr Matrix kDeuteranopia{
    {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}};
constexpr Matrix kProtanopia{
    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix kTritanopia{
    {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};
constexpr Matrix kLuminance{{{0.2126, 0.7152, 0.0722}, {0.2126, 0.7152, 0.0722}, {0.2126, 0.7152, 0.0722}}};

double toLinear(std::uint8_t part) {
  const double value = part / 255.0;
  return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
}

std::uint8_t toSrgb(double linear) {
  const double value = std::clamp(linear, 0.0, 1.0);
  const double encoded = value <= 0.0031308 ? value * 12.92 : 1.055 * std::pow(value, 1.0 / 2.4) - 0.055;
  return static_cast<std::uint8_t>(std::lround(encoded * 255.0));
}

Rgb apply(const Matrix& matrix, Rgb colour) {
  const std::array<double, 3> linear{toLinear(colour[0]), toLinear(colour[1]), toLinear(colour[2])};
  Rgb out{};
  for (std::size_t i = 0; i < 3; ++i) {
    out[i] = toSrgb(matrix[i][0] * linear[0] + matrix[i][1] * linear[1] + matrix[i][2] * linear[2]);
  }
  return out;
}

}  // namespace

Rgb simulate(ColourVision vision, Rgb colour) {
  switch (vision) {
    case ColourVision::Normal: return colour;
    case ColourVision::Deuteranopia: return apply(kDeuteranopia, colour);
    case ColourVision::Protanopia: return apply(kProtanopia, colour);
    case ColourVision::Tritanopia: return apply(kTritanopia, colour);
    case ColourVision::Greyscale: return apply(kLuminance, colour);
  }
  return colour;
}

}  // namespace moescope::figure
