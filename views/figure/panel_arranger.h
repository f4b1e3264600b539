// PanelArranger: ticks of one panel and how much room stands around its axes. Not where the panel stands on
// the page (figure_layout.h).
#pragma once

#include <QMarginsF>
#include <QSizeF>

#include "views/figure/figure_layout.h"

namespace moescope::views {

class PanelArranger {
 public:
  /// `layout` must name its panel and its axes. `ownLabels` of axes that are not shared, `ownColours` if the
  /// figure has no colour bar for all maps.
  PanelArranger(PanelLayout& layout, const FigureStyle& style, bool ownXLabel, bool ownYLabel,
                bool ownColours);

  /// Chooses ticks for axes of this size and returns what stands around them. Call again with a better size.
  /// Names and side columns take a part of the `cell` at most, which is the room for everything.
  QMarginsF arrange(QSizeF axes, QSizeF cell);
  /// Places everything around the axes.
  void place(QRectF frame);

 private:
  void chooseXTicks(double width);
  void chooseYTicks(double height);
  void chooseNames(double width);
  void placeColourBar();
  [[nodiscard]] double leftMargin() const;
  [[nodiscard]] double rightMargin(double width) const;
  [[nodiscard]] double topMargin() const;
  [[nodiscard]] double bottomMargin() const;
  [[nodiscard]] double namesHeight() const;
  [[nodiscard]] double headingEnd() const;
  [[nodiscard]] double sideWidth(std::size_t column) const;
  [[nodiscard]] bool barsWithoutTicks(bool horizontal) const;
  [[nodiscard]] double textWidth(const std::string& text) const;

  PanelLayout& m_layout;
  const figure::FigurePanel& m_panel;
  const FigureStyle& m_style;
  bool m_ownXLabel, m_ownYLabel, m_ownColours;
  QFontMetricsF m_labels, m_inside;
  QSizeF m_axes, m_cell;
  QStringList m_labelAbove;  // of the own colour bar
};

/// A colour bar in a strip, its label at the left from `start` on or in lines above `top`; the strip's right
/// end is the bar's.
ColourBarLayout colourBarIn(const figure::ColourScale& scale, const FigureStyle& style, double start,
                            double left, double right, double top, const QStringList& labelAbove);
/// Height of a colour bar with its numbers and the gap above.
double colourBarHeight(const FigureStyle& style);
/// Lines above a bar in a strip of this width that its label takes; none where it stands beside the bar.
QStringList labelAboveBar(const figure::ColourScale& scale, const FigureStyle& style, double width);
/// Words in lines of this width; a longer word has a line of its own.
QStringList wrappedText(const QString& text, const QFontMetricsF& metrics, double width);

}  // namespace moescope::views
