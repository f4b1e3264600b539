#include "views/api/canvas_widget.h"

#include <QAccessibleWidget>
#include <QContextMenuEvent>
#include <QCursor>
#include <QKeyEvent>
#include <QPainter>
#include <QTimer>

#include "views/api/theme.h"
#include "views/canvas/canvas_surface.h"
#include "views/canvas/canvas_tool_tip.h"
#include "views/canvas/placeholder_painter.h"

namespace moescope::views {

namespace {

constexpr int kHoverMs = 150;
constexpr double kWheelNotch = 120.0;

Point pointOf(const QPointF& at) { return {static_cast<float>(at.x()), static_cast<float>(at.y())}; }

// Keys without Ctrl or Alt belong to the canvas that has the focus; F keys and Esc stay shortcuts.
bool isCanvasKey(const QKeyEvent& event) {
  if (event.modifiers() & (Qt::ControlModifier | Qt::AltModifier | Qt::MetaModifier)) return false;
  const int key = event.key();
  const bool printable = key >= Qt::Key_Space && key <= Qt::Key_ydiaeresis;
  const bool cursor = key >= Qt::Key_Home && key <= Qt::Key_PageDown;
  return printable || cursor || key == Qt::Key_Return || key == Qt::Key_Enter;
}

QAccessibleInterface* canvasAccessible(const QString& className, QObject* object) {
  if (className != QLatin1String("moescope::views::CanvasWidget")) return nullptr;
  return new QAccessibleWidget(qobject_cast<QWidget*>(object), QAccessible::Graphic);
}

}  // namespace

struct CanvasWidget::State {
  explicit State(Canvas& host) : canvas(host) {}

  Canvas& canvas;
  HitRegions regions;
  CanvasSurface* surface = nullptr;  // null without OpenGL
  CanvasToolTip* toolTip = nullptr;
  QTimer hover;
  CanvasEvent lastMove;
  long placeholderFrames = 0;

  CanvasEvent eventAt(const QPointF& at, const QPoint& globalAt, Qt::KeyboardModifiers modifiers) const {
    CanvasEvent event;
    event.at = pointOf(at);
    event.region = regions.at(event.at);
    event.modifiers = modifiers;
    event.globalAt = globalAt;
    return event;
  }
  CanvasEvent of(const QMouseEvent& mouse) const {
    CanvasEvent event = eventAt(mouse.position(), mouse.globalPosition().toPoint(), mouse.modifiers());
    event.button = mouse.button();
    event.buttons = mouse.buttons();
    return event;
  }
};

CanvasWidget::CanvasWidget(Canvas& canvas, QWidget* parent)
    : QWidget(parent), m_state(std::make_unique<State>(canvas)) {
  static const bool accessible = [] {
    QAccessible::installFactory(canvasAccessible);
    return true;
  }();
  Q_UNUSED(accessible)
  setFocusPolicy(Qt::StrongFocus);
  setMouseTracking(true);
  m_state->hover.setSingleShot(true);
  m_state->hover.setInterval(kHoverMs);
  connect(&m_state->hover, &QTimer::timeout, this, &CanvasWidget::showToolTip);
  if (platformHasOpenGl()) {
    m_state->surface = new CanvasSurface(canvas, m_state->regions, this);
    // Data may have changed under a tool tip that is shown.
    connect(m_state->surface, &CanvasSurface::frameDrawn, this, [this] {
      if (m_state->toolTip != nullptr && m_state->toolTip->isVisible()) m_state->hover.start();
    });
  }
}

CanvasWidget::~CanvasWidget() { delete m_state->surface; }

void CanvasWidget::wake() {
  if (m_state->surface != nullptr) {
    m_state->surface->update();
  } else {
    update();
  }
}

void CanvasWidget::requestContextMenu() {
  CanvasEvent event;
  event.at = {static_cast<float>(width()) / 2, static_cast<float>(height()) / 2};
  event.globalAt = mapToGlobal(rect().center());
  hideToolTip();
  m_state->canvas.contextMenu(event);
}

std::string CanvasWidget::regionAt(Point at) const { return m_state->regions.at(at); }

std::optional<Rect> CanvasWidget::regionRect(std::string_view id) const {
  return m_state->regions.rectOf(id);
}

long CanvasWidget::frameCount() const {
  return m_state->surface != nullptr ? m_state->surface->frameCount() : m_state->placeholderFrames;
}

double CanvasWidget::lastFrameMs() const {
  return m_state->surface != nullptr ? m_state->surface->lastFrameMs() : 0.0;
}

QImage CanvasWidget::picture() {
  return m_state->surface != nullptr ? m_state->surface->grabFramebuffer() : QImage();
}

bool CanvasWidget::event(QEvent* event) {
  if (event->type() == QEvent::ShortcutOverride) {
    auto* key = dynamic_cast<QKeyEvent*>(event);
    // Esc takes back a drag before it stops anything.
    const bool dragging =
        key != nullptr && key->key() == Qt::Key_Escape && m_state->lastMove.buttons != Qt::NoButton;
    if (key != nullptr && (isCanvasKey(*key) || dragging)) {
      event->accept();
      return true;
    }
  }
  // The canvas has tool tips of its own.
  if (event->type() == QEvent::ToolTip) return true;
  return QWidget::event(event);
}

void CanvasWidget::paintEvent(QPaintEvent*) {
  if (m_state->surface != nullptr) return;
  m_state->regions.clear();
  PlaceholderPainter regions(m_state->regions);
  m_state->canvas.build({0, 0, static_cast<float>(width()), static_cast<float>(height())}, regions);
  ++m_state->placeholderFrames;
  const Theme& theme = Theme::current();
  QPainter painter(this);
  painter.fillRect(rect(), theme.colour(ColourRole::Canvas));
  painter.setPen(theme.colour(ColourRole::Text2));
  painter.drawText(rect(), Qt::AlignCenter | Qt::TextWordWrap,
                   tr("This display has no OpenGL, so pictures cannot be drawn."));
}

void CanvasWidget::resizeEvent(QResizeEvent* event) {
  QWidget::resizeEvent(event);
  if (m_state->surface != nullptr) m_state->surface->setGeometry(rect());
}

void CanvasWidget::mousePressEvent(QMouseEvent* event) {
  hideToolTip();
  m_state->lastMove = m_state->of(*event);
  m_state->canvas.press(m_state->lastMove);
}

void CanvasWidget::mouseMoveEvent(QMouseEvent* event) {
  m_state->lastMove = m_state->of(*event);
  m_state->canvas.move(m_state->lastMove);
  restartHover();
}

void CanvasWidget::mouseReleaseEvent(QMouseEvent* event) {
  m_state->lastMove = m_state->of(*event);
  m_state->canvas.release(m_state->lastMove);
}

void CanvasWidget::mouseDoubleClickEvent(QMouseEvent* event) {
  hideToolTip();
  m_state->lastMove = m_state->of(*event);
  m_state->canvas.doubleClick(m_state->lastMove);
}

void CanvasWidget::wheelEvent(QWheelEvent* event) {
  hideToolTip();
  const CanvasEvent at =
      m_state->eventAt(event->position(), event->globalPosition().toPoint(), event->modifiers());
  m_state->canvas.wheel(at, QPointF(event->angleDelta()) / kWheelNotch);
  event->accept();
}

void CanvasWidget::keyPressEvent(QKeyEvent* event) {
  hideToolTip();
  if (m_state->canvas.key(*event)) {
    event->accept();
  } else {
    QWidget::keyPressEvent(event);
  }
}

void CanvasWidget::contextMenuEvent(QContextMenuEvent* event) {
  event->accept();
  if (event->reason() == QContextMenuEvent::Keyboard) {
    requestContextMenu();
    return;
  }
  hideToolTip();
  CanvasEvent at = m_state->eventAt(event->pos(), event->globalPos(), event->modifiers());
  at.button = Qt::RightButton;
  m_state->canvas.contextMenu(at);
}

void CanvasWidget::leaveEvent(QEvent* event) {
  QWidget::leaveEvent(event);
  hideToolTip();
  m_state->lastMove = {};
  m_state->canvas.leave();
}

void CanvasWidget::focusInEvent(QFocusEvent*) { setFocusRing(true); }

void CanvasWidget::focusOutEvent(QFocusEvent*) { setFocusRing(false); }

void CanvasWidget::setFocusRing(bool on) {
  if (m_state->surface != nullptr) m_state->surface->setFocusRing(on);
  m_state->canvas.focusChanged(on);
  wake();
}

void CanvasWidget::hideEvent(QHideEvent* event) {
  QWidget::hideEvent(event);
  hideToolTip();
}

void CanvasWidget::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  const auto type = event->type();
  if (type == QEvent::PaletteChange || type == QEvent::StyleChange || type == QEvent::FontChange ||
      type == QEvent::EnabledChange) {
    wake();
  }
}

void CanvasWidget::restartHover() {
  const bool shown = m_state->toolTip != nullptr && m_state->toolTip->isVisible();
  if (m_state->lastMove.buttons != Qt::NoButton) {
    hideToolTip();
  } else if (shown) {
    showToolTip();  // follows at once from cell to cell
  } else {
    m_state->hover.start();
  }
}

void CanvasWidget::hideToolTip() {
  m_state->hover.stop();
  if (m_state->toolTip != nullptr) m_state->toolTip->hide();
}

void CanvasWidget::showToolTip() {
  if (!isVisible() || !underMouse() || m_state->lastMove.buttons != Qt::NoButton) return;
  CanvasEvent at = m_state->lastMove;
  at.region = m_state->regions.at(at.at);
  const auto content = m_state->canvas.toolTip(at);
  if (!content) {
    hideToolTip();
    return;
  }
  if (m_state->toolTip == nullptr) m_state->toolTip = new CanvasToolTip(this);
  const Rect& clear = content->clearOf;
  QRect global(mapToGlobal(QPoint(qRound(clear.x), qRound(clear.y))),
               QSize(qRound(clear.width), qRound(clear.height)));
  if (global.isEmpty()) global = QRect(at.globalAt, QSize(1, 1));
  m_state->toolTip->showContent(*content, global);
}

}  // namespace moescope::views
