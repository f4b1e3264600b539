// Legend: what a figure explains beside its panels, each look once, in rows. Not for marks inside the axes.
#pragma once

#include <QRectF>
#include <QString>

#include <vector>

#include "core/figure/figure_spec.h"
#include "views/figure/figure_style.h"
#include "views/figure/text_pen.h"

namespace moescope::views {

struct LegendEntry {
  enum class Kind { Series, Group, Band, Mark, Missing, Indistinct, Distinct };
  Kind kind = Kind::Series;
  QString text;
  const figure::FigurePanel* panel = nullptr;  ///< Series: where the line is
  const figure::Line* line = nullptr;          ///< Series
  const figure::PointGroup* group = nullptr;   ///< Group
  const figure::Band* band = nullptr;          ///< Band
  figure::CellMark mark{};                     ///< Mark
  QRectF box;                                  ///< of the sample; the text follows it
};

struct Legend {
  std::vector<LegendEntry> entries;
  double width = 0.0, height = 0.0;  ///< 0 without entries

  void moveTo(QPointF topLeft);
};

/// Series, groups of points and, in a figure of several panels, bands. Empty where there is nothing to tell
/// apart.
Legend seriesLegend(const figure::FigureSpec& spec, const FigureStyle& style, double room);
/// The marks that occur in maps, each once.
Legend markLegend(const figure::FigureSpec& spec, const FigureStyle& style, double room);

void drawLegend(QPainter& painter, const Legend& legend, const FigureStyle& style, const TextPen& text);

/// Whether the name of a band stands in the legend rather than in the band.
bool bandsInLegend(const figure::FigureSpec& spec);

}  // namespace moescope::views
