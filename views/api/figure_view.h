// FigureView: a FigureSpec on the screen, in the window's theme, with tool tips, keyboard and activation.
// What plug-ins show their results with; not for live canvases (CanvasPainter).
#pragma once

#include <QString>
#include <QWidget>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/figure/figure_spec.h"

namespace moescope::views {

/// What can be pointed at in a figure. `panel` counts panelsOf(spec).
struct FigureHit {
  enum class Kind { Point, Cell, Bar };
  Kind kind = Kind::Point;
  int panel = 0;
  int row = 0;     ///< row of a map, line of a point, 0 for bars
  int column = 0;  ///< column of a map, point of a line, bar
  bool operator==(const FigureHit&) const = default;
};

/// A tool tip: a heading, rows of name and value, a line in grey.
struct FigureTip {
  QString heading;
  std::vector<std::pair<QString, QString>> rows;
  QString footer;
};

/// GUI thread only. The figure fills the widget, whatever its size in inches; its theme is the window's.
/// Arrow keys move a cursor, Page Up and Page Down go to another panel, Enter or a double click activates.
class FigureView : public QWidget {
  Q_OBJECT

 public:
  explicit FigureView(QWidget* parent = nullptr);
  ~FigureView() override;

  /// Shows a figure; the cursor stays where there still is something under it.
  void setFigure(figure::FigureSpec spec);
  /// What was set; null while there is none.
  [[nodiscard]] const figure::FigureSpec* figure() const;
  /// No figure: what is missing and what to do about it.
  void setEmpty(const QString& heading, const QString& text);
  /// Shows the figure, or what is wrong and what to do about it.
  void setResult(Result<figure::FigureSpec> figure);

  /// Replaces the tool tips; by default they name the item and its values as the figure has them.
  void setTips(std::function<FigureTip(const FigureHit&)> tips);

  /// Where the cursor is: the last item clicked or reached by keys.
  [[nodiscard]] std::optional<FigureHit> current() const;
  void setCurrent(std::optional<FigureHit> hit);
  /// What lies at a position of the widget.
  [[nodiscard]] std::optional<FigureHit> hitAt(QPoint position) const;
  /// Where an item is drawn, on the widget; empty if it is not.
  [[nodiscard]] QRect boxOf(const FigureHit& hit) const;
  /// How often the picture was drawn: hovering and moving the cursor do not draw it again.
  [[nodiscard]] int pictureCount() const;

  [[nodiscard]] QSize sizeHint() const override;
  [[nodiscard]] QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void currentChanged();
  void activated(const moescope::views::FigureHit& hit);

 protected:
  bool event(QEvent* event) override;
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void changeEvent(QEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseDoubleClickEvent(QMouseEvent* event) override;
  void leaveEvent(QEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void focusInEvent(QFocusEvent* event) override;
  void focusOutEvent(QFocusEvent* event) override;

 private:
  class Picture;
  void drawEmpty(QPainter& painter) const;
  void setHovered(std::optional<FigureHit> hit);
  void showTip(const FigureHit& hit);
  void hideTip();
  [[nodiscard]] FigureTip tipOf(const FigureHit& hit) const;

  std::unique_ptr<Picture> m_picture;
};

}  // namespace moescope::views
