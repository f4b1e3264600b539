// ThemeStyle's frames, titles, tabs, menus and bars; theme_style.cpp has sizes and controls.
#include <QAbstractItemView>
#include <QAbstractScrollArea>
#include <QHeaderView>
#include <QPainter>
#include <QStyleOption>

#include "views/api/theme.h"
#include "views/theme/theme_paint.h"
#include "views/theme/theme_style.h"

namespace moescope::views {

namespace {

constexpr int kTitlePadding = 12;
constexpr int kTabLine = 2;
constexpr int kIconTextGap = 6;
constexpr int kFlatPadding = 4;
constexpr double kDisabledIcon = 0.45;  // opacity

QColor colour(ColourRole role) { return Theme::current().colour(role); }

QRect bottomLine(const QRect& rect) { return {rect.left(), rect.bottom(), rect.width(), 1}; }

void drawDockTitle(const QStyleOptionDockWidget& option, QPainter& painter, const QStyle& style,
                   const QWidget* widget) {
  painter.fillRect(option.rect, colour(ColourRole::Panel));
  painter.fillRect(bottomLine(option.rect), colour(ColourRole::Separator));
  if (option.title.isEmpty()) return;
  const QRect text = style.subElementRect(QStyle::SE_DockWidgetTitleBarText, &option, widget);
  painter.save();
  painter.setFont(Theme::current().font(FontSize::Title));
  painter.setPen(colour(ColourRole::Text));
  const QRect line(option.rect.left() + kTitlePadding, option.rect.top(),
                   text.right() - option.rect.left() - kTitlePadding, option.rect.height());
  painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter | Qt::TextSingleLine,
                   painter.fontMetrics().elidedText(option.title, Qt::ElideRight, line.width()));
  painter.restore();
}

void drawTab(const QStyleOptionTab& option, QPainter& painter) {
  const bool active = option.state & QStyle::State_Selected;
  const bool hovered = option.state & QStyle::State_MouseOver;
  painter.fillRect(option.rect, colour(active    ? ColourRole::Panel
                                       : hovered ? ColourRole::ControlHover
                                                 : ColourRole::Window));
  if (active) {
    painter.fillRect(QRect(option.rect.topLeft(), QSize(option.rect.width(), kTabLine)),
                     colour(ColourRole::Accent));
  } else {
    painter.fillRect(bottomLine(option.rect), colour(ColourRole::Separator));
  }
  painter.fillRect(QRect(option.rect.right(), option.rect.top(), 1, option.rect.height()),
                   colour(ColourRole::Separator));
  if ((option.state & QStyle::State_HasFocus) && (option.state & QStyle::State_KeyboardFocusChange)) {
    drawBox(painter, option.rect.adjusted(1, 1, -1, -1), {}, colour(ColourRole::Accent), kFocusRing);
  }
}

void drawProgress(const QStyleOptionProgressBar& option, QPainter& painter) {
  const bool unknown = option.minimum == 0 && option.maximum == 0;
  if (unknown) {
    // Nothing moves by itself: a hatch says that the end is not known.
    painter.fillRect(option.rect, QBrush(colour(ColourRole::Accent), Qt::BDiagPattern));
    return;
  }
  const double share =
      option.maximum > option.minimum
          ? static_cast<double>(option.progress - option.minimum) / (option.maximum - option.minimum)
          : 0.0;
  QRect done = option.rect;
  done.setWidth(qRound(option.rect.width() * qBound(0.0, share, 1.0)));
  if (done.width() > 0)
    drawBox(painter, QStyle::visualRect(option.direction, option.rect, done), colour(ColourRole::Accent), {});
}

struct IconText {
  QIcon icon;
  QSize iconSize;
  QString text;
  QIcon::Mode mode = QIcon::Normal;
  QColor colour;
};

// An icon and a text side by side, in the middle; a flat button that is wider begins at its left.
void drawIconText(QPainter& painter, const QStyleOption& option, const IconText& label, bool underline) {
  const QFontMetrics metrics(painter.font());
  const int flags =
      Qt::AlignVCenter | Qt::TextSingleLine | (underline ? Qt::TextShowMnemonic : Qt::TextHideMnemonic);
  const int textWidth = metrics.size(flags, label.text).width();
  const bool hasIcon = !label.icon.isNull();
  const int iconWidth = hasIcon ? label.iconSize.width() + (label.text.isEmpty() ? 0 : kIconTextGap) : 0;
  const QRect& rect = option.rect;
  const auto* button = qstyleoption_cast<const QStyleOptionButton*>(&option);
  const bool fromLeft = button != nullptr && (button->features & QStyleOptionButton::Flat);
  int left = rect.left() + (fromLeft ? kFlatPadding : qMax(0, (rect.width() - iconWidth - textWidth) / 2));
  if (hasIcon) {
    const QRect place(left, rect.center().y() + 1 - label.iconSize.height() / 2, label.iconSize.width(),
                      label.iconSize.height());
    const auto state = (option.state & QStyle::State_On) ? QIcon::On : QIcon::Off;
    label.icon.paint(&painter, QStyle::visualRect(option.direction, rect, place), Qt::AlignCenter, label.mode,
                     state);
    left += iconWidth;
  }
  painter.setPen(label.colour);
  const QRect place(left, rect.top(), qMin(textWidth, rect.right() - left) + 1, rect.height());
  painter.drawText(QStyle::visualRect(option.direction, rect, place), flags, label.text);
}

void drawFrameOf(const QStyleOption& option, QPainter& painter, const QWidget* widget) {
  const bool list = qobject_cast<const QAbstractItemView*>(widget) != nullptr;
  const bool enabled = option.state & QStyle::State_Enabled;
  drawBox(painter, option.rect, {}, colour(list || !enabled ? ColourRole::Separator : ColourRole::Border));
  const bool ring = (option.state & QStyle::State_HasFocus) &&
                    qobject_cast<const QAbstractScrollArea*>(widget) != nullptr &&
                    (!list || (option.state & QStyle::State_KeyboardFocusChange));
  if (ring) drawBox(painter, option.rect, {}, colour(ColourRole::Accent), kFocusRing);
}

}  // namespace

bool ThemeStyle::drawFrame(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                           const QWidget* widget) const {
  switch (element) {
    case PE_PanelLineEdit: {
      const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
      if (frame != nullptr && frame->lineWidth > 0) drawFieldBox(*painter, *option, false);
      return true;
    }
    case PE_FrameLineEdit:
    case PE_FrameStatusBarItem:
    case PE_FrameDockWidget:
    case PE_IndicatorDockWidgetResizeHandle: return true;
    case PE_Frame:
    case PE_FrameGroupBox: drawFrameOf(*option, *painter, widget); return true;
    case PE_FrameMenu: return true;
    case PE_PanelMenu:
    case PE_PanelTipLabel:
      // Windows of their own: square, because without a compositor there is nothing below the corners.
      painter->fillRect(option->rect, colour(ColourRole::Border));
      painter->fillRect(option->rect.adjusted(1, 1, -1, -1), colour(ColourRole::Control));
      return true;
    case PE_FrameFocusRect:
      drawBox(*painter, option->rect, {}, colour(ColourRole::Accent), kFocusRing);
      return true;
    case PE_FrameTabBarBase:
      painter->fillRect(option->rect, colour(ColourRole::Window));
      painter->fillRect(bottomLine(option->rect), colour(ColourRole::Separator));
      return true;
    case PE_PanelStatusBar:
      painter->fillRect(option->rect, colour(ColourRole::Window));
      painter->fillRect(QRect(option->rect.left(), option->rect.top(), option->rect.width(), 1),
                        colour(ColourRole::Separator));
      return true;
    case PE_IndicatorToolBarSeparator: {
      const QPoint middle = option->rect.center();
      painter->fillRect(QRect(middle.x(), option->rect.top() + 6, 1, option->rect.height() - 12),
                        colour(ColourRole::Separator));
      return true;
    }
    case PE_IndicatorArrowDown: drawChevron(*painter, option->rect, colour(ColourRole::Text2)); return true;
    case PE_IndicatorArrowUp:
      drawChevron(*painter, option->rect, colour(ColourRole::Text2), true);
      return true;
    default: return false;
  }
}

bool ThemeStyle::drawBar(ControlElement element, const QStyleOption* option, QPainter* painter,
                         const QWidget* widget) const {
  switch (element) {
    case CE_DockWidgetTitle:
      if (const auto* dock = qstyleoption_cast<const QStyleOptionDockWidget*>(option)) {
        drawDockTitle(*dock, *painter, *proxy(), widget);
      }
      return true;
    case CE_TabBarTabShape:
      if (const auto* tab = qstyleoption_cast<const QStyleOptionTab*>(option)) drawTab(*tab, *painter);
      return true;
    case CE_ToolBar:
      painter->fillRect(option->rect, colour(ColourRole::Window));
      painter->fillRect(bottomLine(option->rect), colour(ColourRole::Separator));
      return true;
    case CE_MenuBarEmptyArea: painter->fillRect(option->rect, colour(ColourRole::Window)); return true;
    case CE_MenuEmptyArea:
    case CE_Splitter: return true;
    case CE_ShapedFrame: {
      const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(option);
      if (frame == nullptr || (frame->frameShape != QFrame::HLine && frame->frameShape != QFrame::VLine))
        return false;
      const QPoint middle = option->rect.center();
      const QRect line = frame->frameShape == QFrame::HLine
                             ? QRect(option->rect.left(), middle.y(), option->rect.width(), 1)
                             : QRect(middle.x(), option->rect.top(), 1, option->rect.height());
      painter->fillRect(line, colour(ColourRole::Separator));
      return true;
    }
    case CE_HeaderSection:
    case CE_HeaderEmptyArea:
      painter->fillRect(option->rect, option->palette.color(QPalette::Base));
      if (const auto* header = qobject_cast<const QHeaderView*>(widget);
          header == nullptr || header->orientation() == Qt::Horizontal) {
        painter->fillRect(bottomLine(option->rect), colour(ColourRole::Separator));
      }
      return true;
    case CE_ProgressBarGroove: drawBox(*painter, option->rect, colour(ColourRole::Track), {}); return true;
    case CE_ProgressBarContents:
      if (const auto* bar = qstyleoption_cast<const QStyleOptionProgressBar*>(option))
        drawProgress(*bar, *painter);
      return true;
    default: return false;
  }
}

bool ThemeStyle::drawLabel(ControlElement element, const QStyleOption* option, QPainter* painter,
                           const QWidget* widget) const {
  const bool enabled = option->state & State_Enabled;
  const bool on = option->state & State_On;
  IconText label;
  if (const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option);
      element == CE_PushButtonLabel && button) {
    const bool primary = enabled && (button->features & QStyleOptionButton::DefaultButton);
    label = {button->icon, button->iconSize, button->text, QIcon::Normal, QColor()};
    if (primary) {
      QFont bold = painter->font();
      bold.setWeight(QFont::DemiBold);
      painter->setFont(bold);
      label.mode = QIcon::Selected;
      label.colour = colour(ColourRole::OnAccent);
    }
  } else if (const auto* tool = qstyleoption_cast<const QStyleOptionToolButton*>(option);
             element == CE_ToolButtonLabel && tool && !tool->text.isEmpty() &&
             tool->toolButtonStyle == Qt::ToolButtonTextBesideIcon) {
    label = {tool->icon, tool->iconSize, tool->text, QIcon::Normal, QColor()};
  } else if (tool && element == CE_ToolButtonLabel && !enabled) {
    // Quiet icons have the colour of disabled ones: where no text tells, they fade.
    painter->save();
    painter->setOpacity(kDisabledIcon);
    QProxyStyle::drawControl(element, option, painter, widget);
    painter->restore();
    return true;
  } else {
    return false;
  }
  if (!enabled) label.mode = QIcon::Disabled;
  if (!label.colour.isValid()) {
    label.colour = enabled && on ? colour(ColourRole::Accent) : option->palette.color(QPalette::ButtonText);
  }
  drawIconText(*painter, *option, label, styleHint(SH_UnderlineShortcut, option, widget, nullptr) != 0);
  return true;
}

bool ThemeStyle::drawRecoloured(ControlElement element, const QStyleOption* option, QPainter* painter,
                                const QWidget* widget) const {
  const bool enabled = option->state & State_Enabled;
  if (const auto* item = qstyleoption_cast<const QStyleOptionViewItem*>(option);
      element == CE_ItemViewItem && item) {
    QStyleOptionViewItem copy = *item;
    copy.palette.setColor(QPalette::Highlight, colour(ColourRole::AccentBack));
    copy.palette.setColor(QPalette::HighlightedText, colour(enabled ? ColourRole::Text : ColourRole::Text3));
    if (copy.state & State_Selected)
      copy.icon = QIcon(item->icon.pixmap(item->decorationSize, painter->device()->devicePixelRatio()));
    QProxyStyle::drawControl(element, &copy, painter, widget);
    return true;
  }
  if (const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
      element == CE_MenuItem && item) {
    QStyleOptionMenuItem copy = *item;
    if (enabled && (option->state & State_Selected) && !copy.icon.isNull()) {
      copy.icon =
          QIcon(item->icon.pixmap(QSize(16, 16), painter->device()->devicePixelRatio(), QIcon::Selected));
    }
    QProxyStyle::drawControl(element, &copy, painter, widget);
    return true;
  }
  if (const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
      element == CE_MenuBarItem && item) {
    const bool open = option->state & (State_Selected | State_Sunken);
    painter->fillRect(option->rect, colour(open && enabled ? ColourRole::ControlHover : ColourRole::Window));
    proxy()->drawItemText(painter, option->rect, Qt::AlignCenter | Qt::TextShowMnemonic | Qt::TextSingleLine,
                          option->palette, enabled, item->text, QPalette::WindowText);
    return true;
  }
  if (const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option);
      element == CE_HeaderLabel && header) {
    QStyleOptionHeaderV2 copy;
    copy.QStyleOptionHeader::operator=(*header);
    copy.palette.setColor(QPalette::ButtonText, colour(ColourRole::Text2));
    painter->setFont(Theme::current().font(FontSize::Small));
    QProxyStyle::drawControl(element, &copy, painter, widget);
    return true;
  }
  if (const auto* tab = qstyleoption_cast<const QStyleOptionTab*>(option);
      element == CE_TabBarTabLabel && tab) {
    QStyleOptionTab copy = *tab;
    const bool active = option->state & State_Selected;
    copy.palette.setColor(QPalette::WindowText, colour(active ? ColourRole::Text : ColourRole::Text2));
    if (active) painter->setFont(Theme::current().font(FontSize::Title));
    copy.state &= ~State_HasFocus;
    QProxyStyle::drawControl(element, &copy, painter, widget);
    return true;
  }
  return false;
}

}  // namespace moescope::views
