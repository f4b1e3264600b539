// FigurePainter: the one code path that draws a FigureSpec, to screen, SVG, PDF and PNG alike.
// Not for files (figure_writer.h).
#pragma once

#include <QPainter>

#include "core/figure/figure_spec.h"
#include "views/figure/figure_layout.h"

namespace moescope::views {

class FigurePainter {
 public:
  /// `spec` must outlive the painter. With `textAsPaths` no font is needed to show the figure.
  FigurePainter(const figure::FigureSpec& spec, bool textAsPaths);

  /// Size of the figure in tenths of a point, the unit in which it is drawn.
  [[nodiscard]] QSizeF size() const { return m_layout.page.size(); }
  [[nodiscard]] const FigureLayout& layout() const { return m_layout; }

  void draw(QPainter& painter) const;

 private:
  enum class Anchor { Left, Centre, Right };
  void drawText(QPainter& painter, QPointF baseline, const QString& text, const QFont& font,
                const QColor& colour, Anchor anchor, bool upwards = false) const;
  /// Text whose line is centred on a height.
  void drawCentredText(QPainter& painter, QPointF at, const QString& text, const QFont& font,
                       const QColor& colour, Anchor anchor) const;

  void drawBars(QPainter& painter) const;
  void drawBarNames(QPainter& painter) const;
  void drawLines(QPainter& painter) const;
  void drawBand(QPainter& painter, const figure::Line& line, const QColor& colour) const;
  void drawReferences(QPainter& painter) const;
  void drawFrame(QPainter& painter) const;
  void drawLabels(QPainter& painter) const;
  void drawColourBar(QPainter& painter) const;
  void drawSeriesLegend(QPainter& painter) const;
  void drawMarkLegend(QPainter& painter) const;

  const figure::FigureSpec& m_spec;
  FigureStyle m_style;
  FigureLayout m_layout;
  bool m_textAsPaths;
};

}  // namespace moescope::views
