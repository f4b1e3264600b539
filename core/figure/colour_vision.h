// Colour vision deficiency, simulated to preview figures. Not for choosing colours by itself.
#pragma once

#include <array>
#include <cstdint>

#include "core/figure/colour_tables.h"

namespace moescope::figure {

enum class ColourVision : std::uint8_t { Normal, Deuteranopia, Protanopia, Tritanopia, Greyscale };

/// What a person with this colour vision sees in place of an sRGB colour. Machado, Oliveira and Fernandes
/// 2009, severity 1, applied to linear light; greyscale keeps the luminance.
Rgb simulate(ColourVision vision, Rgb colour);

}  // namespace moescope::figure
