// SquareMap: holds the figure of a map so that its cells are square. Not for what the figure shows.
#pragma once

#include <QWidget>

namespace moescope::views {
class FigureView;
}

namespace moescope::co_activation {

/// GUI thread only. The figure is as large as fits, in the middle.
class SquareMap : public QWidget {
  Q_OBJECT

 public:
  explicit SquareMap(views::FigureView* figure, QWidget* parent = nullptr);

  /// Call it when the figure was set: its cells may be others.
  void arrange();

 protected:
  void resizeEvent(QResizeEvent* event) override;
  void paintEvent(QPaintEvent* event) override;

 private:
  views::FigureView* m_figure;
};

}  // namespace moescope::co_activation
