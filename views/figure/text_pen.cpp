#include "views/figure/text_pen.h"

#include <QFontMetricsF>
#include <QPainterPath>
#include <QTransform>

namespace moescope::views {

void TextPen::write(QPainter& painter, QPointF baseline, const QString& text, const QFont& font,
                    const QColor& colour, Anchor anchor, double degrees) const {
  if (text.isEmpty()) return;
  const double width = QFontMetricsF(font).horizontalAdvance(text);
  const double shift = anchor == Anchor::Left ? 0.0 : (anchor == Anchor::Right ? width : width / 2);
  painter.save();
  painter.translate(baseline);
  if (degrees != 0.0) painter.rotate(-degrees);
  if (m_asPaths) {
    QPainterPath path;
    path.addText(-shift, 0, font, text);
    painter.fillPath(path, colour);
  } else {
    painter.setFont(font);
    painter.setPen(colour);
    painter.drawText(QPointF(-shift, 0), text);
  }
  painter.restore();
}

void TextPen::writeCentred(QPainter& painter, QPointF at, const QString& text, const QFont& font,
                           const QColor& colour, Anchor anchor, double degrees) const {
  const QPointF down = QTransform().rotate(-degrees).map(QPointF(0, QFontMetricsF(font).capHeight() / 2));
  write(painter, at + down, text, font, colour, anchor, degrees);
}

}  // namespace moescope::views
