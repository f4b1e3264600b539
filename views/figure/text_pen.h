// TextPen: writes text of a figure, as text or as shapes. Not for measuring (QFontMetricsF does).
#pragma once

#include <QPainter>
#include <QString>

namespace moescope::views {

class TextPen {
 public:
  enum class Anchor { Left, Centre, Right };

  /// As paths no font is needed to show the figure.
  explicit TextPen(bool asPaths) : m_asPaths(asPaths) {}

  /// `degrees` counter-clockwise around `baseline`.
  void write(QPainter& painter, QPointF baseline, const QString& text, const QFont& font,
             const QColor& colour, Anchor anchor, double degrees = 0.0) const;
  /// Text whose line is centred on a height.
  void writeCentred(QPainter& painter, QPointF at, const QString& text, const QFont& font,
                    const QColor& colour, Anchor anchor, double degrees = 0.0) const;

 private:
  bool m_asPaths;
};

}  // namespace moescope::views
