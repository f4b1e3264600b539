#include "views/panels/steering/steering_panel.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <set>

#include "core/base/router_label.h"
#include "core/engine/generation/live_session.h"
#include "views/api/panel_widgets.h"
#include "views/api/selection_model.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"
#include "views/panels/steering/rule_row.h"
#include "views/panels/steering/rule_strength.h"
#include "views/panels/steering/rule_texts.h"
#include "views/panels/steering/run_rules_view.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 8;
constexpr int kToolBarHeight = 36;
enum Page { kEmptyPage, kListPage };

QString titleOf(const steering::Rule& rule) { return QString::fromStdString(steering::ruleTitle(rule)); }

/// The cells of a rule that names its experts; of other rules none.
std::set<ExpertCell> cellsOf(const steering::Rule& rule, const std::vector<RouterSpec>& routers) {
  std::set<ExpertCell> cells;
  const auto& experts = rule.experts.empty() ? rule.operand.orderedIds : rule.experts;
  std::vector<RouterKey> keys;
  for (const RouterSpec& router : routersInScope(rule, routers)) keys.push_back(routerKey(routers, router));
  if (routers.empty()) {  // no model is known
    for (const std::int32_t layer : rule.layers) keys.emplace_back(LayerIndex{layer}, rule.router);
  }
  for (const RouterKey& key : keys) {
    for (const std::int32_t expert : experts)
      cells.insert(ExpertCell{key.layer, ExpertIndex{expert}, key.kind});
  }
  std::erase_if(cells, [&rule](const ExpertCell& cell) { return rule.excepts(cell); });
  return cells;
}

/// A flat button that is hardly wider than its text.
QToolButton* makeTextButton(const char* name, const QString& text, const QString& toolTip) {
  auto* button = new QToolButton;
  button->setObjectName(QString::fromLatin1(name));
  button->setText(text);
  button->setToolTip(toolTip);
  button->setAutoRaise(true);
  button->setFocusPolicy(Qt::StrongFocus);
  button->setMaximumWidth(button->fontMetrics().horizontalAdvance(text) + 14);
  return button;
}

}  // namespace

SteeringPanel::SteeringPanel(ViewContext& context, QWidget* parent) : QWidget(parent), m_context(context) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  m_error = new ErrorBar;
  m_error->setObjectName(QStringLiteral("program_error"));
  m_warning = new TextLabel({}, TextLabel::Style::Warning);
  m_warning->setObjectName(QStringLiteral("program_warning"));
  m_warning->setWordWrap(true);
  m_warning->setContentsMargins(12, 4, 12, 4);
  m_warning->hide();
  column->addWidget(m_error);
  column->addWidget(makeToolBar());
  column->addWidget(m_warning);

  m_pages = new QStackedWidget;
  m_pages->addWidget(new EmptyState(QStringLiteral("boost"), tr("No rules"),
                                    tr("Right-click an expert in any picture, or load a steering program. "
                                       "Without rules the model runs unmodified.")));
  auto* rows = new QWidget;
  m_list = new QVBoxLayout(rows);
  m_list->setContentsMargins(0, 0, 0, 0);
  m_list->setSpacing(0);
  m_list->addStretch(1);
  m_scroll = new QScrollArea;
  m_scroll->setWidgetResizable(true);
  m_scroll->setFrameShape(QFrame::NoFrame);
  m_scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_scroll->setFocusPolicy(Qt::NoFocus);
  m_scroll->setWidget(rows);
  m_pages->addWidget(m_scroll);
  column->addWidget(m_pages, 1);
  m_runView = new RunRulesView;
  m_runView->setObjectName(QStringLiteral("run_rules"));
  m_runView->hide();
  connect(m_runView, &RunRulesView::useRequested, this, [this] {
    if (!m_runRules) return;
    m_context.steering().edit(m_runRules->program, tr("Use the rules of “%1”").arg(m_runRules->name));
  });
  column->addWidget(m_runView, 1);
  m_footer = makeFooter();
  column->addWidget(m_footer);

  connect(&context.steering(), &SteeringDocument::programChanged, this, &SteeringPanel::refresh);
  connect(&context, &ViewContext::modelChanged, this, &SteeringPanel::refreshRouters);
  connect(&context, &ViewContext::storeReplaced, this, &SteeringPanel::followRun);
  connect(&context.selection(), &SelectionModel::runChanged, this, &SteeringPanel::followRun);
  connect(&context, &ViewContext::runsChanged, this, [this] { askRun(QueryRunner::Urgency::Refresh); });
  connect(&context, &ViewContext::rowsChanged, this, [this](qlonglong run) {
    if (m_context.selection().run() == run) askRun(QueryRunner::Urgency::Refresh);
  });
  connect(&context, &ViewContext::liveStateChanged, this, &SteeringPanel::refreshRunView);
  connect(&context, &ViewContext::effectsChanged, this,
          [this] { setEffects(m_context.session().effects()); });
  connect(&context.selection(), &SelectionModel::expertsChanged, this, &SteeringPanel::followSelection);
  followRun();
}

QWidget* SteeringPanel::makeToolBar() {
  auto* bar = new QWidget;
  bar->setMinimumHeight(kToolBarHeight);
  auto* row = new QHBoxLayout(bar);
  row->setContentsMargins(kPadding, 0, kPadding, 0);
  row->setSpacing(3);
  m_add = new QPushButton(themeIcon(QStringLiteral("plus")), tr("Add rule"));
  m_add->setObjectName(QStringLiteral("add"));
  m_add->setToolTip(tr("Ban, boost, dampen, pin or scale experts; change top-k or weights of layers"));
  connect(m_add, &QPushButton::clicked, this, &SteeringPanel::openAddMenu);
  auto* load = makeTextButton("load", tr("Load…"), tr("Load a steering program from a .json file"));
  connect(load, &QToolButton::clicked, this, &SteeringPanel::loadRequested);
  m_save = makeTextButton("save", tr("Save…"), tr("Save these rules as a steering program"));
  connect(m_save, &QToolButton::clicked, this, &SteeringPanel::saveRequested);
  m_order = new TextLabel({}, TextLabel::Style::Secondary);
  m_order->setObjectName(QStringLiteral("order"));
  m_order->setMinimumWidth(1);  // gives way
  m_order->installEventFilter(this);
  m_order->setToolTip(tr("Rules act together: the order in which they were added changes nothing"));
  row->addWidget(m_add);
  row->addWidget(load);
  row->addWidget(m_save);
  // The first to go where the panel is narrow.
  m_order->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
  m_order->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
  row->addWidget(m_order, 1);
  return bar;
}

QWidget* SteeringPanel::makeFooter() {
  auto* footer = new QWidget;
  auto* row = new QHBoxLayout(footer);
  row->setContentsMargins(12, 4, 12, 4);
  row->setSpacing(6);
  m_footerIcon = new QLabel;
  m_footerText = new TextLabel({}, TextLabel::Style::Secondary);
  m_footerText->setObjectName(QStringLiteral("footer"));
  m_footerText->setWordWrap(true);
  row->addWidget(m_footerIcon);
  row->addWidget(m_footerText, 1);
  return footer;
}

QString SteeringPanel::summary() const {
  const auto& rules = m_context.steering().program().rules;
  if (rules.empty()) return {};
  const auto on = std::ranges::count_if(rules, &steering::Rule::enabled);
  return tr("%1 of %2 on").arg(on).arg(rules.size());
}

void SteeringPanel::refreshRouters() {
  std::vector<RouterSpec> routers;
  const auto run = m_context.selection().run();
  if (const auto model = m_context.session().model()) {
    routers = model->checkpoint().description().routers;
  } else if (m_context.store() && run) {
    routers = m_context.store()->routers(*run);
  }
  setRouters(std::move(routers));
}

void SteeringPanel::setRouters(std::vector<RouterSpec> routers) {
  m_routers = std::move(routers);
  refresh();
}

void SteeringPanel::setEffects(std::vector<steering::RuleEffect> effects) {
  m_effects = std::move(effects);
  syncRows();
}

void SteeringPanel::refresh() {
  check();
  syncRows();
  refreshRunView();
  refreshFooter();
  const bool any = !m_context.steering().program().rules.empty();
  m_pages->setCurrentIndex(any ? kListPage : kEmptyPage);
  m_save->setEnabled(any);
  m_add->setEnabled(any || !m_routers.empty());
  if (!m_rows.contains(m_current)) followSelection();
  fitOrder();
  Q_EMIT summaryChanged(summary());
}

/// Says that the order of rules does not count where there is room for the whole sentence.
void SteeringPanel::fitOrder() {
  const QString text = tr("any order, same result");
  const bool fits = m_order->fontMetrics().horizontalAdvance(text) <= m_order->width();
  m_order->setText(fits && !m_context.steering().program().rules.empty() ? text : QString());
}

bool SteeringPanel::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_order && event->type() == QEvent::Resize) fitOrder();
  return QWidget::eventFilter(watched, event);
}

void SteeringPanel::check() {
  m_check = checkProgram(m_context.steering().program(), m_routers);
  if (m_check.error.isEmpty()) {
    m_error->hide();
  } else {
    m_error->showError(m_check.error);
  }
  m_warning->setText(m_check.warnings.join(QLatin1Char('\n')));
  m_warning->setVisible(!m_check.warnings.isEmpty());
}

void SteeringPanel::syncRows() {
  const auto& rules = m_context.steering().program().rules;
  std::set<std::int64_t> present;
  for (const steering::Rule& rule : rules) present.insert(rule.id);
  for (auto it = m_rows.begin(); it != m_rows.end();) {
    if (present.contains(it->first)) {
      ++it;
      continue;
    }
    // Later: a popup of the row may be what deletes it.
    it->second->hide();
    m_list->removeWidget(it->second);
    it->second->deleteLater();
    it = m_rows.erase(it);
  }
  int place = 0;
  for (const steering::Rule& rule : rules) {
    RuleRow*& row = m_rows[rule.id];
    if (row == nullptr) row = makeRow(rule.id);
    if (m_list->indexOf(row) != place) m_list->insertWidget(place, row);
    ++place;
    refreshRow(*row, rule);
  }
}

void SteeringPanel::refreshRow(RuleRow& row, const steering::Rule& rule) {
  RuleRowState state;
  state.rule = rule;
  state.routers = m_routers;
  state.steeringOn = m_context.steering().masterOn();
  if (m_runRules) {
    const RuleEffect* effect = m_runRules->effectOf(rule);
    if (effect != nullptr) state.effect = effectText(rule, *effect, m_runRules->routers);
  } else if (!m_context.selection().run()) {
    const auto effect = std::ranges::find(m_effects, rule.id, &RuleEffect::ruleId);
    if (effect != m_effects.end() && rule.enabled) state.effect = effectText(rule, *effect, m_routers);
  }
  if (const auto problem = m_check.problems.find(rule.id); problem != m_check.problems.end()) {
    state.problem = problem->second.text;
    state.problemDetail = problem->second.detail;
  }
  row.setState(state);
}

RuleRow* SteeringPanel::makeRow(std::int64_t id) {
  auto* row = new RuleRow;
  row->setObjectName(QStringLiteral("rule_%1").arg(id));
  connect(row, &RuleRow::ruleEdited, this, &SteeringPanel::editRule);
  connect(row, &RuleRow::duplicateRequested, this, [this, id] { duplicateRule(id); });
  connect(row, &RuleRow::deleteRequested, this, [this, id] { deleteRule(id); });
  connect(row, &RuleRow::showOnMapRequested, this, [this, id] { showOnMap(id); });
  connect(row, &RuleRow::becameCurrent, this, [this, id] { setCurrent(id); });
  connect(row, &RuleRow::moveRequested, this, [this, id](int step) { moveFrom(id, step); });
  return row;
}

void SteeringPanel::refreshFooter() {
  const SteeringDocument& steering = m_context.steering();
  const bool any = !steering.program().rules.empty();
  m_footer->setVisible(any);
  if (!any) return;
  m_footerIcon->setPixmap(themeIcon(QStringLiteral("info")).pixmap(QSize(14, 14), devicePixelRatioF()));
  if (!steering.masterOn()) {
    m_footerText->setText(tr("Steering is off: the model runs unmodified. F8 switches it on."));
  } else if (steering.counterfactual()) {
    m_footerText->setText(tr("Edits replay the text as if they had always been there. Undo with Ctrl+Z."));
  } else {
    m_footerText->setText(tr("Edits act on the next token. Undo with Ctrl+Z."));
  }
}

void SteeringPanel::followSelection() {
  const auto& cells = m_context.selection().experts();
  if (cells.size() != 1) return;
  for (const steering::Rule& rule : m_context.steering().program().rules) {
    if (actsOnExperts(rule) && !rule.experts.empty() && cellsOf(rule, m_routers).contains(*cells.begin())) {
      setCurrent(rule.id);
      m_scroll->ensureWidgetVisible(m_rows.at(rule.id), 0, 0);
      return;
    }
  }
  setCurrent(0);
}

void SteeringPanel::setCurrent(std::int64_t id) {
  m_current = id;
  for (const auto& [rule, row] : m_rows) row->setCurrent(rule == id);
}

void SteeringPanel::editRule(const steering::Rule& rule, const QString& undoTitle, int mergeId) {
  steering::SteeringProgram program = m_context.steering().program();
  const auto found = std::ranges::find(program.rules, rule.id, &steering::Rule::id);
  if (found == program.rules.end() || *found == rule) return;
  *found = rule;
  m_context.steering().edit(std::move(program), undoTitle, mergeId);
}

void SteeringPanel::duplicateRule(std::int64_t id) {
  steering::SteeringProgram program = m_context.steering().program();
  const auto found = std::ranges::find(program.rules, id, &steering::Rule::id);
  if (found == program.rules.end()) return;
  steering::Rule copy = *found;
  copy.id = copy.priority = program.nextId();
  program.rules.insert(std::next(found), copy);
  m_context.steering().edit(std::move(program), tr("Duplicate %1").arg(titleOf(copy)));
}

void SteeringPanel::deleteRule(std::int64_t id) {
  steering::SteeringProgram program = m_context.steering().program();
  const steering::Rule* rule = program.find(id);
  if (rule == nullptr) return;
  const QString title = tr("Delete %1").arg(titleOf(*rule));
  moveFrom(id, 1);
  std::erase_if(program.rules, [id](const steering::Rule& r) { return r.id == id; });
  m_context.steering().edit(std::move(program), title);
}

void SteeringPanel::showOnMap(std::int64_t id) {
  const steering::Rule* rule = m_context.steering().program().find(id);
  if (rule == nullptr) return;
  const auto cells = actsOnExperts(*rule) || !rule->operand.orderedIds.empty() ? cellsOf(*rule, m_routers)
                                                                               : std::set<ExpertCell>{};
  const auto inScope = routersInScope(*rule, m_routers);
  if (!cells.empty()) {
    m_context.selection().setRouter(cells.begin()->router());
  } else if (!inScope.empty()) {
    m_context.selection().setRouter(routerKey(m_routers, inScope.front()));
  }
  m_context.selection().setExperts(cells);
  setCurrent(id);
}

void SteeringPanel::moveFrom(std::int64_t id, int step) {
  const auto& rules = m_context.steering().program().rules;
  const auto found = std::ranges::find(rules, id, &steering::Rule::id);
  if (found == rules.end()) return;
  const auto place = std::distance(rules.begin(), found);
  auto target = place + step;
  if (target < 0 || target >= std::ssize(rules)) target = place - step;
  if (target < 0 || target >= std::ssize(rules)) return;
  RuleRow* row = m_rows.at(rules[static_cast<std::size_t>(target)].id);
  row->setFocus(Qt::OtherFocusReason);
  m_scroll->ensureWidgetVisible(row, 0, 0);
}

}  // namespace moescope::views
