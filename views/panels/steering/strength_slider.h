// StrengthSlider: a slider that is filled between the value that changes nothing and the rule's own.
// Not for exact values, which the field beside it takes.
#pragma once

#include <QSlider>

#include "views/panels/steering/rule_strength.h"

namespace moescope::views {

class StrengthSlider : public QSlider {
  Q_OBJECT

 public:
  explicit StrengthSlider(QWidget* parent = nullptr);

  /// Range, neutral place and value (clipped to the range); emits nothing.
  void setStrength(const RuleStrength& strength);
  /// The strength at the handle.
  [[nodiscard]] double strength() const;

  [[nodiscard]] QSize sizeHint() const override;

 protected:
  void paintEvent(QPaintEvent* event) override;
  void mousePressEvent(QMouseEvent* event) override;
  void mouseMoveEvent(QMouseEvent* event) override;
  void mouseReleaseEvent(QMouseEvent* event) override;
  void wheelEvent(QWheelEvent* event) override;

 private:
  /// Centre of the handle for a slider value.
  [[nodiscard]] double placeOf(double sliderValue) const;
  [[nodiscard]] int valueAt(double x) const;

  double m_step = 1.0;
  double m_neutral = 0.0;  ///< in slider values
};

}  // namespace moescope::views
