#include "views/panels/export/segments.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QToolButton>

namespace moescope::views {

namespace {

constexpr int kHeight = 24;

}  // namespace

Segments::Segments(const QString& name, const QStringList& choices, QWidget* parent)
    : QWidget(parent), m_group(new QButtonGroup(this)) {
  setAccessibleName(name);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  for (const QString& text : choices) {
    auto* button = new QToolButton;
    button->setText(text);
    button->setCheckable(true);
    button->setMinimumHeight(kHeight);
    button->setFocusPolicy(Qt::StrongFocus);
    button->setAccessibleName(QStringLiteral("%1: %2").arg(name, text));
    m_group->addButton(button, static_cast<int>(m_group->buttons().size()));
    row->addWidget(button);
  }
  row->addStretch(1);
  setChoice(0);
  connect(m_group, &QButtonGroup::idClicked, this, &Segments::chosen);
}

int Segments::choice() const { return m_group->checkedId(); }

void Segments::setChoice(int index) {
  if (auto* button = m_group->button(index)) button->setChecked(true);
}

}  // namespace moescope::views
