#include "views/canvas/placeholder_painter.h"

#include <QFontMetricsF>

#include "views/canvas/canvas_fonts.h"

namespace moescope::views {

float PlaceholderPainter::textWidth(std::string_view utf8, FontRole font) {
  const QString text = QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
  return static_cast<float>(QFontMetricsF(qtFont(font)).horizontalAdvance(text));
}

}  // namespace moescope::views
