// Places of values on an axis of any kind. Not for its ticks (ticks.h) or for drawing it.
#pragma once

#include "core/figure/figure_spec.h"

namespace moescope::figure {

/// An axis of kind LogZero: where the value 0 stands, where the break is, where the logarithm begins, in
/// parts of the axis.
inline constexpr double kZeroPart = 0.04, kBreakPart = 0.085, kLogPart = 0.13;

/// Place of a value on the axis: 0 at `min`, 1 at `max`, not clipped; NaN where the kind has no place for it.
/// `reversed` does not count here.
double axisPart(const Axis& axis, double value);
/// Whether the value has a place between the ends.
bool onAxis(const Axis& axis, double value);

}  // namespace moescope::figure
