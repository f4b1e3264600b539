// The "Add rule" menu of the steering panel.
#include <QMenu>
#include <QPushButton>

#include "views/api/selection_model.h"
#include "views/api/steering_edits.h"
#include "views/api/theme.h"
#include "views/api/view_context.h"
#include "views/panels/steering/edit_popup.h"
#include "views/panels/steering/scope_popups.h"
#include "views/panels/steering/steering_panel.h"

namespace moescope::views {

namespace {

constexpr Verb kExpertVerbs[] = {Verb::Ban, Verb::Boost, Verb::Dampen, Verb::Pin, Verb::Scale};
constexpr Verb kLayerVerbs[] = {Verb::TopK, Verb::Uniform};

}  // namespace

void SteeringPanel::openAddMenu() {
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  const auto& cells = m_context.selection().experts();
  menu->addSection(cells.empty() ? tr("No expert selected") : QString::fromStdString(cellsText(cells)));
  for (const Verb verb : kExpertVerbs) {
    auto* action = menu->addAction(themeIcon(verbIconName(verb)), verbText(verb), this,
                                   [this, verb] { addForSelection(verb); });
    action->setObjectName(QStringLiteral("selected_%1").arg(verbIconName(verb)));
    action->setEnabled(!cells.empty());
  }
  auto* others = menu->addMenu(tr("Experts by number"));
  for (const Verb verb : kExpertVerbs) {
    auto* action = others->addAction(themeIcon(verbIconName(verb)), tr("%1…").arg(verbText(verb)), this,
                                     [this, verb] { addByForm(verb); });
    action->setObjectName(QStringLiteral("numbered_%1").arg(verbIconName(verb)));
  }
  menu->addSection(tr("Layers"));
  for (const Verb verb : kLayerVerbs) {
    auto* action = menu->addAction(themeIcon(verbIconName(verb)), tr("%1…").arg(verbText(verb)), this,
                                   [this, verb] { addByForm(verb); });
    action->setObjectName(QStringLiteral("numbered_%1").arg(verbIconName(verb)));
  }
  menu->popup(m_add->mapToGlobal(QPoint(0, m_add->height())));
}

void SteeringPanel::addForSelection(Verb verb) {
  const auto cells = m_context.selection().experts();
  if (cells.empty()) return;
  m_context.steering().edit(
      withVerb(m_context.steering().program(), verb, cells),
      QStringLiteral("%1 %2").arg(verbText(verb), QString::fromStdString(cellsText(cells))));
}

void SteeringPanel::addByForm(Verb verb) {
  NewRule first{verb, {}, {}, firstStrength(verb), {}};
  const auto& cells = m_context.selection().experts();
  bool isMixed = false;
  for (const ExpertCell& cell : cells) {
    first.layers.push_back(cell.layer.value);
    first.experts.push_back(cell.expert.value);
    first.router = cell.kind;
    isMixed = isMixed || cell.kind != cells.begin()->kind;
  }
  if (isMixed) first.router.clear();
  const auto& looked = m_context.selection().router();
  if (first.layers.empty() && looked) {
    first.layers.push_back(looked->layer.value);
    first.router = looked->kind;
  }
  if (verb == Verb::TopK) first.value = m_routers.empty() ? 1 : m_routers.front().topK;
  const auto add = [this](const NewRule& made) {
    steering::SteeringProgram program = m_context.steering().program();
    program.rules.push_back(draftRule(program, made.verb, made.layers, made.experts, made.value));
    program.rules.back().router = made.router;
    const QString title = tr("Add %1").arg(QString::fromStdString(steering::ruleTitle(program.rules.back())));
    m_context.steering().edit(std::move(program), title);
  };
  newRulePopup(first, m_routers, add, this)->showUnder(m_add);
}

}  // namespace moescope::views
