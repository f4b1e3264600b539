#include "views/theme/theme_icon.h"

#include <QFile>
#include <QHash>
#include <QPainter>
#include <QPixmapCache>
#include <QSvgRenderer>

namespace moescope::views {

namespace {

QString& iconFolder() {
  static QString folder;
  return folder;
}

const QByteArray& svgOf(const QString& name) {
  static QHash<QString, QByteArray> files;
  auto found = files.find(name);
  if (found == files.end()) {
    QFile file(QStringLiteral("%1/%2.svg").arg(iconFolder(), name));
    // Plug-ins name icons too: a missing one must not end the program.
    if (!file.open(QIODevice::ReadOnly)) qWarning("there is no icon %s", qPrintable(file.fileName()));
    found = files.insert(name, file.readAll());
  }
  return *found;
}

// Status icons have the colour of their word; title buttons are quieter than text.
ColourRole restingRole(const QString& name) {
  if (name == QLatin1String("warning")) return ColourRole::Warning;
  if (name == QLatin1String("error")) return ColourRole::Error;
  if (name == QLatin1String("ok")) return ColourRole::Ok;
  for (const char* quiet : {"close", "float", "more", "menu", "search", "info", "device"}) {
    if (name == QLatin1String(quiet)) return ColourRole::Text2;
  }
  return ColourRole::Text;
}

QColor colourOf(const QString& name, QIcon::Mode mode, QIcon::State state) {
  const Theme& theme = Theme::current();
  if (mode == QIcon::Disabled) return theme.colour(ColourRole::Text3);
  if (mode == QIcon::Selected) return theme.colour(ColourRole::OnAccent);
  if (state == QIcon::On) return theme.colour(ColourRole::Accent);
  return theme.colour(restingRole(name));
}

QPixmap rendered(const QString& name, const QSize& pixels, const QColor& colour) {
  const QString key = QStringLiteral("moescope-icon %1 %2x%3 %4")
                          .arg(name)
                          .arg(pixels.width())
                          .arg(pixels.height())
                          .arg(colour.name());
  QPixmap pixmap;
  if (QPixmapCache::find(key, &pixmap)) return pixmap;
  pixmap = QPixmap(pixels);
  pixmap.fill(Qt::transparent);
  QSvgRenderer svg(QByteArray(svgOf(name)).replace("currentColor", colour.name().toLatin1()));
  QPainter painter(&pixmap);
  // Square, in the middle.
  const int side = qMin(pixels.width(), pixels.height());
  svg.render(&painter, QRect((pixels.width() - side) / 2, (pixels.height() - side) / 2, side, side));
  painter.end();
  QPixmapCache::insert(key, pixmap);
  return pixmap;
}

}  // namespace

void setIconFolder(const QString& folder) { iconFolder() = folder; }

void ThemeIconEngine::paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State state) {
  const qreal ratio = painter->device() ? painter->device()->devicePixelRatio() : 1.0;
  painter->drawPixmap(rect, scaledPixmap(rect.size() * ratio, mode, state, ratio));
}

QPixmap ThemeIconEngine::pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) {
  return scaledPixmap(size, mode, state, 1.0);
}

QPixmap ThemeIconEngine::scaledPixmap(const QSize& size, QIcon::Mode mode, QIcon::State state, qreal scale) {
  // `size` is in device pixels already; the caller of the engine sets the ratio.
  QPixmap pixmap = rendered(m_name, size, colourOf(m_name, mode, state));
  pixmap.setDevicePixelRatio(scale);
  return pixmap;
}

QIcon themeIcon(const QString& name) {
  svgOf(name);  // an unknown name is found out at once
  return QIcon(new ThemeIconEngine(name));
}

}  // namespace moescope::views
