// LineLook: colour, marker and dash of a series, so that no two differ in colour alone. Not where its points
// are.
#pragma once

#include <QPainter>

#include "core/figure/figure_spec.h"
#include "views/figure/figure_style.h"

namespace moescope::views {

struct LineLook {
  QColor colour;
  figure::Marker marker = figure::Marker::None;
  QPen pen;
};

/// A line alone in its panel is drawn in ink. Automatic markers and dashes are resolved.
LineLook lookOf(const figure::Line& line, const figure::FigurePanel& panel, const FigureStyle& style);

/// `outlined` colours (orange, sky) have a dark edge, the others one of the ground colour.
void drawMarker(QPainter& painter, figure::Marker marker, QPointF at, double radius, int colourIndex,
                const QColor& colour, const FigureStyle& style);
/// A head in the middle of a segment, towards its end.
void drawArrowHead(QPainter& painter, const QLineF& segment, const QColor& colour, const FigureStyle& style);

}  // namespace moescope::views
