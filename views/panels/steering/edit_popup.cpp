#include "views/panels/steering/edit_popup.h"

#include <QAbstractSpinBox>
#include <QFormLayout>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPushButton>
#include <QScreen>
#include <QVBoxLayout>

#include <algorithm>

#include "views/api/panel_widgets.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 12;
constexpr int kFieldWidth = 180;

}  // namespace

EditPopup::EditPopup(const QString& title, QWidget* parent)
    : QFrame(parent, Qt::Popup),
      m_fields(new QFormLayout),
      m_problem(new TextLabel({}, TextLabel::Style::Warning)),
      m_apply(new QPushButton) {
  setAttribute(Qt::WA_DeleteOnClose);
  setFrameShape(QFrame::StyledPanel);
  setAccessibleName(title);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kPadding, kPadding, kPadding, kPadding);
  column->setSpacing(8);
  column->addWidget(new TextLabel(title, TextLabel::Style::Title));
  m_fields->setHorizontalSpacing(12);
  m_fields->setVerticalSpacing(6);
  column->addLayout(m_fields);
  m_problem->setWordWrap(true);
  m_problem->setObjectName(QStringLiteral("problem"));
  m_problem->hide();
  column->addWidget(m_problem);
  auto* buttons = new QHBoxLayout;
  buttons->addStretch(1);
  auto* cancel = new QPushButton(tr("Cancel"));
  m_apply->setObjectName(QStringLiteral("apply"));
  m_apply->setDefault(true);
  buttons->addWidget(cancel);
  buttons->addWidget(m_apply);
  column->addLayout(buttons);
  connect(cancel, &QPushButton::clicked, this, &QWidget::close);
  connect(m_apply, &QPushButton::clicked, this, &EditPopup::applyIfValid);
}

void EditPopup::addField(const QString& label, QWidget* field) {
  field->setAccessibleName(label);
  m_fields->addRow(new TextLabel(label, TextLabel::Style::Secondary), field);
  if (m_first == nullptr) m_first = field;
}

QLineEdit* EditPopup::addLine(const QString& label, const QString& text, const QString& placeholder) {
  auto* line = new QLineEdit(text);
  line->setPlaceholderText(placeholder);
  line->setMinimumWidth(kFieldWidth);
  connect(line, &QLineEdit::textChanged, this, &EditPopup::recheck);
  addField(label, line);
  return line;
}

void EditPopup::setCheck(std::function<QString()> check) {
  m_check = std::move(check);
  recheck();
}

void EditPopup::setApply(const QString& verb, std::function<void()> apply) {
  m_apply->setText(verb);
  m_applied = std::move(apply);
}

void EditPopup::recheck() {
  const QString problem = m_check ? m_check() : QString();
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
  m_apply->setEnabled(problem.isEmpty());
  adjustSize();
}

void EditPopup::applyIfValid() {
  if (m_check && !m_check().isEmpty()) return;
  // Closing first: applying rebuilds rows, and the button under this popup may go.
  const auto applied = m_applied;
  close();
  if (applied) applied();
}

void EditPopup::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
    applyIfValid();
  } else if (event->key() == Qt::Key_Escape) {
    close();
  } else {
    QFrame::keyPressEvent(event);
  }
}

void EditPopup::showUnder(QWidget* anchor) {
  adjustSize();
  QPoint at = anchor->mapToGlobal(QPoint(0, anchor->height() + 2));
  if (const QScreen* screen = anchor->screen()) {
    const QRect room = screen->availableGeometry();
    at.setX(std::clamp(at.x(), room.left(), std::max(room.left(), room.right() - width())));
    if (at.y() + height() > room.bottom()) at.setY(anchor->mapToGlobal(QPoint(0, 0)).y() - height() - 2);
  }
  move(at);
  show();
  if (m_first == nullptr) return;
  m_first->setFocus(Qt::PopupFocusReason);
  if (auto* line = qobject_cast<QLineEdit*>(m_first)) line->selectAll();
  if (auto* field = qobject_cast<QAbstractSpinBox*>(m_first)) field->selectAll();
}

}  // namespace moescope::views
