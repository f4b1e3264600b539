// Text on data colours: black or white. Not for text on the colours of the window (Theme).
#pragma once

#include "views/api/canvas_painter.h"

namespace moescope::views {

/// Black or white, whichever contrasts more with a data colour.
Colour textOn(Colour ground);

}  // namespace moescope::views
