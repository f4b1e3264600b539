#include "app/window/dock_title.h"

#include <QDockWidget>
#include <QHBoxLayout>
#include <QToolButton>

#include "views/api/panel_widgets.h"
#include "views/api/theme.h"

namespace moescope::app {

namespace {

constexpr int kHeight = 28;

QToolButton* makeButton(const QString& icon, const QString& tip) {
  auto* button = new QToolButton;
  button->setIcon(views::themeIcon(icon));
  button->setAutoRaise(true);
  button->setFixedSize(22, 22);
  button->setToolTip(tip);
  button->setAccessibleName(tip);
  button->setFocusPolicy(Qt::NoFocus);
  return button;
}

}  // namespace

DockTitle::DockTitle(QDockWidget* dock)
    : QWidget(dock), m_summary(new views::TextLabel({}, views::TextLabel::Style::Secondary)) {
  setFixedHeight(kHeight);
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(10, 0, 4, 0);
  row->setSpacing(4);
  auto* name = new views::TextLabel(dock->windowTitle(), views::TextLabel::Style::Title);
  auto* floating = makeButton(QStringLiteral("float"), tr("Float or dock %1").arg(dock->windowTitle()));
  auto* close =
      makeButton(QStringLiteral("close"), tr("Close %1; View brings it back").arg(dock->windowTitle()));
  row->addWidget(name);
  row->addStretch(1);
  row->addWidget(m_summary);
  row->addSpacing(4);
  row->addWidget(floating);
  row->addWidget(close);
  connect(floating, &QToolButton::clicked, dock, [dock] { dock->setFloating(!dock->isFloating()); });
  connect(close, &QToolButton::clicked, dock, &QDockWidget::close);
}

void DockTitle::setSummary(const QString& summary) { m_summary->setText(summary); }

}  // namespace moescope::app
