// Canvas text: lines placed by their middle, as rows and bars need them. Not for measuring (CanvasPainter).
#pragma once

#include <string_view>

#include "views/api/canvas_painter.h"

namespace moescope::views {

/// Height of a line of text as canvases draw it.
float lineHeight(FontRole font);
/// A line whose vertical middle is `at.y`; `at.x` is its left, middle or right.
void middleText(CanvasPainter& painter, Point at, std::string_view utf8, Colour colour,
                FontRole font = FontRole::Small, Align align = Align::Left);
/// The same for text in any script.
void middleShapedText(CanvasPainter& painter, Point at, std::string_view utf8, Colour colour,
                      FontRole font = FontRole::Mono);
/// Black or white, whichever contrasts more with a data colour.
Colour textOn(Colour ground);

}  // namespace moescope::views
