// SignedSpinBox: the field of a rule's strength, "+1.50" and "−0.25" where the sign matters. Not for counts
// without a unit.
#pragma once

#include <QDoubleSpinBox>

#include "views/panels/steering/rule_strength.h"

namespace moescope::views {

class SignedSpinBox : public QDoubleSpinBox {
  Q_OBJECT

 public:
  explicit SignedSpinBox(QWidget* parent = nullptr);

  /// Range, step, decimals, sign, name and value; emits nothing.
  void setStrength(const RuleStrength& strength);

 protected:
  QString textFromValue(double value) const override;
  double valueFromText(const QString& text) const override;
  QValidator::State validate(QString& text, int& position) const override;
  void wheelEvent(QWheelEvent* event) override;

 private:
  bool m_signed = false;
};

}  // namespace moescope::views
