// ThemeStyle: Fusion with this window's sizes, flat panels, accent focus ring and icons. Colours come from
// the palette's source (theme.h); not for data colours.
#pragma once

#include <QProxyStyle>

class QStyleOptionButton;

namespace moescope::views {

inline constexpr int kControlHeight = 26;  ///< px at scale 1, grows with the font
inline constexpr int kTableRowHeight = 22;
inline constexpr int kBarHeight = 28;  ///< dock titles, tab bars, menu bar

class ThemeStyle : public QProxyStyle {
  Q_OBJECT

 public:
  ThemeStyle();

  using QProxyStyle::polish;
  void polish(QWidget* widget) override;
  int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override;
  int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
                QStyleHintReturn* data) const override;
  QSize sizeFromContents(ContentsType type, const QStyleOption* option, const QSize& size,
                         const QWidget* widget) const override;
  QRect subControlRect(ComplexControl control, const QStyleOptionComplex* option, SubControl part,
                       const QWidget* widget) const override;
  QIcon standardIcon(StandardPixmap icon, const QStyleOption* option, const QWidget* widget) const override;

  void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                     const QWidget* widget) const override;
  void drawControl(ControlElement element, const QStyleOption* option, QPainter* painter,
                   const QWidget* widget) const override;
  void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                          const QWidget* widget) const override;

 private:
  // Each returns false if it leaves the element to Fusion.
  bool drawFrame(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                 const QWidget* widget) const;
  bool drawBar(ControlElement element, const QStyleOption* option, QPainter* painter,
               const QWidget* widget) const;
  bool drawRecoloured(ControlElement element, const QStyleOption* option, QPainter* painter,
                      const QWidget* widget) const;
  void drawToolButton(const QStyleOptionComplex* option, QPainter* painter, const QWidget* widget) const;
};

}  // namespace moescope::views
