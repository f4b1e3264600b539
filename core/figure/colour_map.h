// Colour maps: from a value on a ColourScale to a colour of a 256-entry table, for canvases and figures
// alike. Not for the colours of the window (themes).
#pragma once

#include <span>
#include <string_view>

#include "core/figure/colour_tables.h"
#include "core/figure/figure_spec.h"

namespace moescope::figure {

/// Only the diverging map depends on the theme: its neutral middle recedes into the ground.
std::span<const Rgb, 256> colourTable(ColourMapId map, Theme theme);

/// "Cividis", as shown in a list of choices.
std::string_view label(ColourMapId map);

enum class RangeState : std::uint8_t {
  Inside,
  Below,    ///< clipped: drawn in the low end's colour, `≤` in the tool tip
  Above,    ///< clipped: drawn in the high end's colour, `≥` in the tool tip
  Missing,  ///< NaN: hatched, no colour
};

struct MappedColour {
  Rgb colour{};  ///< unspecified if missing
  RangeState state = RangeState::Inside;
};

MappedColour mapColour(const ColourScale& scale, Theme theme, double value);

/// Place of a value on the scale: 0 at `min`, 1 at `max`, not clipped; NaN for NaN. A ratio of 0 on a log2
/// scale lies at minus infinity.
double scalePosition(const ColourScale& scale, double value);
/// The inverse, for ticks and for dragging the ends of a colour bar.
double scaleValue(const ColourScale& scale, double position);

/// Okabe–Ito in light and print order (blue, vermilion, green, purple, black, orange, sky); on dark, yellow
/// takes the place of black. `index` wraps.
Rgb categoryColour(int index, Theme theme);

}  // namespace moescope::figure
