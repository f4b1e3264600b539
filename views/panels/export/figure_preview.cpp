#include "views/panels/export/figure_preview.h"

#include <QHash>
#include <QLabel>
#include <QResizeEvent>

#include <algorithm>

#include "views/figure/figure_writer.h"

namespace moescope::views {

namespace {

constexpr int kMargin = 24;
/// Larger figures are scaled: a preview is not meant to show each pixel.
constexpr double kLeastScale = 0.05, kMostScale = 4.0;

}  // namespace

QImage seenWith(figure::ColourVision vision, QImage image) {
  if (vision == figure::ColourVision::Normal || image.isNull()) return image;
  image = image.convertToFormat(QImage::Format_RGB32);
  QHash<QRgb, QRgb> seen;
  for (int y = 0; y < image.height(); ++y) {
    auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
    for (int x = 0; x < image.width(); ++x) {
      const auto known = seen.constFind(line[x]);
      if (known != seen.constEnd()) {
        line[x] = *known;
        continue;
      }
      const figure::Rgb colour = figure::simulate(
          vision, {static_cast<std::uint8_t>(qRed(line[x])), static_cast<std::uint8_t>(qGreen(line[x])),
                   static_cast<std::uint8_t>(qBlue(line[x]))});
      const QRgb result = qRgb(colour[0], colour[1], colour[2]);
      seen.insert(line[x], result);
      line[x] = result;
    }
  }
  return image;
}

FigurePreview::FigurePreview(QWidget* parent) : QScrollArea(parent), m_picture(new QLabel) {
  setFrameShape(QFrame::NoFrame);
  setAlignment(Qt::AlignCenter);
  setBackgroundRole(QPalette::Window);
  m_picture->setAlignment(Qt::AlignCenter);
  m_picture->setAccessibleName(tr("Preview of the figure"));
  setWidget(m_picture);
}

void FigurePreview::setFigure(const figure::FigureSpec& spec) {
  m_spec = spec;
  m_hasFigure = true;
  render();
}

void FigurePreview::clear() {
  m_hasFigure = false;
  m_image = {};
  m_picture->setPixmap({});
}

void FigurePreview::setVision(figure::ColourVision vision) {
  m_vision = vision;
  render();
}

void FigurePreview::setActualSize(bool actual) {
  m_actualSize = actual;
  render();
}

void FigurePreview::resizeEvent(QResizeEvent* event) {
  QScrollArea::resizeEvent(event);
  if (!m_actualSize) render();
}

void FigurePreview::render() {
  if (!m_hasFigure) return;
  const double screenDpi = logicalDpiX();
  double scale = 1.0;
  if (!m_actualSize) {
    const QSize room = size() - QSize(2 * kMargin, 2 * kMargin);
    scale = std::min(room.width() / (m_spec.widthInches * screenDpi),
                     room.height() / (m_spec.heightInches * screenDpi));
    scale = std::clamp(scale, kLeastScale, kMostScale);
  }
  const double ratio = devicePixelRatioF();
  m_image = seenWith(m_vision, figureImage(m_spec, scale * screenDpi * ratio));
  QPixmap pixmap = QPixmap::fromImage(m_image);
  pixmap.setDevicePixelRatio(ratio);
  m_picture->setPixmap(pixmap);
  m_picture->resize(pixmap.deviceIndependentSize().toSize());
  m_scale = scale;
  Q_EMIT scaleChanged();
}

}  // namespace moescope::views
