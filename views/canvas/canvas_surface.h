// CanvasSurface: the QOpenGLWidget inside a CanvasWidget: makes, loses and makes again what lives on the GPU.
// Not for input, which its parent gets.
#pragma once

#include <QOpenGLWidget>

#include "views/api/canvas.h"
#include "views/canvas/imgui_context.h"
#include "views/canvas/imgui_painter.h"

namespace moescope::views {

/// False where Qt cannot show OpenGL ("offscreen" crashes) or no context can be made.
bool platformHasOpenGl();

/// GUI thread only.
class CanvasSurface : public QOpenGLWidget {
  Q_OBJECT

 public:
  CanvasSurface(Canvas& canvas, HitRegions& regions, QWidget* parent);
  ~CanvasSurface() override;

  [[nodiscard]] long frameCount() const { return m_frames; }
  [[nodiscard]] double lastFrameMs() const { return m_lastFrameMs; }
  void setFocusRing(bool on) { m_focusRing = on; }

 Q_SIGNALS:
  void frameDrawn();

 protected:
  void initializeGL() override;
  void paintGL() override;

 private:
  void releaseGpu();

  Canvas& m_canvas;
  HitRegions& m_regions;
  ImGuiContextOwner m_imgui;
  CanvasResources m_resources;
  bool m_ready = false;  // ImGui's backend lives in the present context
  bool m_focusRing = false;
  long m_frames = 0;
  double m_lastFrameMs = 0.0;
};

}  // namespace moescope::views
