#include "core/figure/colour_map.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace moescope::figure {

namespace {

constexpr int kLastEntry = 255;

/// The scale straightened: equal steps of this are equal steps of colour.
double straighten(ScaleKind kind, double value) {
  switch (kind) {
    case ScaleKind::Linear: return value;
    case ScaleKind::Sqrt: return value < 0.0 ? -std::sqrt(-value) : std::sqrt(value);
    case ScaleKind::Log2: return value < 0.0 ? std::numeric_limits<double>::quiet_NaN() : std::log2(value);
  }
  return value;
}

double bend(ScaleKind kind, double straight) {
  switch (kind) {
    case ScaleKind::Linear: return straight;
    case ScaleKind::Sqrt: return straight < 0.0 ? -straight * straight : straight * straight;
    case ScaleKind::Log2: return std::exp2(straight);
  }
  return straight;
}

}  // namespace

std::span<const Rgb, 256> colourTable(ColourMapId map, Theme theme) {
  switch (map) {
    case ColourMapId::Cividis: return kCividis;
    case ColourMapId::Viridis: return kViridis;
    case ColourMapId::Greys: return kGreys;
    case ColourMapId::Diverging: break;
  }
  return theme == Theme::Dark ? kDivergingDark : kDivergingLight;
}

std::string_view label(ColourMapId map) {
  switch (map) {
    case ColourMapId::Cividis: return "Cividis";
    case ColourMapId::Viridis: return "Viridis";
    case ColourMapId::Greys: return "Greys";
    case ColourMapId::Diverging: break;
  }
  return "Blue–red";
}

double scalePosition(const ColourScale& scale, double value) {
  const double low = straighten(scale.scale, scale.min);
  const double high = straighten(scale.scale, scale.max);
  const double at = straighten(scale.scale, value);
  if (high == low) return at == low ? 0.5 : (at < low ? -1.0 : 2.0);
  return (at - low) / (high - low);
}

double scaleValue(const ColourScale& scale, double position) {
  const double low = straighten(scale.scale, scale.min);
  const double high = straighten(scale.scale, scale.max);
  return bend(scale.scale, low + position * (high - low));
}

MappedColour mapColour(const ColourScale& scale, Theme theme, double value) {
  const double position = scalePosition(scale, value);
  if (std::isnan(position)) return {{}, RangeState::Missing};
  const auto entry = static_cast<std::size_t>(std::lround(std::clamp(position, 0.0, 1.0) * kLastEntry));
  RangeState state = RangeState::Inside;
  if (position < 0.0) state = RangeState::Below;
  if (position > 1.0) state = RangeState::Above;
  return {colourTable(scale.map, theme)[entry], state};
}

Rgb categoryColour(int index, Theme theme) {
  static constexpr std::array<Rgb, 7> kLight{{{0x00, 0x72, 0xB2},
                                              {0xD5, 0x5E, 0x00},
                                              {0x00, 0x9E, 0x73},
                                              {0xCC, 0x79, 0xA7},
                                              {0x00, 0x00, 0x00},
                                              {0xE6, 0x9F, 0x00},
                                              {0x56, 0xB4, 0xE9}}};
  static constexpr Rgb kYellow{0xF0, 0xE4, 0x42};
  const auto place = static_cast<std::size_t>(((index % 7) + 7) % 7);
  if (theme == Theme::Dark && kLight[place] == Rgb{0, 0, 0}) return kYellow;
  return kLight[place];
}

}  // namespace moescope::figure
