#include "views/panels/steering/strength_slider.h"

#include <QMouseEvent>
#include <QPainter>
#include <QSignalBlocker>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr double kGroove = 3.0;
constexpr double kHandleWidth = 8.0, kHandleHeight = 14.0;
constexpr double kTick = 10.0;  ///< height of the mark at the neutral place
constexpr int kHeight = 22;
constexpr double kRadius = 2.0;

}  // namespace

StrengthSlider::StrengthSlider(QWidget* parent) : QSlider(Qt::Horizontal, parent) {
  setFocusPolicy(Qt::StrongFocus);
  setMinimumWidth(60);
}

void StrengthSlider::setStrength(const RuleStrength& strength) {
  const QSignalBlocker blocker(this);
  m_step = strength.step;
  m_neutral = std::clamp(strength.neutral, strength.sliderLow, strength.sliderHigh) / m_step;
  setRange(static_cast<int>(std::lround(strength.sliderLow / m_step)),
           static_cast<int>(std::lround(strength.sliderHigh / m_step)));
  const int keySteps = std::max(1, static_cast<int>(std::lround(strength.keyStep / m_step)));
  setSingleStep(keySteps);
  setPageStep(4 * keySteps);
  setValue(static_cast<int>(std::lround(strength.value / m_step)));
  setAccessibleName(strength.name);
  setToolTip(strength.name);
  update();
}

double StrengthSlider::strength() const { return value() * m_step; }

QSize StrengthSlider::sizeHint() const { return {160, kHeight}; }

double StrengthSlider::placeOf(double sliderValue) const {
  const double room = width() - kHandleWidth;
  const double range = std::max(1, maximum() - minimum());
  return kHandleWidth / 2 + room * std::clamp((sliderValue - minimum()) / range, 0.0, 1.0);
}

int StrengthSlider::valueAt(double x) const {
  const double room = std::max(1.0, width() - kHandleWidth);
  const double part = std::clamp((x - kHandleWidth / 2) / room, 0.0, 1.0);
  return minimum() + static_cast<int>(std::lround(part * (maximum() - minimum())));
}

void StrengthSlider::paintEvent(QPaintEvent* /*event*/) {
  const Theme& theme = Theme::current();
  QPainter painter(this);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  const double middle = height() / 2.0;
  const double handle = placeOf(value()), neutral = placeOf(m_neutral);
  const QColor accent = theme.colour(isEnabled() ? ColourRole::Accent : ColourRole::Text3);
  painter.fillRect(QRectF(0, middle - kGroove / 2, width(), kGroove), theme.colour(ColourRole::Track));
  painter.fillRect(
      QRectF(std::min(handle, neutral), middle - kGroove / 2, std::abs(handle - neutral), kGroove), accent);
  painter.fillRect(QRectF(neutral - 1, middle - kTick / 2, 2, kTick), accent);
  const QRectF box(handle - kHandleWidth / 2 + 0.5, middle - kHandleHeight / 2 + 0.5, kHandleWidth - 1,
                   kHandleHeight - 1);
  painter.setPen(QPen(hasFocus() ? accent : theme.colour(ColourRole::Border), hasFocus() ? 2.0 : 1.0));
  painter.setBrush(theme.colour(isEnabled() ? ColourRole::Control : ColourRole::Panel));
  painter.drawRoundedRect(box, kRadius, kRadius);
}

void StrengthSlider::mousePressEvent(QMouseEvent* event) {
  if (event->button() != Qt::LeftButton) return event->ignore();
  setSliderDown(true);
  setSliderPosition(valueAt(event->position().x()));
}

void StrengthSlider::mouseMoveEvent(QMouseEvent* event) {
  if (isSliderDown()) setSliderPosition(valueAt(event->position().x()));
}

void StrengthSlider::mouseReleaseEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) setSliderDown(false);
}

void StrengthSlider::wheelEvent(QWheelEvent* event) {
  // As with the field: scrolling the list must not change a rule.
  if (hasFocus()) {
    QSlider::wheelEvent(event);
  } else {
    event->ignore();
  }
}

}  // namespace moescope::views
