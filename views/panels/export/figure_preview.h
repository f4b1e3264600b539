// FigurePreview: a figure at its true proportions on the ground of the window, as a person with a given
// colour vision sees it. Not for editing it.
#pragma once

#include <QImage>
#include <QScrollArea>

#include "core/figure/colour_vision.h"
#include "core/figure/figure_spec.h"

class QLabel;

namespace moescope::views {

/// GUI thread only.
class FigurePreview : public QScrollArea {
  Q_OBJECT

 public:
  explicit FigurePreview(QWidget* parent = nullptr);

  void setFigure(const figure::FigureSpec& spec);
  void clear();
  void setVision(figure::ColourVision vision);
  /// Actual size: an inch of the figure is an inch of the screen. Else as large as fits.
  void setActualSize(bool actual);

  /// Part of the true size that is shown, 1 = actual size.
  [[nodiscard]] double scale() const { return m_scale; }
  [[nodiscard]] QImage image() const { return m_image; }

 Q_SIGNALS:
  void scaleChanged();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void render();

  figure::FigureSpec m_spec;
  bool m_hasFigure = false;
  bool m_actualSize = false;
  figure::ColourVision m_vision = figure::ColourVision::Normal;
  double m_scale = 1.0;
  QImage m_image;
  QLabel* m_picture;
};

/// What a person with this colour vision sees in place of the image.
QImage seenWith(figure::ColourVision vision, QImage image);

}  // namespace moescope::views
