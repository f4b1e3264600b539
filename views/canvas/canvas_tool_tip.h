// CanvasToolTip: a tool tip with rows, beside what it speaks of. Not for plain tool tips, which Qt has.
#pragma once

#include <QWidget>

#include "views/api/canvas.h"

namespace moescope::views {

/// GUI thread only.
class CanvasToolTip : public QWidget {
  Q_OBJECT

 public:
  explicit CanvasToolTip(QWidget* parent);

  /// `clearOf` in global positions; the tool tip neither covers it nor leaves its screen.
  void showContent(const ToolTipContent& content, const QRect& clearOf);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  struct Layout {
    int labelWidth = 0, valueWidth = 0, rowHeight = 0, headingHeight = 0, tagWidth = 0;
  };
  [[nodiscard]] Layout measure() const;

  ToolTipContent m_content;
};

/// Where a box of `size` goes: right of, left of, below or above `clearOf`, inside `screen`.
QPoint toolTipPosition(const QSize& size, const QRect& clearOf, const QRect& screen);

}  // namespace moescope::views
