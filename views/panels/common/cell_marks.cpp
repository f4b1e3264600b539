#include "views/api/cell_marks.h"

#include <algorithm>
#include <cmath>

#include "views/api/theme.h"

namespace moescope::views {

namespace {

using figure::CellMark;

constexpr float kChevronWidth = 8.0F, kChevronHeight = 9.0F;
constexpr float kSmallestChevronCell = 10.0F;
constexpr float kSmallCell = 8.0F;
constexpr float kPin = 5.0F;
constexpr float kLayerBar = 3.0F;
constexpr float kCorner = 4.0F;
constexpr float kTriangle = 4.0F;
constexpr float kDash = 3.0F, kGap = 2.0F;
constexpr float kLegendMark = 12.0F, kLegendGap = 6.0F, kLegendStep = 18.0F;

Colour paint(ColourRole role) { return Theme::current().paint(role); }

void chevron(CanvasPainter& painter, float centre, float top, bool up, Colour colour) {
  const float tip = up ? top : top + 3.0F;
  const float foot = up ? top + 3.0F : top;
  const Point points[] = {{centre - 3.5F, foot + 0.5F}, {centre, tip + 0.5F}, {centre + 3.5F, foot + 0.5F}};
  painter.polyline(points, colour, 1.5F);
}

/// Clear of the cell, so that the cell's own mark stays visible; less where cells are small.
float clearance(Rect cell) { return std::min(cell.width, cell.height) < kSmallCell ? 1.0F : 2.0F; }

void drawSteeredFrame(CanvasPainter& painter, Rect cell) {
  if (std::min(cell.width, cell.height) < 6.0F) {
    painter.strokeRect(cell, paint(ColourRole::Accent), 1.0F);
    return;
  }
  painter.strokeRect(cell, paint(ColourRole::Accent), 2.0F);
  painter.strokeRect(grown(cell, -2.0F), paint(ColourRole::InkBack), 1.0F);
}

void drawLegendMark(CanvasPainter& painter, Rect box, LegendMark mark) {
  const Colour accent = paint(ColourRole::Accent);
  const float middle = box.y + box.height / 2.0F;
  switch (mark) {
    case LegendMark::Banned: drawCellMark(painter, box, CellMark::Banned); return;
    case LegendMark::Boosted: drawCellMark(painter, box, CellMark::Boosted); return;
    case LegendMark::Dampened: drawCellMark(painter, box, CellMark::Dampened); return;
    case LegendMark::Pinned: drawCellMark(painter, box, CellMark::Pinned); return;
    case LegendMark::LayerRule:
      painter.fillRect({box.x + box.width - kLayerBar, box.y, kLayerBar, box.height}, accent);
      return;
    case LegendMark::NoData: drawMissing(painter, box); return;
    case LegendMark::NotChosen:
      painter.fillRect(box, paint(ColourRole::Empty));
      painter.strokeRect(box, paint(ColourRole::Separator), 1.0F);
      return;
    case LegendMark::RankOne:
      painter.fillRect(box, paint(ColourRole::Text3));
      painter.fillRect({box.x + 4.0F, box.y + 4.0F, 4.0F, 4.0F}, paint(ColourRole::InkBack));
      return;
    case LegendMark::SteeredColumn: painter.strokeRect(box, accent, 2.0F); return;
    case LegendMark::RuleAdded: drawRuleTriangle(painter, {box.x + box.width, middle}); return;
    case LegendMark::Prompt:
      painter.fillRect({box.x + box.width - kLayerBar, box.y, kLayerBar, box.height},
                       paint(ColourRole::Text2));
      return;
    case LegendMark::Changed:
      painter.strokeRect(box, paint(ColourRole::Separator), 1.0F);
      drawChanged(painter, box);
      return;
  }
}

}  // namespace

Rect grown(Rect rect, float by) {
  return {rect.x - by, rect.y - by, std::max(0.0F, rect.width + 2.0F * by),
          std::max(0.0F, rect.height + 2.0F * by)};
}

/// Calls `draw(begin, length)` for the dashes of a side.
template <class Draw>
void eachDash(float side, const Draw& draw) {
  const auto dashes = static_cast<int>(std::ceil(side / (kDash + kGap)));
  for (int i = 0; i < dashes; ++i) {
    const float begin = static_cast<float>(i) * (kDash + kGap);
    draw(begin, std::min(kDash, side - begin));
  }
}

void drawDashedFrame(CanvasPainter& painter, Rect rect, Colour colour) {
  eachDash(rect.width, [&](float at, float length) {
    painter.fillRect({rect.x + at, rect.y, length, 1.0F}, colour);
    painter.fillRect({rect.x + at, rect.y + rect.height - 1.0F, length, 1.0F}, colour);
  });
  eachDash(rect.height, [&](float at, float length) {
    painter.fillRect({rect.x, rect.y + at, 1.0F, length}, colour);
    painter.fillRect({rect.x + rect.width - 1.0F, rect.y + at, 1.0F, length}, colour);
  });
}

void drawChevrons(CanvasPainter& painter, Rect rect, bool up, Colour colour) {
  const float centre = rect.x + rect.width / 2.0F;
  const float top = std::round(rect.y + (rect.height - kChevronHeight) / 2.0F);
  chevron(painter, centre, top, up, colour);
  chevron(painter, centre, top + 4.0F, up, colour);
}

void drawCellMark(CanvasPainter& painter, Rect cell, CellMark mark) {
  const Colour accent = paint(ColourRole::Accent);
  switch (mark) {
    case CellMark::Banned:
      painter.fillRect(cell, paint(ColourRole::Canvas));
      painter.hatch(cell, accent, true);
      painter.strokeRect(cell, accent, 1.0F);
      return;
    case CellMark::Boosted:
    case CellMark::Dampened:
      drawSteeredFrame(painter, cell);
      if (cell.width >= kSmallestChevronCell && cell.height >= kSmallestChevronCell + 2.0F) {
        // The data colour may be anything: a dark ground keeps the chevrons visible on it.
        const Rect ground{cell.x + (cell.width - kChevronWidth) / 2.0F,
                          cell.y + (cell.height - kChevronHeight) / 2.0F, kChevronWidth, kChevronHeight};
        painter.fillRect(grown(ground, cell.width >= 14.0F ? 1.0F : 0.0F), paint(ColourRole::InkBack));
        drawChevrons(painter, cell, mark == CellMark::Boosted, paint(ColourRole::Ink));
      }
      return;
    case CellMark::Pinned:
      drawSteeredFrame(painter, cell);
      painter.fillRect({std::round(cell.x + (cell.width - kPin) / 2.0F),
                        std::round(cell.y + (cell.height - kPin) / 2.0F), kPin, kPin},
                       accent);
      return;
    case CellMark::LayerRule: painter.fillRect({cell.x, cell.y, kLayerBar, cell.height}, accent); return;
  }
}

void drawMissing(CanvasPainter& painter, Rect cell) {
  painter.fillRect(cell, paint(ColourRole::Empty));
  painter.hatch(cell, paint(ColourRole::Text3), false);
}

void drawSelection(CanvasPainter& painter, Rect cell) {
  const float clear = clearance(cell);
  painter.strokeRect(grown(cell, clear + 1.0F), paint(ColourRole::InkBack), 1.0F);
  painter.strokeRect(grown(cell, clear + 2.0F), paint(ColourRole::Ink), 1.0F);
}

void drawHover(CanvasPainter& painter, Rect cell) {
  painter.strokeRect(grown(cell, clearance(cell)), paint(ColourRole::Ink), 1.0F);
}

void drawCursor(CanvasPainter& painter, Rect cell) {
  const float clear = clearance(cell);
  painter.strokeRect(grown(cell, clear + 2.0F), paint(ColourRole::InkBack), 2.0F);
  drawDashedFrame(painter, grown(cell, clear + 2.0F), paint(ColourRole::Ink));
}

void drawFocusRing(CanvasPainter& painter, Rect area) {
  painter.strokeRect(area, paint(ColourRole::Accent), 2.0F);
}

void drawChanged(CanvasPainter& painter, Rect cell) {
  const Point corner{cell.x + cell.width - 1.0F, cell.y};
  const auto triangle = [&](float size, ColourRole role) {
    painter.fillTriangle({corner.x - size, corner.y}, corner, {corner.x, corner.y + size}, paint(role));
  };
  triangle(kCorner + 1.5F, ColourRole::InkBack);
  triangle(kCorner, ColourRole::Ink);
}

void drawRuleTriangle(CanvasPainter& painter, Point tip) {
  painter.fillTriangle({tip.x - 1.5F * kTriangle, tip.y - kTriangle}, tip,
                       {tip.x - 1.5F * kTriangle, tip.y + kTriangle}, paint(ColourRole::Accent));
}

void drawLegend(CanvasPainter& painter, Point at, float width, std::span<const LegendItem> items) {
  float x = at.x;
  for (const LegendItem& item : items) {
    const float textWidth = painter.textWidth(item.text, FontRole::Small);
    if (x + kLegendMark + kLegendGap + textWidth > at.x + width) return;
    drawLegendMark(painter, {x, at.y - kLegendMark / 2.0F, kLegendMark, kLegendMark}, item.mark);
    painter.text({x + kLegendMark + kLegendGap, at.y}, item.text, paint(ColourRole::Text2), FontRole::Small);
    x += kLegendMark + kLegendGap + textWidth + kLegendStep;
  }
}

}  // namespace moescope::views
