#include "views/canvas/canvas_surface.h"

#include <QElapsedTimer>
#include <QGuiApplication>
#include <QOpenGLContext>
#include <QOpenGLFunctions>

#include <backends/imgui_impl_opengl3.h>
#include <imgui.h>

#include "core/base/log.h"
#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr const char* kShaderVersion = "#version 330 core";
constexpr float kFocusRingWidth = 2.0F;
constexpr float kFrameSeconds = 1.0F / 60.0F;  // ImGui wants a positive time; nothing depends on it

}  // namespace

bool platformHasOpenGl() {
  static const bool has = [] {
    const QString platform = QGuiApplication::platformName();
    for (const char* without : {"offscreen", "minimal", "vnc", "linuxfb"}) {
      if (platform == QLatin1String(without)) return false;
    }
    QOpenGLContext context;
    return context.create();
  }();
  return has;
}

CanvasSurface::CanvasSurface(Canvas& canvas, HitRegions& regions, QWidget* parent)
    : QOpenGLWidget(parent), m_canvas(canvas), m_regions(regions) {
  setAttribute(Qt::WA_TransparentForMouseEvents);
  setFocusPolicy(Qt::NoFocus);
}

CanvasSurface::~CanvasSurface() { releaseGpu(); }

void CanvasSurface::initializeGL() {
  // Floating and docking make a new context; what the old one held goes with it.
  connect(context(), &QOpenGLContext::aboutToBeDestroyed, this, &CanvasSurface::releaseGpu,
          Qt::UniqueConnection);
  const ImGuiContextOwner::Guard guard(m_imgui);
  m_ready = ImGui_ImplOpenGL3_Init(kShaderVersion);
  if (!m_ready) spdlog::error("OpenGL 3.3 is missing: pictures cannot be drawn");
}

void CanvasSurface::releaseGpu() {
  if (!m_ready) return;
  makeCurrent();
  const ImGuiContextOwner::Guard guard(m_imgui);
  m_resources.images.clear();
  m_resources.texts.clear();
  ImGui_ImplOpenGL3_Shutdown();
  m_ready = false;
  doneCurrent();
}

void CanvasSurface::paintGL() {
  if (!m_ready) return;
  QElapsedTimer clock;
  clock.start();
  const ImGuiContextOwner::Guard guard(m_imgui);
  const double ratio = devicePixelRatioF();
  if (m_resources.fonts.prepare(ratio)) {
    m_resources.texts.clear();
    ImGui_ImplOpenGL3_DestroyFontsTexture();
    ImGui_ImplOpenGL3_CreateFontsTexture();
  }
  ImGuiIO& io = ImGui::GetIO();
  io.DisplaySize = {static_cast<float>(width()), static_cast<float>(height())};
  io.DisplayFramebufferScale = {static_cast<float>(ratio), static_cast<float>(ratio)};
  io.DeltaTime = kFrameSeconds;
  ImGui_ImplOpenGL3_NewFrame();
  ImGui::NewFrame();
  m_regions.clear();
  ++m_frames;
  const Theme& theme = Theme::current();
  const Rect area{0, 0, static_cast<float>(width()), static_cast<float>(height())};
  ImGuiPainter painter(*ImGui::GetBackgroundDrawList(), m_resources, m_regions, ratio, m_frames);
  m_canvas.build(area, painter);
  if (m_focusRing) painter.strokeRect(area, theme.paint(ColourRole::Accent), kFocusRingWidth);
  ImGui::Render();

  auto& gl = *context()->functions();
  const QColor ground = theme.colour(ColourRole::Canvas);
  gl.glClearColor(ground.redF(), ground.greenF(), ground.blueF(), 1.0F);
  gl.glClear(GL_COLOR_BUFFER_BIT);
  ImGui_ImplOpenGL3_RenderDrawData(ImGui::GetDrawData());
  m_resources.images.forgetUnused(m_frames);
  gl.glFinish();
  m_lastFrameMs = static_cast<double>(clock.nsecsElapsed()) * 1e-6;
  Q_EMIT frameDrawn();
}

}  // namespace moescope::views
