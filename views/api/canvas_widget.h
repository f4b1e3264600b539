// CanvasWidget: hosts a Canvas: frames on demand through OpenGL, and Qt's mouse, keyboard and focus events.
// Not for what is drawn (canvas.h); no frame is drawn while nothing changes.
#pragma once

#include <QImage>
#include <QWidget>

#include <memory>

#include "views/api/canvas.h"

namespace moescope::views {

/// GUI thread only. The canvas must outlive the widget. Where there is no OpenGL (platform "offscreen") a
/// label says so instead of a picture, and build() is still called for hit regions.
class CanvasWidget : public QWidget {
  Q_OBJECT

 public:
  explicit CanvasWidget(Canvas& canvas, QWidget* parent = nullptr);
  ~CanvasWidget() override;

  /// Asks for a frame: data, selection or settings changed. Calls before the frame merge.
  void wake();
  /// Opens the context menu event at a region, as the Menu key does: `region` is empty, because the canvas
  /// knows where its keyboard cursor is.
  void requestContextMenu();

  // For tests: what was drawn last.
  [[nodiscard]] std::string regionAt(Point at) const;
  [[nodiscard]] std::optional<Rect> regionRect(std::string_view id) const;
  [[nodiscard]] long frameCount() const;
  [[nodiscard]] double lastFrameMs() const;  ///< build and draw, until GL has finished
  /// The picture in device pixels, drawn for this call; null without OpenGL.
  [[nodiscard]] QImage picture();

 protected:
  bool event(QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void contextMenuEvent(QContextMenuEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;
  void hideEvent(QHideEvent* event) override;
  void changeEvent(QEvent* event) override;

 private:
  struct State;
  void restartHover();
  void hideToolTip();
  void showToolTip();
  void setFocusRing(bool on);

  std::unique_ptr<State> m_state;
};

}  // namespace moescope::views
