// StrengthPopup: a slider and a spin box for the strength of a rule, opened at a cell of a picture.
// Not for the rule list of the Steering panel, which has its own sliders.
#pragma once

#include <QFrame>

class QDoubleSpinBox;
class QSlider;

namespace moescope::views {

/// GUI thread only. Deletes itself when it closes; closing keeps the value, Esc takes it back.
class StrengthPopup : public QFrame {
  Q_OBJECT

 public:
  StrengthPopup(const QString& name, QWidget* parent);

  /// Shows `value` and announces it at once.
  void openAt(QPoint globalAt, double value);

 Q_SIGNALS:
  void strengthChanged(double value);
  void accepted();
  void takenBack();

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void closeEvent(QCloseEvent* event) override;

 private:
  QSlider* m_slider;
  QDoubleSpinBox* m_spinBox;
  bool m_takenBack = false;
};

}  // namespace moescope::views
