// The shapes that ThemeStyle draws: boxes, check marks, chevrons, sliders, scroll bars. Not for deciding
// which widget gets which.
#pragma once

#include <QColor>
#include <QRect>

class QPainter;
class QStyleOption;
class QStyleOptionComboBox;
class QStyleOptionSlider;
class QStyleOptionSpinBox;
class QStyle;
class QWidget;

namespace moescope::views {

inline constexpr int kFocusRing = 2;
inline constexpr double kCornerRadius = 3.0;

/// A rounded box; an invalid colour draws nothing. `width` is that of the outline, which lies inside.
void drawBox(QPainter& painter, const QRect& rect, const QColor& fill, const QColor& outline, int width = 1);
/// A push button's or checkable button's box in its state.
void drawButtonBox(QPainter& painter, const QStyleOption& option, bool primary, bool outlined);
/// A field's box: canvas colour, border, focus ring.
void drawFieldBox(QPainter& painter, const QStyleOption& option, bool control);
void drawCheckBox(QPainter& painter, const QStyleOption& option);
void drawRadioButton(QPainter& painter, const QStyleOption& option);
/// Points down, or up.
void drawChevron(QPainter& painter, const QRect& rect, const QColor& colour, bool up = false);
void drawComboBox(QPainter& painter, const QStyleOptionComboBox& option, const QStyle& style,
                  const QWidget* widget);
void drawSpinBox(QPainter& painter, const QStyleOptionSpinBox& option, const QStyle& style,
                 const QWidget* widget);
void drawSlider(QPainter& painter, const QStyleOptionSlider& option, const QStyle& style,
                const QWidget* widget);
void drawScrollBar(QPainter& painter, const QStyleOptionSlider& option, const QStyle& style,
                   const QWidget* widget);

}  // namespace moescope::views
