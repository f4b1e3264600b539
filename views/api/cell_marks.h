// Cell marks: how banned, boosted, pinned, selected, hovered and missing cells look on every canvas.
// Not for which cells are steered (core/figure/steering_marks.h).
#pragma once

#include <span>
#include <string>

#include "core/figure/figure_spec.h"
#include "views/api/canvas_painter.h"

namespace moescope::views {

/// A dashed frame of 1 px inside the rectangle: 3 on, 2 off.
void drawDashedFrame(CanvasPainter& painter, Rect rect, Colour colour);
Rect grown(Rect rect, float by);

/// The mark of a steered cell over its data colour. LayerRule marks the row: pass the row's rectangle.
void drawCellMark(CanvasPainter& painter, Rect cell, figure::CellMark mark);
/// Double chevrons in the middle of the rectangle.
void drawChevrons(CanvasPainter& painter, Rect rect, bool up, Colour colour);
/// The corner of a cell that the newest token changed: ink on its halo, top right.
void drawChanged(CanvasPainter& painter, Rect cell);
void drawMissing(CanvasPainter& painter, Rect cell);
void drawSelection(CanvasPainter& painter, Rect cell);
void drawHover(CanvasPainter& painter, Rect cell);
/// The dashed selection of the keyboard cursor.
void drawCursor(CanvasPainter& painter, Rect cell);
/// The accent ring of a canvas that has the keyboard.
void drawFocusRing(CanvasPainter& painter, Rect area);
/// The accent triangle of a rule switched on or off; its tip points right to `tip`.
void drawRuleTriangle(CanvasPainter& painter, Point tip);

enum class LegendMark : std::uint8_t {
  Banned,
  Boosted,
  Dampened,
  Pinned,
  LayerRule,
  NoData,
  NotChosen,
  RankOne,
  SteeredColumn,
  RuleAdded,
  Prompt,
  Changed,
};
struct LegendItem {
  LegendMark mark;
  std::string text;
};
/// Marks with their names from left to right, as many as fit into `width`.
void drawLegend(CanvasPainter& painter, Point at, float width, std::span<const LegendItem> items);

}  // namespace moescope::views
