#include "views/panels/common/strength_popup.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QScreen>
#include <QSignalBlocker>
#include <QSlider>

#include <algorithm>
#include <cmath>

#include "views/api/panel_widgets.h"

namespace moescope::views {

namespace {

constexpr double kStepsPerLogit = 20.0;  // 0.05 a step
constexpr double kSliderEnd = 5.0;       // logit; the spin box goes further
constexpr double kSpinEnd = 100.0;
constexpr int kSliderWidth = 160;

}  // namespace

StrengthPopup::StrengthPopup(const QString& name, QWidget* parent)
    : QFrame(parent, Qt::Popup), m_slider(new QSlider(Qt::Horizontal)), m_spinBox(new QDoubleSpinBox) {
  setAttribute(Qt::WA_DeleteOnClose);
  setFrameShape(QFrame::StyledPanel);
  setAccessibleName(tr("Strength of %1").arg(name));
  m_slider->setRange(-static_cast<int>(kSliderEnd * kStepsPerLogit),
                     static_cast<int>(kSliderEnd * kStepsPerLogit));
  m_slider->setMinimumWidth(kSliderWidth);
  m_slider->setAccessibleName(tr("Logit added to %1").arg(name));
  m_spinBox->setRange(-kSpinEnd, kSpinEnd);
  m_spinBox->setDecimals(2);
  m_spinBox->setSingleStep(0.25);
  m_spinBox->setAccessibleName(m_slider->accessibleName());
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(8, 8, 8, 8);
  row->setSpacing(8);
  row->addWidget(new TextLabel(name, TextLabel::Style::Title));
  row->addWidget(m_slider, 1);
  row->addWidget(m_spinBox);
  row->addWidget(new TextLabel(tr("logit"), TextLabel::Style::Secondary));
  connect(m_slider, &QSlider::valueChanged, this,
          [this](int step) { m_spinBox->setValue(step / kStepsPerLogit); });
  connect(m_spinBox, &QDoubleSpinBox::valueChanged, this, [this](double value) {
    const QSignalBlocker quiet(m_slider);
    m_slider->setValue(static_cast<int>(std::lround(value * kStepsPerLogit)));
    Q_EMIT strengthChanged(value);
  });
  setFocusProxy(m_spinBox);
}

void StrengthPopup::openAt(QPoint globalAt, double value) {
  {
    const QSignalBlocker quietSpin(m_spinBox), quietSlider(m_slider);
    m_spinBox->setValue(value);
    m_slider->setValue(static_cast<int>(std::lround(value * kStepsPerLogit)));
  }
  Q_EMIT strengthChanged(value);
  adjustSize();
  const QRect room = screen()->availableGeometry();
  move(std::clamp(globalAt.x(), room.left(), std::max(room.left(), room.right() - width())),
       std::clamp(globalAt.y() + 8, room.top(), std::max(room.top(), room.bottom() - height())));
  show();
  m_spinBox->setFocus();
  m_spinBox->selectAll();
}

void StrengthPopup::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape) {
    m_takenBack = true;
    close();
  } else if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    close();
  } else {
    QFrame::keyPressEvent(event);
  }
}

void StrengthPopup::closeEvent(QCloseEvent* event) {
  QFrame::closeEvent(event);
  if (m_takenBack) {
    Q_EMIT takenBack();
  } else {
    Q_EMIT accepted();
  }
}

}  // namespace moescope::views
