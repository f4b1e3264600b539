#include "views/api/progress_row.h"

#include <QHBoxLayout>
#include <QProgressBar>
#include <QPushButton>

#include <algorithm>

#include "views/api/panel_widgets.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 8, kHeight = 24, kButtonHeight = 22, kBarWidth = 96;
constexpr qlonglong kMostSteps = 10000;  // a bar counts in int

}  // namespace

ProgressRow::ProgressRow(QWidget* parent)
    : QWidget(parent), m_activity(new TextLabel({}, TextLabel::Style::Secondary)), m_bar(new QProgressBar) {
  setFixedHeight(kHeight);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(kPadding, 0, kPadding, 0);
  m_bar->setFixedWidth(kBarWidth);
  m_bar->setTextVisible(false);
  m_bar->setAccessibleName(tr("Progress"));
  auto* cancel = new QPushButton(tr("Cancel"));
  cancel->setObjectName(QStringLiteral("cancel"));
  cancel->setFixedHeight(kButtonHeight);
  row->addWidget(m_activity, 1);
  row->addWidget(m_bar);
  row->addWidget(cancel);
  hide();
  connect(cancel, &QPushButton::clicked, this, &ProgressRow::cancelled);
}

void ProgressRow::report(const QString& activity, qlonglong done, qlonglong total) {
  m_activity->setText(total > 0 ? tr("%1, %2 of %3").arg(activity).arg(done).arg(total) : activity);
  m_bar->setRange(0, total > 0 ? static_cast<int>(kMostSteps) : 0);
  if (total > 0) m_bar->setValue(static_cast<int>(kMostSteps * std::min(done, total) / total));
  show();
}

}  // namespace moescope::views
