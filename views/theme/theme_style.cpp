#include "views/theme/theme_style.h"

#include <QAbstractItemView>
#include <QComboBox>
#include <QDockWidget>
#include <QFontMetrics>
#include <QStyleOption>
#include <QTabBar>
#include <QToolButton>

#include "views/api/theme.h"
#include "views/theme/theme_paint.h"

namespace moescope::views {

namespace {

constexpr int kButtonPadding = 10;  // left and right of a push button's text
constexpr int kIconGapMore = 2;     // than Qt leaves between icon and text
constexpr int kMenuArrow = 14;      // room of the chevron of a text button with a menu
constexpr int kScrollBar = 12, kLeastScrollHandle = 24;
constexpr int kSliderHandle = 10, kSliderThickness = 16;
constexpr int kIndicator = 14;

// `height` at scale 1 holds a line of 12 px text; larger system fonts get more.
int grown(int height, const QStyleOption* option) {
  const int text = option != nullptr ? option->fontMetrics.height() : 0;
  return qMax(height, text + 8);
}

bool hasTextMenu(const QStyleOptionToolButton& button) {
  return (button.features & QStyleOptionToolButton::HasMenu) &&
         !(button.features & QStyleOptionToolButton::MenuButtonPopup) && !button.text.isEmpty() &&
         button.toolButtonStyle != Qt::ToolButtonIconOnly;
}

// A tool button with a text that is on or off.
bool isSwitch(const QWidget* widget) {
  const auto* tool = qobject_cast<const QToolButton*>(widget);
  return tool != nullptr && tool->isCheckable() && !tool->text().isEmpty();
}

QRect scrollBarPart(const QStyleOptionSlider& bar, QStyle::SubControl part) {
  const bool flat = bar.orientation == Qt::Horizontal;
  const int length = flat ? bar.rect.width() : bar.rect.height();
  const int range = bar.maximum - bar.minimum;
  int handle = length;
  if (range > 0) {
    handle = static_cast<int>(static_cast<qint64>(length) * bar.pageStep /
                              (static_cast<qint64>(range) + bar.pageStep));
    handle = qBound(qMin(kLeastScrollHandle, length), handle, length);
  }
  const int at = QStyle::sliderPositionFromValue(bar.minimum, bar.maximum, bar.sliderPosition,
                                                 length - handle, bar.upsideDown);
  const auto along = [&](int from, int size) {
    return flat ? QRect(bar.rect.left() + from, bar.rect.top(), size, bar.rect.height())
                : QRect(bar.rect.left(), bar.rect.top() + from, bar.rect.width(), size);
  };
  switch (part) {
    case QStyle::SC_ScrollBarGroove: return along(0, length);
    case QStyle::SC_ScrollBarSlider: return along(at, handle);
    case QStyle::SC_ScrollBarSubPage: return along(0, at);
    case QStyle::SC_ScrollBarAddPage: return along(at + handle, length - at - handle);
    default: return {};  // there are no buttons
  }
}

}  // namespace

ThemeStyle::ThemeStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

void ThemeStyle::polish(QWidget* widget) {
  QProxyStyle::polish(widget);
  if (qobject_cast<QDockWidget*>(widget) != nullptr) widget->setAutoFillBackground(true);
  if (auto* tabs = qobject_cast<QTabBar*>(widget)) tabs->setDrawBase(true);
}

int ThemeStyle::pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const {
  switch (metric) {
    case PM_DockWidgetTitleMargin:
    case PM_DockWidgetTitleBarButtonMargin: {
      if (metric == PM_DockWidgetTitleBarButtonMargin) return 2;
      const int text = QFontMetrics(Theme::current().font(FontSize::Title)).height();
      return qMax(4, (kBarHeight - text) / 2);
    }
    case PM_DockWidgetFrameWidth: return 0;
    case PM_DockWidgetSeparatorExtent:
    case PM_SplitterWidth: return 4;
    case PM_DefaultFrameWidth:
      // A field's frame holds the focus ring.
      return 2;
    case PM_SmallIconSize:
    case PM_ButtonIconSize:
    case PM_ToolBarIconSize:
    case PM_TabBarIconSize:
    case PM_ListViewIconSize: return 16;
    case PM_IndicatorWidth:
    case PM_IndicatorHeight:
    case PM_ExclusiveIndicatorWidth:
    case PM_ExclusiveIndicatorHeight: return kIndicator;
    case PM_ToolBarItemMargin: return 6;
    case PM_ToolBarItemSpacing: return 8;
    case PM_ToolBarFrameWidth: return 0;
    case PM_ToolBarSeparatorExtent: return 9;
    case PM_MenuBarPanelWidth:
    case PM_MenuBarVMargin:
    case PM_MenuBarItemSpacing: return 0;
    case PM_MenuBarHMargin: return 4;
    case PM_MenuPanelWidth: return 1;
    case PM_MenuHMargin: return 0;
    case PM_MenuVMargin: return 3;
    case PM_ButtonShiftHorizontal:
    case PM_ButtonShiftVertical:
    case PM_TabBarTabShiftHorizontal:
    case PM_TabBarTabShiftVertical:
    case PM_TabBarTabOverlap: return 0;
    case PM_TabBarTabHSpace: return 24;
    case PM_TabBarBaseOverlap: return 0;
    case PM_ScrollBarExtent: return kScrollBar;
    case PM_ScrollBarSliderMin: return kLeastScrollHandle;
    case PM_ScrollView_ScrollBarSpacing: return 0;
    case PM_SliderLength: return kSliderHandle;
    case PM_SliderThickness:
    case PM_SliderControlThickness: return kSliderThickness;
    case PM_HeaderMargin: return 6;
    case PM_HeaderDefaultSectionSizeVertical: return grown(kTableRowHeight, option);
    case PM_FocusFrameHMargin: return 5;  // left and right of the text of an item
    case PM_LayoutHorizontalSpacing:
    case PM_LayoutVerticalSpacing: return 8;
    case PM_LayoutLeftMargin:
    case PM_LayoutTopMargin:
    case PM_LayoutRightMargin:
    case PM_LayoutBottomMargin: return 12;
    case PM_MenuButtonIndicator: return kMenuArrow;
    case PM_ToolTipLabelFrameWidth: return 6;
    default: return QProxyStyle::pixelMetric(metric, option, widget);
  }
}

int ThemeStyle::styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                          QStyleHintReturn* data) const {
  switch (hint) {
    case SH_EtchDisabledText:
    case SH_Widget_Animate:
    case SH_Widget_Animation_Duration:
    case SH_ScrollBar_Transient:
    case SH_TabBar_ElideMode: return 0;
    case SH_ToolTipLabel_Opacity: return 255;
    case SH_DialogButtonBox_ButtonsHaveIcons:  // Qt's own do not follow the theme
    case SH_ScrollBar_LeftClickAbsolutePosition:
    case SH_ComboBox_Popup: return 0;
    case SH_Table_GridLineColor:
      return static_cast<int>(Theme::current().colour(ColourRole::Separator).rgba());
    default: return QProxyStyle::styleHint(hint, option, widget, data);
  }
}

QSize ThemeStyle::sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& size,
                                   const QWidget* widget) const {
  QSize wanted = QProxyStyle::sizeFromContents(type, option, size, widget);
  switch (type) {
    case CT_PushButton: {
      const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option);
      const bool flat = button != nullptr && (button->features & QStyleOptionButton::Flat);
      wanted = QSize(size.width() + 2 * (flat ? kButtonPadding / 2 : kButtonPadding),
                     grown(kControlHeight, option));
      if (button != nullptr && !button->icon.isNull()) wanted.rwidth() += kIconGapMore;
      // A primary button's text is SemiBold.
      if (button != nullptr && (button->features & QStyleOptionButton::AutoDefaultButton))
        wanted.rwidth() += 4;
      break;
    }
    case CT_ToolButton: {
      const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option);
      if (button == nullptr) break;
      const bool iconOnly = button->text.isEmpty() || button->toolButtonStyle == Qt::ToolButtonIconOnly;
      const bool title = widget != nullptr && widget->inherits("QDockWidgetTitleButton");
      if (title) break;
      const int height = qMax(kControlHeight - 4, size.height() + 4);
      wanted = iconOnly ? QSize(qMax(height, size.width() + 8), height) : QSize(size.width() + 16, height);
      if (hasTextMenu(*button)) wanted.rwidth() += kMenuArrow;
      break;
    }
    case CT_ComboBox:
    case CT_SpinBox:
    case CT_LineEdit: wanted.setHeight(grown(kControlHeight, option)); break;
    case CT_MenuBarItem: wanted = QSize(size.width() + 20, grown(kBarHeight, option)); break;
    case CT_MenuItem: {
      const auto* item = qstyleoption_cast<const QStyleOptionMenuItem*>(option);
      if (item != nullptr && item->menuItemType != QStyleOptionMenuItem::Separator) {
        wanted.setHeight(qMax(wanted.height(), grown(24, option)));
        wanted.rwidth() += 16;
      }
      break;
    }
    case CT_TabBarTab: wanted.setHeight(grown(kBarHeight, option)); break;
    case CT_HeaderSection: wanted.setHeight(grown(kTableRowHeight, option)); break;
    case CT_ItemViewItem: wanted.setHeight(qMax(wanted.height(), kTableRowHeight)); break;
    default: break;
  }
  return wanted;
}

QRect ThemeStyle::subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl part,
                                 const QWidget* widget) const {
  if (control == CC_ScrollBar) {
    if (const auto* bar = qstyleoption_cast<const QStyleOptionSlider*>(option)) {
      return visualRect(bar->direction, bar->rect, scrollBarPart(*bar, part));
    }
  }
  QRect rect = QProxyStyle::subControlRect(control, option, part, widget);
  if (control == CC_ComboBox && part == SC_ComboBoxEditField) rect.adjust(4, 0, 4, 0);
  if (control == CC_Slider && part == SC_SliderHandle) {
    const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option);
    if (slider != nullptr && slider->orientation == Qt::Horizontal) {
      rect = QRect(rect.left(), option->rect.center().y() - 6, rect.width(), 14);
    }
  }
  return rect;
}

QIcon ThemeStyle::standardIcon(StandardPixmap icon, const QStyleOption* option, const QWidget* widget) const {
  switch (icon) {
    case SP_TitleBarNormalButton: return themeIcon(QStringLiteral("float"));
    case SP_TitleBarCloseButton:
    case SP_DockWidgetCloseButton:
    case SP_TabCloseButton:
    case SP_LineEditClearButton: return themeIcon(QStringLiteral("close"));
    case SP_MessageBoxWarning: return themeIcon(QStringLiteral("warning"));
    case SP_MessageBoxCritical: return themeIcon(QStringLiteral("error"));
    case SP_MessageBoxInformation:
    case SP_MessageBoxQuestion: return themeIcon(QStringLiteral("info"));
    default: return QProxyStyle::standardIcon(icon, option, widget);
  }
}

void ThemeStyle::drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                               const QWidget* widget) const {
  switch (element) {
    case PE_PanelButtonCommand: {
      const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option);
      if (button == nullptr) break;
      const bool primary = button->features & QStyleOptionButton::DefaultButton;
      drawButtonBox(*painter, *option, primary, !(button->features & QStyleOptionButton::Flat));
      return;
    }
    case PE_FrameDefaultButton: return;  // its colour says it
    case PE_PanelButtonTool: {
      drawButtonBox(*painter, *option, false, !(option->state & State_AutoRaise) || isSwitch(widget));
      return;
    }
    case PE_IndicatorCheckBox:
    case PE_IndicatorItemViewItemCheck: drawCheckBox(*painter, *option); return;
    case PE_IndicatorRadioButton: drawRadioButton(*painter, *option); return;
    default: break;
  }
  if (!drawFrame(element, option, painter, widget))
    QProxyStyle::drawPrimitive(element, option, painter, widget);
}

void ThemeStyle::drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                             const QWidget* widget) const {
  if (drawBar(element, option, painter, widget) || drawLabel(element, option, painter, widget) ||
      drawRecoloured(element, option, painter, widget)) {
    return;
  }
  QProxyStyle::drawControl(element, option, painter, widget);
}

void ThemeStyle::drawComplexControl(ComplexControl control, const QStyleOptionComplex* option,
                                    QPainter* painter, const QWidget* widget) const {
  const auto* slider = qstyleoption_cast<const QStyleOptionSlider*>(option);
  if (const auto* combo = qstyleoption_cast<const QStyleOptionComboBox*>(option);
      control == CC_ComboBox && combo) {
    drawComboBox(*painter, *combo, *proxy(), widget);
  } else if (const auto* spin = qstyleoption_cast<const QStyleOptionSpinBox*>(option);
             control == CC_SpinBox && spin) {
    drawSpinBox(*painter, *spin, *proxy(), widget);
  } else if (control == CC_ScrollBar && slider != nullptr) {
    drawScrollBar(*painter, *slider, *proxy(), widget);
  } else if (control == CC_Slider && slider != nullptr) {
    drawSlider(*painter, *slider, *proxy(), widget);
  } else if (control == CC_ToolButton) {
    drawToolButton(option, painter, widget);
  } else {
    QProxyStyle::drawComplexControl(control, option, painter, widget);
  }
}

void ThemeStyle::drawToolButton(const QStyleOptionComplex* option, QPainter* painter,
                                const QWidget* widget) const {
  const auto* given = qstyleoption_cast<const QStyleOptionToolButton*>(option);
  if (given == nullptr) return;
  QStyleOptionToolButton button = *given;
  const bool chevron = hasTextMenu(button);
  button.features &= ~QStyleOptionToolButton::HasMenu;
  if (!chevron) {
    // Qt leaves a flat button's box out while the pointer is elsewhere; a switch keeps its outline.
    if (isSwitch(widget)) proxy()->drawPrimitive(PE_PanelButtonTool, &button, painter, widget);
    QProxyStyle::drawComplexControl(CC_ToolButton, &button, painter, widget);
    return;
  }
  proxy()->drawPrimitive(PE_PanelButtonTool, &button, painter, widget);
  QStyleOptionToolButton label = button;
  label.rect.adjust(4, 0, -kMenuArrow - 2, 0);
  proxy()->drawControl(CE_ToolButtonLabel, &label, painter, widget);
  const QRect arrow(button.rect.right() - kMenuArrow - 4, button.rect.top(), kMenuArrow,
                    button.rect.height());
  const bool on = button.state & State_Enabled;
  drawChevron(*painter, arrow, Theme::current().colour(on ? ColourRole::Text2 : ColourRole::Text3));
}

}  // namespace moescope::views
