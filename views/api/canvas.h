// Canvas: what a panel draws and how it answers the mouse and the keyboard; CanvasWidget hosts it.
// Not for text fields, menus or tool tips with links, which are Qt widgets.
#pragma once

#include <QPoint>
#include <QPointF>
#include <QString>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "views/api/canvas_painter.h"

class QKeyEvent;

namespace moescope::views {

/// A mouse event on a canvas. `region` is the topmost hit region under `at` in the last frame, or empty.
struct CanvasEvent {
  Point at;
  std::string region;
  Qt::MouseButton button = Qt::NoButton;
  Qt::MouseButtons buttons;
  Qt::KeyboardModifiers modifiers;
  QPoint globalAt;
};

/// What a tool tip shows: a heading with an optional tag ("boosted +1.50"), rows, a footer.
struct ToolTipContent {
  QString heading, tag;
  struct Row {
    QString label, value;
    double bar = -1.0;  ///< 0 to 1: a bar before the value
    bool mono = false;
  };
  std::vector<Row> rows;
  QString footer;
  Rect clearOf;  ///< on the canvas: the tool tip must not cover it
};

/// GUI thread only. All positions are logical pixels of the canvas.
class Canvas {
 public:
  virtual ~Canvas() = default;
  /// Draws everything; called once a frame, and only when something changed.
  virtual void build(Rect area, CanvasPainter& painter) = 0;

  virtual void press(const CanvasEvent&) {}
  virtual void move(const CanvasEvent&) {}  ///< with or without buttons held
  virtual void release(const CanvasEvent&) {}
  virtual void doubleClick(const CanvasEvent&) {}
  virtual void leave() {}
  virtual void wheel(const CanvasEvent&, QPointF /*steps*/) {}  ///< 1 = a notch; y > 0 is away from the user
  virtual void contextMenu(const CanvasEvent&) {}               ///< right click or Menu key
  /// True if the key was used; other keys go on to Qt's shortcuts.
  virtual bool key(const QKeyEvent&) { return false; }
  virtual void focusChanged(bool /*hasFocus*/) {}
  /// Asked when the pointer has rested for 150 ms.
  [[nodiscard]] virtual std::optional<ToolTipContent> toolTip(const CanvasEvent&) { return std::nullopt; }
};

}  // namespace moescope::views
