// The 256 colours of each map, from the low end to the high end (generated).
// Not for looking up values (colour_map.h).
#pragma once

#include <array>
#include <cstdint>

namespace moescope::figure {

using Rgb = std::array<std::uint8_t, 3>;  ///< sRGB

extern const std::array<Rgb, 256> kCividis;
extern const std::array<Rgb, 256> kViridis;
extern const std::array<Rgb, 256> kGreys;
extern const std::array<Rgb, 256> kDivergingLight;  ///< light and print
extern const std::array<Rgb, 256> kDivergingDark;

}  // namespace moescope::figure
