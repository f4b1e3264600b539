#include "views/panels/steering/run_rules_view.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

#include "views/api/panel_widgets.h"
#include "views/panels/steering/rule_texts.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 12;
constexpr int kIcon = 16;
enum Column { kIconColumn, kTextColumn };

}  // namespace

RunRulesView::RunRulesView(QWidget* parent) : QWidget(parent) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  auto* line = new QFrame;
  line->setFrameShape(QFrame::HLine);
  column->addWidget(line);
  auto* head = new QHBoxLayout;
  head->setContentsMargins(kPadding, 6, 8, 6);
  m_title = new TextLabel({}, TextLabel::Style::Title);
  m_title->setObjectName(QStringLiteral("run_rules_title"));
  m_title->setWordWrap(true);
  m_title->setTextFormat(Qt::PlainText);
  auto* use = new QPushButton(tr("Use"));
  use->setObjectName(QStringLiteral("use_run_rules"));
  use->setAccessibleName(tr("Use the rules of this run"));
  use->setToolTip(tr("Put these rules in place of those being edited; Ctrl+Z takes it back"));
  connect(use, &QPushButton::clicked, this, &RunRulesView::useRequested);
  head->addWidget(m_title, 1);
  head->addWidget(use, 0, Qt::AlignTop);
  column->addLayout(head);
  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_rows = new QWidget;
  scroll->setWidget(m_rows);
  column->addWidget(scroll, 1);
}

void RunRulesView::showRules(const RunRules& rules) {
  m_title->setText(tr("Rules of the run “%1”").arg(rules.name));
  qDeleteAll(m_rows->findChildren<QWidget*>(QString(), Qt::FindDirectChildrenOnly));
  delete m_rows->layout();
  m_grid = new QGridLayout(m_rows);
  m_grid->setContentsMargins(kPadding, 0, kPadding, 8);
  m_grid->setHorizontalSpacing(6);
  m_grid->setVerticalSpacing(2);
  m_grid->setColumnStretch(kTextColumn, 1);
  for (const steering::Rule& rule : rules.program.rules) addRule(rule, rules);
  m_grid->setRowStretch(m_grid->rowCount(), 1);
}

void RunRulesView::addRule(const steering::Rule& rule, const RunRules& rules) {
  const int row = m_grid->rowCount();
  m_grid->addWidget(new IconLabel(verbIcon(rule), kIcon, IconLabel::Tone::Plain), row, kIconColumn);
  auto* title = new TextLabel(QString::fromStdString(steering::ruleTitle(rule)), TextLabel::Style::Body);
  title->setTextFormat(Qt::PlainText);
  title->setWordWrap(true);
  m_grid->addWidget(title, row, kTextColumn);
  QString text = tr("switched off");
  if (rule.enabled) {
    const RuleEffect* effect = rules.effectOf(rule);
    text = effect == nullptr ? QString() : effectText(rule, *effect, rules.routers);
  }
  if (text.isEmpty()) return;
  auto* effect = new TextLabel(text, TextLabel::Style::Secondary);
  effect->setObjectName(QStringLiteral("run_effect_%1").arg(rule.id));
  effect->setWordWrap(true);
  m_grid->addWidget(effect, row + 1, kTextColumn);
}

}  // namespace moescope::views
