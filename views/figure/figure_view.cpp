#include "views/api/figure_view.h"

#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPixmap>
#include <QTimer>

#include <algorithm>
#include <cmath>

#include "views/api/theme.h"
#include "views/canvas/canvas_tool_tip.h"
#include "views/figure/figure_hits.h"
#include "views/figure/figure_painter.h"

namespace moescope::views {

namespace {

/// Figures are laid out at 96 dots an inch: a logical pixel is 7.5 tenths of a point.
constexpr double kDotsPerInch = 96.0, kUnitsPerPixel = kUnitsPerInch / kDotsPerInch;
constexpr double kReachPixels = 10.0, kPointRadiusPixels = 7.0;
constexpr int kTipDelayMs = 150;
constexpr QSize kLeastSize{200, 140};

/// The window's fonts and line widths in units of the layout.
FigureStyle screenStyle(const figure::FigureSpec& spec) {
  const auto scaled = [](FontSize size) {
    QFont font = Theme::current().font(size);
    font.setPixelSize(qRound(std::max(1, font.pixelSize()) * kUnitsPerPixel));
    font.setHintingPreference(QFont::PreferNoHinting);
    return font;
  };
  FigureStyle style = styleOf(spec);
  style.labels = style.inside = scaled(FontSize::Small);
  style.title = scaled(FontSize::Title);
  style.ground = Theme::current().colour(ColourRole::Canvas);
  style.frameWidth = kUnitsPerPixel;
  style.dataWidth = 1.5 * kUnitsPerPixel;
  style.tickLength = 4.0 * kUnitsPerPixel;
  style.gap = 5.0 * kUnitsPerPixel;
  style.margin = 4.0 * kUnitsPerPixel;
  style.markerRadius = 3.5 * kUnitsPerPixel;
  return style;
}

}  // namespace

/// The figure, its layout for the widget's size and its pixels, made when they are first needed.
class FigureView::Picture {
 public:
  std::optional<figure::FigureSpec> given;
  QString emptyHeading, emptyText;
  std::function<FigureTip(const FigureHit&)> tips;
  std::optional<FigureHit> current, hovered;
  CanvasToolTip* toolTip = nullptr;
  QTimer tipTimer;
  int count = 0;

  void forget() {
    m_painter.reset();
    m_pixels = {};
  }
  /// Null without a figure.
  const FigureLayout* layout(QSize size) {
    return given && !size.isEmpty() ? &painter(size).layout() : nullptr;
  }
  const QPixmap& pixels(QSize size, double ratio) {
    if (!m_pixels.isNull() && m_pixels.devicePixelRatio() == ratio) return m_pixels;
    m_pixels = QPixmap((QSizeF(size) * ratio).toSize());
    m_pixels.setDevicePixelRatio(ratio);
    m_pixels.fill(Theme::current().colour(ColourRole::Canvas));
    QPainter target(&m_pixels);
    target.scale(1.0 / kUnitsPerPixel, 1.0 / kUnitsPerPixel);
    painter(size).draw(target);
    ++count;
    return m_pixels;
  }

 private:
  const FigurePainter& painter(QSize size) {
    if (m_painter) return *m_painter;
    m_shown = *given;
    m_shown.theme = Theme::current().data();
    m_shown.widthInches = size.width() / kDotsPerInch;
    m_shown.heightInches = size.height() / kDotsPerInch;
    m_painter = std::make_unique<FigurePainter>(m_shown, screenStyle(m_shown));
    return *m_painter;
  }

  figure::FigureSpec m_shown;  ///< `given` in the window's theme and size
  std::unique_ptr<FigurePainter> m_painter;
  QPixmap m_pixels;
};

FigureView::FigureView(QWidget* parent) : QWidget(parent), m_picture(std::make_unique<Picture>()) {
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setAttribute(Qt::WA_OpaquePaintEvent);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  m_picture->tipTimer.setSingleShot(true);
  m_picture->tipTimer.setInterval(kTipDelayMs);
  connect(&m_picture->tipTimer, &QTimer::timeout, this, [this] {
    if (m_picture->hovered) showTip(*m_picture->hovered);
  });
}

FigureView::~FigureView() = default;

void FigureView::setFigure(figure::FigureSpec spec) {
  const auto before = m_picture->current;
  hideTip();
  m_picture->hovered.reset();
  m_picture->given = std::move(spec);
  m_picture->forget();
  setAccessibleName(QString::fromStdString(m_picture->given->title + ", " + m_picture->given->sampleLine));
  if (before && boxOf(*before).isNull()) setCurrent(std::nullopt);
  update();
}

const figure::FigureSpec* FigureView::figure() const {
  return m_picture->given ? &*m_picture->given : nullptr;
}

void FigureView::setEmpty(const QString& heading, const QString& text) {
  hideTip();
  m_picture->hovered.reset();
  m_picture->given.reset();
  m_picture->forget();
  m_picture->emptyHeading = heading;
  m_picture->emptyText = text;
  setAccessibleName(heading + QStringLiteral(". ") + text);
  setCurrent(std::nullopt);
  update();
}

void FigureView::setResult(Result<figure::FigureSpec> figure) {
  if (figure) {
    setFigure(*std::move(figure));
    return;
  }
  // Errors are parts of a line, headings are sentences.
  const auto sentence = [](const std::string& text) {
    QString out = QString::fromStdString(text);
    if (!out.isEmpty()) out[0] = out[0].toUpper();
    return out;
  };
  setEmpty(sentence(figure.error().message), sentence(figure.error().advice));
}

void FigureView::setTips(std::function<FigureTip(const FigureHit&)> tips) {
  m_picture->tips = std::move(tips);
}

std::optional<FigureHit> FigureView::current() const { return m_picture->current; }

void FigureView::setCurrent(std::optional<FigureHit> hit) {
  if (hit && boxOf(*hit).isNull()) hit.reset();
  if (hit == m_picture->current) return;
  m_picture->current = hit;
  QString said;
  if (hit) {
    const FigureTip tip = tipOf(*hit);
    said = tip.heading;
    for (const auto& [name, value] : tip.rows) said += QStringLiteral(", ") + name + QLatin1Char(' ') + value;
    if (!tip.footer.isEmpty()) said += QStringLiteral(", ") + tip.footer;
  }
  setAccessibleDescription(said);
  update();
  Q_EMIT currentChanged();
}

std::optional<FigureHit> FigureView::hitAt(QPoint position) const {
  const FigureLayout* layout = m_picture->layout(size());
  if (layout == nullptr) return std::nullopt;
  return figureHitAt(*layout, QPointF(position) * kUnitsPerPixel, kReachPixels * kUnitsPerPixel);
}

QRect FigureView::boxOf(const FigureHit& hit) const {
  const FigureLayout* layout = m_picture->layout(size());
  if (layout == nullptr) return {};
  const QRectF box = figureHitBox(*layout, hit, kPointRadiusPixels * kUnitsPerPixel);
  if (box.isNull()) return {};
  return QRectF(box.topLeft() / kUnitsPerPixel, box.size() / kUnitsPerPixel).toAlignedRect();
}

int FigureView::pictureCount() const { return m_picture->count; }

QSize FigureView::sizeHint() const {
  if (!m_picture->given) return {480, 320};
  return QSizeF(m_picture->given->widthInches * kDotsPerInch, m_picture->given->heightInches * kDotsPerInch)
      .toSize()
      .expandedTo(kLeastSize);
}

QSize FigureView::minimumSizeHint() const { return kLeastSize; }

void FigureView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme& theme = Theme::current();
  if (m_picture->given) {
    painter.drawPixmap(0, 0, m_picture->pixels(size(), devicePixelRatioF()));
  } else {
    painter.fillRect(rect(), theme.colour(ColourRole::Canvas));
    drawEmpty(painter);
  }
  // Selection is black and white, so that it shows on every data colour.
  const auto outline = [&](const FigureHit& hit, bool halo, Qt::PenStyle pen) {
    const QRect box = boxOf(hit);
    if (box.isNull()) return;
    painter.setBrush(Qt::NoBrush);
    if (halo) {
      painter.setPen(theme.colour(ColourRole::InkBack));
      painter.drawRect(box.adjusted(-1, -1, 0, 0));
    }
    painter.setPen(QPen(theme.colour(ColourRole::Ink), 1, pen));
    painter.drawRect(box.adjusted(-2, -2, 1, 1));
  };
  if (m_picture->current) outline(*m_picture->current, true, hasFocus() ? Qt::DashLine : Qt::SolidLine);
  if (m_picture->hovered && m_picture->hovered != m_picture->current)
    outline(*m_picture->hovered, false, Qt::SolidLine);
  if (!hasFocus()) return;
  painter.setPen(QPen(theme.colour(ColourRole::Accent), 2));
  painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

void FigureView::drawEmpty(QPainter& painter) const {
  const Theme& theme = Theme::current();
  const QRect area = rect().adjusted(12, 12, -12, -12);
  const QFont heading = theme.font(FontSize::Heading);
  const int flags = Qt::AlignHCenter | Qt::TextWordWrap;
  const QRect top = QFontMetrics(heading).boundingRect(area, flags, m_picture->emptyHeading);
  const QRect text = QFontMetrics(theme.font(FontSize::Body)).boundingRect(area, flags, m_picture->emptyText);
  const int y = area.top() + std::max(0, (area.height() - top.height() - 8 - text.height()) / 2);
  painter.setFont(heading);
  painter.setPen(theme.colour(ColourRole::Text));
  painter.drawText(QRect(area.left(), y, area.width(), top.height()), flags, m_picture->emptyHeading);
  painter.setFont(theme.font(FontSize::Body));
  painter.setPen(theme.colour(ColourRole::Text2));
  painter.drawText(QRect(area.left(), y + top.height() + 8, area.width(), text.height()), flags,
                   m_picture->emptyText);
}

void FigureView::resizeEvent(QResizeEvent*) {
  m_picture->forget();
  hideTip();
}

void FigureView::changeEvent(QEvent* event) {
  QWidget::changeEvent(event);
  if (event->type() != QEvent::PaletteChange && event->type() != QEvent::FontChange) return;
  m_picture->forget();
  update();
}

bool FigureView::event(QEvent* event) {
  // Tool tips of our own; Qt's would be plain text.
  if (event->type() == QEvent::ToolTip) return true;
  return QWidget::event(event);
}

void FigureView::mouseMoveEvent(QMouseEvent* event) { setHovered(hitAt(event->position().toPoint())); }

void FigureView::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton || event->button() == Qt::RightButton)
    setCurrent(hitAt(event->position().toPoint()));
}

void FigureView::mouseDoubleClickEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return;
  if (const auto hit = hitAt(event->position().toPoint())) Q_EMIT activated(*hit);
}

void FigureView::leaveEvent(QEvent*) { setHovered(std::nullopt); }

void FigureView::keyPressEvent(QKeyEvent* event) {
  const FigureLayout* layout = m_picture->layout(size());
  if (layout == nullptr) return QWidget::keyPressEvent(event);
  const auto& current = m_picture->current;
  const int panel = current ? current->panel : 0;
  const int panels = static_cast<int>(layout->panels.size());
  // A panel without items is passed by.
  const auto panelFrom = [&](int start, int step) {
    for (int p = start; p >= 0 && p < panels; p += step) {
      if (const auto hit = firstHit(*layout, p)) return setCurrent(hit);
    }
  };
  const auto move = [&](int right, int down) {
    if (current) return setCurrent(movedHit(*layout, *current, right, down));
    panelFrom(0, 1);
  };
  switch (event->key()) {
    case Qt::Key_Left: move(-1, 0); return;
    case Qt::Key_Right: move(1, 0); return;
    case Qt::Key_Up: move(0, -1); return;
    case Qt::Key_Down: move(0, 1); return;
    case Qt::Key_PageUp: panelFrom(panel - 1, -1); return;
    case Qt::Key_PageDown: panelFrom(panel + 1, 1); return;
    case Qt::Key_Home: panelFrom(0, 1); return;
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (current) Q_EMIT activated(*current);
      return;
    case Qt::Key_Escape:
      if (!current) break;
      setCurrent(std::nullopt);
      return;
    default: break;
  }
  QWidget::keyPressEvent(event);
}

void FigureView::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  update();
}

void FigureView::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  update();
}

void FigureView::setHovered(std::optional<FigureHit> hit) {
  if (hit == m_picture->hovered) return;
  m_picture->hovered = hit;
  hideTip();
  if (hit) m_picture->tipTimer.start();
  update();
}

FigureTip FigureView::tipOf(const FigureHit& hit) const {
  return m_picture->tips ? m_picture->tips(hit) : figureTip(*m_picture->given, hit);
}

void FigureView::showTip(const FigureHit& hit) {
  const QRect box = boxOf(hit);
  if (box.isNull()) return;
  const FigureTip tip = tipOf(hit);
  ToolTipContent content;
  content.heading = tip.heading;
  for (const auto& [name, value] : tip.rows) content.rows.push_back({name, value, -1.0, false});
  content.footer = tip.footer;
  if (m_picture->toolTip == nullptr) m_picture->toolTip = new CanvasToolTip(this);
  m_picture->toolTip->showContent(content, QRect(mapToGlobal(box.topLeft()), box.size()));
}

void FigureView::hideTip() {
  m_picture->tipTimer.stop();
  if (m_picture->toolTip != nullptr) m_picture->toolTip->hide();
}

}  // namespace moescope::views
