// Figure hits: what lies where in a figure that is laid out, what lies beside it, and what to say about it.
// Not for events (figure_view.cpp).
#pragma once

#include "views/api/figure_view.h"
#include "views/figure/figure_layout.h"

namespace moescope::views {

/// The nearest point within `reach`, else the bar or the cell there. Positions in units of the layout.
std::optional<FigureHit> figureHitAt(const FigureLayout& layout, QPointF position, double reach);
/// The box of an item; a point's has this radius. Empty if the item does not exist or is not on its axes.
QRectF figureHitBox(const FigureLayout& layout, const FigureHit& hit, double radius);
/// The first item of a panel, if it has any.
std::optional<FigureHit> firstHit(const FigureLayout& layout, int panel);
/// The next item `right` and `down` (-1, 0, 1) as seen; the same where there is none.
FigureHit movedHit(const FigureLayout& layout, const FigureHit& hit, int right, int down);
/// Names and values of an item, as the figure has them.
FigureTip figureTip(const figure::FigureSpec& spec, const FigureHit& hit);

}  // namespace moescope::views
