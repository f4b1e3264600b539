// ColumnOutline: a frame around one column of a figure's map, drawn over the figure.
// Not for the cursor, which the figure draws itself.
#pragma once

#include <QWidget>

#include <optional>

namespace moescope::views {
class FigureView;
}

namespace moescope::specialization {

/// GUI thread only. Lies on the figure and lets the mouse through.
class ColumnOutline : public QWidget {
  Q_OBJECT

 public:
  explicit ColumnOutline(views::FigureView* figure);

  void setColumn(std::optional<int> column);
  /// The frame, on the figure; empty if there is none.
  [[nodiscard]] QRect box() const;

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  views::FigureView* m_figure;
  std::optional<int> m_column;
};

}  // namespace moescope::specialization
