#include "views/panels/steering/scope_button.h"

#include <QKeyEvent>
#include <QPainter>

#include <algorithm>

#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kLeft = 6, kGap = 4, kChevron = 7, kRight = 6, kVertical = 3;
constexpr int kShortest = 24;
constexpr double kRadius = 3.0;

}  // namespace

ScopeButton::ScopeButton(QWidget* parent) : QAbstractButton(parent) {
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

QSize ScopeButton::sizeHint() const {
  const QFontMetrics metrics(Theme::current().font(FontSize::Small));
  return {kLeft + metrics.horizontalAdvance(text()) + kGap + kChevron + kRight,
          metrics.height() + 2 * kVertical - 1};
}

QSize ScopeButton::minimumSizeHint() const { return {kShortest, sizeHint().height()}; }

void ScopeButton::paintEvent(QPaintEvent* /*event*/) {
  const Theme& theme = Theme::current();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  const QRectF box = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
  const bool ring = hasFocus();
  painter.setPen(QPen(theme.colour(ring ? ColourRole::Accent : ColourRole::Border), ring ? 2.0 : 1.0));
  painter.setBrush(underMouse() || isDown() ? QBrush(theme.colour(ColourRole::ControlHover)) : QBrush());
  painter.drawRoundedRect(ring ? box.adjusted(0.5, 0.5, -0.5, -0.5) : box, kRadius, kRadius);
  painter.setFont(theme.font(FontSize::Small));
  painter.setPen(theme.colour(ColourRole::Text2));
  const int room = width() - kLeft - kGap - kChevron - kRight;
  const QString shown = painter.fontMetrics().elidedText(text(), Qt::ElideRight, std::max(0, room + 1));
  painter.drawText(QRect(kLeft, 0, room + 2, height()), Qt::AlignLeft | Qt::AlignVCenter, shown);
  const double right = width() - kRight, middle = height() / 2.0 + 0.5;
  painter.setPen(QPen(theme.colour(ColourRole::Text2), 1.2));
  painter.drawPolyline(QPolygonF(
      {{right - kChevron, middle - 1.75}, {right - kChevron / 2.0, middle + 1.75}, {right, middle - 1.75}}));
}

void ScopeButton::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    click();
  } else {
    QAbstractButton::keyPressEvent(event);
  }
}

void ScopeButton::enterEvent(QEnterEvent* event) {
  QAbstractButton::enterEvent(event);
  update();
}

void ScopeButton::leaveEvent(QEvent* event) {
  QAbstractButton::leaveEvent(event);
  update();
}

}  // namespace moescope::views
