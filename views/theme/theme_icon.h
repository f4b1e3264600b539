// ThemeIconEngine: an SVG of resources/icons in one colour of the theme, at any size and ratio. Not for
// pictures with colours of their own.
#pragma once

#include <QIconEngine>

#include "views/api/theme.h"

namespace moescope::views {

/// Where themeIcon() looks; set once by installTheme().
void setIconFolder(const QString& folder);

/// Draws with the colours of the current theme each time, so that icons follow it.
class ThemeIconEngine : public QIconEngine {
 public:
  explicit ThemeIconEngine(QString name) : m_name(std::move(name)) {}

  void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) override;
  QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override;
  QPixmap scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State state, qreal scale) override;
  [[nodiscard]] QIconEngine* clone() const override { return new ThemeIconEngine(m_name); }
  QString iconName() override { return m_name; }

 private:
  QString m_name;
};

}  // namespace moescope::views
