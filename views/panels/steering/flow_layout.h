// FlowLayout: widgets in lines from left to right, as many a line as fit. Not for grids.
#pragma once

#include <QLayout>
#include <QList>

namespace moescope::views {

class FlowLayout : public QLayout {
  Q_OBJECT

 public:
  explicit FlowLayout(int gap);
  ~FlowLayout() override;

  void addItem(QLayoutItem* item) override;
  [[nodiscard]] int count() const override;
  [[nodiscard]] QLayoutItem* itemAt(int index) const override;
  QLayoutItem* takeAt(int index) override;
  [[nodiscard]] Qt::Orientations expandingDirections() const override { return {}; }
  [[nodiscard]] bool hasHeightForWidth() const override { return true; }
  [[nodiscard]] int heightForWidth(int width) const override;
  [[nodiscard]] QSize sizeHint() const override { return minimumSize(); }
  [[nodiscard]] QSize minimumSize() const override;
  void setGeometry(const QRect& rect) override;

 private:
  /// Height that the items take in `rect`; moves them there if `place`.
  int layOut(const QRect& rect, bool place) const;

  QList<QLayoutItem*> m_items;
  int m_gap;
};

}  // namespace moescope::views
