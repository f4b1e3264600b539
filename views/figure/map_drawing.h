// Drawing of heat maps in figures: cells, hatches and marks of steered cells. Private to views/figure.
#pragma once

#include <QPainter>

#include "core/figure/figure_spec.h"
#include "views/figure/figure_layout.h"

namespace moescope::views {

/// Up to here each cell is a vector rectangle; above it a map is one lossless image.
inline constexpr int kMostVectorCells = 20000;

/// The map of the panel.
void drawMap(QPainter& painter, const PanelLayout& layout, const FigureStyle& style);
/// The sign of a cell that is distinguishable from the baseline.
void drawDot(QPainter& painter, QPointF at, const FigureStyle& style);
/// One mark in a rectangle of the size of a cell.
void drawMark(QPainter& painter, figure::CellMark mark, QRectF cell, const FigureStyle& style);
/// The sign of missing data: lines at −45°.
void drawMissing(QPainter& painter, QRectF rect, const FigureStyle& style);

}  // namespace moescope::views
