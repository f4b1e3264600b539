// FigurePainter: the one code path that draws a FigureSpec, to screen, SVG, PDF and PNG alike.
// Not for files (figure_writer.h).
#pragma once

#include <QPainter>

#include "core/figure/figure_spec.h"
#include "views/figure/figure_layout.h"
#include "views/figure/text_pen.h"

namespace moescope::views {

class FigurePainter {
 public:
  /// `spec` must outlive the painter. With `textAsPaths` no font is needed to show the figure.
  FigurePainter(const figure::FigureSpec& spec, bool textAsPaths);
  /// In another style than that of the figure's theme: the window's fonts.
  FigurePainter(const figure::FigureSpec& spec, FigureStyle style);

  /// Size of the figure in tenths of a point, the unit in which it is drawn.
  [[nodiscard]] QSizeF size() const { return m_layout.page.size(); }
  [[nodiscard]] const FigureLayout& layout() const { return m_layout; }
  [[nodiscard]] const FigureStyle& style() const { return m_style; }

  void draw(QPainter& painter) const;

 private:
  void drawTitleAndSample(QPainter& painter) const;
  void drawSharedLabels(QPainter& painter) const;
  void drawColourBar(QPainter& painter, const ColourBarLayout& layout,
                     const figure::ColourScale& scale) const;

  const figure::FigureSpec& m_spec;
  FigureStyle m_style;
  FigureLayout m_layout;
  TextPen m_text;
};

}  // namespace moescope::views
