#include "views/panels/steering/signed_spin_box.h"

#include <QSignalBlocker>
#include <QWheelEvent>

namespace moescope::views {

namespace {

constexpr QChar kMinus(0x2212);
constexpr int kFieldWidth = 64;

/// What QDoubleSpinBox reads: ASCII minus and no plus.
QString plain(QString text) {
  text.replace(kMinus, QLatin1Char('-'));
  if (text.startsWith(QLatin1Char('+'))) text.remove(0, 1);
  return text;
}

}  // namespace

SignedSpinBox::SignedSpinBox(QWidget* parent) : QDoubleSpinBox(parent) {
  setAlignment(Qt::AlignRight);
  setMinimumWidth(kFieldWidth);
  setFocusPolicy(Qt::StrongFocus);
  setCorrectionMode(CorrectToNearestValue);
  // A half-typed "-1" must not reach the engine as a step of its own.
  setKeyboardTracking(false);
}

void SignedSpinBox::setStrength(const RuleStrength& strength) {
  const QSignalBlocker blocker(this);
  m_signed = strength.isSigned;
  // Each of these writes the text anew, which would take a half-typed number away.
  if (decimals() != strength.decimals) setDecimals(strength.decimals);
  if (minimum() != strength.least || maximum() != strength.most) setRange(strength.least, strength.most);
  if (singleStep() != strength.keyStep) setSingleStep(strength.keyStep);
  setAccessibleName(strength.name);
  setToolTip(strength.name);
  if (value() != strength.value) setValue(strength.value);
}

QString SignedSpinBox::textFromValue(double value) const {
  QString text = QString::number(value, 'f', decimals());
  if (text.toDouble() == 0.0) text.remove(QLatin1Char('-'));
  if (text.startsWith(QLatin1Char('-'))) {
    text[0] = kMinus;
  } else if (m_signed) {
    text.prepend(QLatin1Char('+'));
  }
  return text;
}

double SignedSpinBox::valueFromText(const QString& text) const { return plain(text).toDouble(); }

QValidator::State SignedSpinBox::validate(QString& text, int& /*position*/) const {
  const QString number = plain(text.trimmed());
  if (number.isEmpty() || number == QLatin1String("-") || number == QLatin1String(".")) {
    return QValidator::Intermediate;
  }
  bool isNumber = false;
  const double value = number.toDouble(&isNumber);
  if (!isNumber) return QValidator::Invalid;
  return value >= minimum() && value <= maximum() ? QValidator::Acceptable : QValidator::Intermediate;
}

void SignedSpinBox::wheelEvent(QWheelEvent* event) {
  // Scrolling the list must not change a rule that happens to pass under the pointer.
  if (hasFocus()) {
    QDoubleSpinBox::wheelEvent(event);
  } else {
    event->ignore();
  }
}

}  // namespace moescope::views
