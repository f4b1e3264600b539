#include "views/theme/theme_paint.h"

#include <QPainter>
#include <QPainterPath>
#include <QStyleOption>

#include "views/api/theme.h"

namespace moescope::views {

namespace {

constexpr int kGroove = 4;
constexpr int kChevron = 3;  // half its width
constexpr double kStroke = 1.5;

QColor colour(ColourRole role) { return Theme::current().colour(role); }

bool enabled(const QStyleOption& option) { return option.state & QStyle::State_Enabled; }
bool hovered(const QStyleOption& option) {
  return enabled(option) && (option.state & QStyle::State_MouseOver);
}
bool focused(const QStyleOption& option) {
  return enabled(option) && (option.state & QStyle::State_HasFocus);
}

QColor outlineOf(const QStyleOption& option) {
  return colour(enabled(option) ? ColourRole::Border : ColourRole::Separator);
}

}  // namespace

void drawBox(QPainter& painter, const QRect& rect, const QColor& fill, const QColor& outline, int width) {
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setBrush(fill.isValid() ? QBrush(fill) : Qt::NoBrush);
  painter.setPen(outline.isValid() ? QPen(outline, width) : QPen(Qt::NoPen));
  const double inset = outline.isValid() ? width / 2.0 : 0.0;
  painter.drawRoundedRect(QRectF(rect).adjusted(inset, inset, -inset, -inset), kCornerRadius, kCornerRadius);
  painter.restore();
}

void drawButtonBox(QPainter& painter, const QStyleOption& option, bool primary, bool outlined) {
  const bool checked = option.state & QStyle::State_On;
  const bool down = enabled(option) && (option.state & QStyle::State_Sunken);
  QColor fill = outlined ? colour(enabled(option) ? ColourRole::Control : ColourRole::Panel) : QColor();
  QColor outline = outlined ? outlineOf(option) : QColor();
  if (checked && enabled(option)) {
    fill = colour(ColourRole::AccentBack);
    outline = colour(ColourRole::Accent);
  } else if (primary && enabled(option)) {
    fill = outline = colour(ColourRole::Accent);
  } else if (down) {
    fill = colour(ColourRole::Track);
  } else if (hovered(option)) {
    fill = colour(ColourRole::ControlHover);
  }
  drawBox(painter, option.rect, fill, outline);
  const bool ring = focused(option) && (option.state & QStyle::State_KeyboardFocusChange);
  if (!ring) return;
  // On the accent itself the ring stands off by one pixel of the button.
  const QRect rect = primary ? option.rect.adjusted(2, 2, -2, -2) : option.rect;
  drawBox(painter, rect, {}, colour(primary ? ColourRole::OnAccent : ColourRole::Accent), kFocusRing);
}

void drawFieldBox(QPainter& painter, const QStyleOption& option, bool control) {
  QColor fill = colour(control ? ColourRole::Control : ColourRole::Canvas);
  if (!enabled(option)) fill = colour(ColourRole::Panel);
  if (control && hovered(option)) fill = colour(ColourRole::ControlHover);
  drawBox(painter, option.rect, fill, outlineOf(option));
  if (focused(option)) drawBox(painter, option.rect, {}, colour(ColourRole::Accent), kFocusRing);
}

void drawCheckBox(QPainter& painter, const QStyleOption& option) {
  const bool on = option.state & QStyle::State_On;
  const bool partly = option.state & QStyle::State_NoChange;
  const bool marked = on || partly;
  const QColor accent = colour(enabled(option) ? ColourRole::Accent : ColourRole::Text3);
  drawBox(painter, option.rect, marked ? accent : colour(ColourRole::Canvas),
          marked ? accent : outlineOf(option));
  if (!marked) return;
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(colour(enabled(option) ? ColourRole::OnAccent : ColourRole::Panel), 1.75, Qt::SolidLine,
                      Qt::SquareCap));
  const QRectF r = option.rect;
  const auto at = [&r](double x, double y) {
    return QPointF(r.left() + x * r.width(), r.top() + y * r.height());
  };
  if (partly) {
    painter.drawLine(at(0.3, 0.5), at(0.7, 0.5));
  } else {
    const QPointF points[] = {at(0.25, 0.53), at(0.43, 0.70), at(0.76, 0.32)};
    painter.drawPolyline(points, 3);
  }
  painter.restore();
}

void drawRadioButton(QPainter& painter, const QStyleOption& option) {
  const bool on = option.state & QStyle::State_On;
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setBrush(colour(ColourRole::Canvas));
  painter.setPen(on ? colour(enabled(option) ? ColourRole::Accent : ColourRole::Text3) : outlineOf(option));
  const QRectF ring = QRectF(option.rect).adjusted(0.5, 0.5, -0.5, -0.5);
  painter.drawEllipse(ring);
  if (on) {
    painter.setBrush(painter.pen().color());
    painter.setPen(Qt::NoPen);
    painter.drawEllipse(ring.adjusted(3, 3, -3, -3));
  }
  painter.restore();
}

void drawChevron(QPainter& painter, const QRect& rect, const QColor& line, bool up) {
  painter.save();
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(line, kStroke, Qt::SolidLine, Qt::SquareCap));
  const QPointF middle = QRectF(rect).center();
  const double rise = up ? -kChevron / 2.0 : kChevron / 2.0;
  const QPointF points[] = {middle + QPointF(-kChevron, -rise), middle + QPointF(0, rise),
                            middle + QPointF(kChevron, -rise)};
  painter.drawPolyline(points, 3);
  painter.restore();
}

void drawComboBox(QPainter& painter, const QStyleOptionComboBox& option, const QStyle& style,
                  const QWidget* widget) {
  if (option.frame) drawFieldBox(painter, option, !option.editable);
  const QRect arrow = style.subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxArrow, widget);
  drawChevron(painter, arrow, colour(enabled(option) ? ColourRole::Text : ColourRole::Text3));
}

void drawSpinBox(QPainter& painter, const QStyleOptionSpinBox& option, const QStyle& style,
                 const QWidget* widget) {
  if (option.frame) drawFieldBox(painter, option, false);
  if (option.buttonSymbols == QAbstractSpinBox::NoButtons) return;
  const auto draw = [&](QStyle::SubControl part, QAbstractSpinBox::StepEnabledFlag can, bool up) {
    const QRect rect = style.subControlRect(QStyle::CC_SpinBox, &option, part, widget);
    const bool active = enabled(option) && (option.stepEnabled & can);
    const bool over = active && (option.activeSubControls & part);
    if (over) painter.fillRect(rect.adjusted(0, 0, -1, 0), colour(ColourRole::ControlHover));
    drawChevron(painter, rect,
                colour(over     ? ColourRole::Text
                       : active ? ColourRole::Text2
                                : ColourRole::Text3),
                up);
  };
  draw(QStyle::SC_SpinBoxUp, QAbstractSpinBox::StepUpEnabled, true);
  draw(QStyle::SC_SpinBoxDown, QAbstractSpinBox::StepDownEnabled, false);
}

void drawSlider(QPainter& painter, const QStyleOptionSlider& option, const QStyle& style,
                const QWidget* widget) {
  const bool flat = option.orientation == Qt::Horizontal;
  const QRect groove = style.subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderGroove, widget);
  const QRect handle = style.subControlRect(QStyle::CC_Slider, &option, QStyle::SC_SliderHandle, widget);
  QRect line = flat ? QRect(groove.left(), groove.center().y() - kGroove / 2 + 1, groove.width(), kGroove)
                    : QRect(groove.center().x() - kGroove / 2 + 1, groove.top(), kGroove, groove.height());
  drawBox(painter, line, colour(ColourRole::Track), {});
  if (flat && enabled(option)) {
    // The filled part starts at zero, where there is one.
    const int zero = option.minimum < 0 && option.maximum > 0 ? 0 : option.minimum;
    const int span = groove.width() - handle.width();
    const int origin =
        groove.left() + handle.width() / 2 +
        QStyle::sliderPositionFromValue(option.minimum, option.maximum, zero, span, option.upsideDown);
    line.setLeft(qMin(origin, handle.center().x()));
    line.setRight(qMax(origin, handle.center().x()));
    painter.fillRect(line, colour(ColourRole::Accent));
  }
  const bool ring = focused(option);
  const QColor outline = ring ? colour(ColourRole::Accent) : outlineOf(option);
  drawBox(painter, handle, colour(hovered(option) ? ColourRole::ControlHover : ColourRole::Control), outline,
          ring ? kFocusRing : 1);
}

void drawScrollBar(QPainter& painter, const QStyleOptionSlider& option, const QStyle& style,
                   const QWidget* widget) {
  painter.fillRect(option.rect,
                   option.palette.color(widget != nullptr ? widget->backgroundRole() : QPalette::Window));
  if (!enabled(option) || option.maximum <= option.minimum) return;
  const QRect handle =
      style.subControlRect(QStyle::CC_ScrollBar, &option, QStyle::SC_ScrollBarSlider, widget);
  const bool held = option.state & QStyle::State_Sunken;
  const bool over = held || (hovered(option) && (option.activeSubControls & QStyle::SC_ScrollBarSlider));
  drawBox(painter, handle.adjusted(2, 2, -2, -2), colour(over ? ColourRole::Border : ColourRole::Track), {});
}

}  // namespace moescope::views
