// ScopeButton: a small outlined button with a chevron that shows one part of a rule's scope. Not for
// commands.
#pragma once

#include <QAbstractButton>

namespace moescope::views {

class ScopeButton : public QAbstractButton {
  Q_OBJECT

 public:
  explicit ScopeButton(QWidget* parent = nullptr);

  [[nodiscard]] QSize sizeHint() const override;
  [[nodiscard]] QSize minimumSizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void enterEvent(QEnterEvent* event) override;
  void leaveEvent(QEvent* event) override;
};

}  // namespace moescope::views
