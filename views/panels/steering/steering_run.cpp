// The steering panel's view of the selected run: what its rules did, live and recorded alike.
#include <utility>

#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/steering/run_rules_view.h"
#include "views/panels/steering/steering_panel.h"

namespace moescope::views {

void SteeringPanel::followRun() {
  refreshRouters();
  showRun(std::nullopt);
  askRun(QueryRunner::Urgency::Replace);
}

void SteeringPanel::askRun(QueryRunner::Urgency urgency) {
  const auto run = m_context.selection().run();
  if (!run || !m_context.store()) {
    m_query.cancel();
    return;
  }
  m_query.request(
      [this, store = m_context.store(), run = *run](std::stop_token) -> QueryRunner::Delivery {
        return [this, rules = readRunRules(*store, run)] { showRun(rules); };
      },
      urgency);
}

void SteeringPanel::showRun(std::optional<RunRules> rules) {
  m_runRules = std::move(rules);
  m_runViewStale = true;
  syncRows();
  refreshRunView();
}

/// The rules of a recorded run stand apart while they are not those being edited.
void SteeringPanel::refreshRunView() {
  const bool apart = m_runRules && !m_runRules->program.rules.empty() && !m_context.isLive(m_runRules->run) &&
                     !m_runRules->hasRulesOf(m_context.steering().program());
  if (apart && std::exchange(m_runViewStale, false)) m_runView->showRules(*m_runRules);
  m_runView->setVisible(apart);
}

}  // namespace moescope::views
