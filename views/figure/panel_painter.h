// PanelPainter: draws one pair of axes with its data. Not for what a figure has once (figure_painter.h).
#pragma once

#include <QPainter>

#include "views/figure/figure_layout.h"
#include "views/figure/label_placer.h"
#include "views/figure/line_look.h"
#include "views/figure/text_pen.h"

namespace moescope::views {

class PanelPainter {
 public:
  /// `groups` of the figure; all must outlive the painter.
  PanelPainter(const PanelLayout& layout, std::span<const figure::PointGroup> groups,
               const FigureStyle& style, const TextPen& text, bool bandsInLegend);

  void draw(QPainter& painter);

 private:
  // panel_painter.cpp
  void drawBands(QPainter& painter) const;
  void drawGrid(QPainter& painter) const;
  void drawBars(QPainter& painter) const;
  void drawBarNames(QPainter& painter) const;
  void drawReferences(QPainter& painter);
  void drawBandNames(QPainter& painter);
  // axes_drawing.cpp
  void drawFrame(QPainter& painter) const;
  void drawXNumbers(QPainter& painter) const;
  void drawYNumbers(QPainter& painter) const;
  void drawBreak(QPainter& painter) const;
  void drawHeading(QPainter& painter) const;
  void drawLabels(QPainter& painter) const;
  void drawSideColumns(QPainter& painter) const;
  // line_drawing.cpp
  void drawLines(QPainter& painter);
  void drawInterval(QPainter& painter, const figure::Line& line, const QColor& colour) const;
  void drawWhiskers(QPainter& painter, const figure::Line& line, const QColor& colour) const;
  void drawPath(QPainter& painter, const figure::Line& line, const LineLook& look) const;
  void drawArrows(QPainter& painter, const figure::Line& line, const LineLook& look) const;
  void drawMarkers(QPainter& painter, const figure::Line& line, const LineLook& look) const;
  void addObstacles(const figure::Line& line, const LineLook& look);
  void drawPointLabels(QPainter& painter, const figure::Line& line);
  void drawLineNames(QPainter& painter) const;
  /// Whether the line runs on from point i - 1 to point i.
  [[nodiscard]] bool joins(const figure::Line& line, std::size_t i) const;
  [[nodiscard]] bool known(const figure::Line& line, std::size_t i) const;
  [[nodiscard]] QPointF pointAt(const figure::Line& line, std::size_t i) const;
  void drawErrorBar(QPainter& painter, QPointF from, QPointF to) const;

  const PanelLayout& m_layout;
  const figure::FigurePanel& m_panel;
  std::span<const figure::PointGroup> m_groups;
  const FigureStyle& m_style;
  const TextPen& m_text;
  bool m_bandsInLegend;
  LabelPlacer m_placer;
};

}  // namespace moescope::views
