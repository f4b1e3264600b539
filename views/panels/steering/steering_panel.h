// SteeringPanel: the rules with their controls, what they did and where they meet. Not for what the verbs of
// a picture do (common/expert_actions.h) or for files: loading and saving are asked for by signals.
#pragma once

#include <QWidget>

#include <map>
#include <vector>

#include "core/base/router_spec.h"
#include "core/steering/steering_plan.h"
#include "core/steering/steering_program.h"
#include "views/api/query_runner.h"
#include "views/panels/steering/program_check.h"
#include "views/panels/steering/rule_drafts.h"
#include "views/panels/steering/run_rules.h"

class QLabel;
class QPushButton;
class QScrollArea;
class QStackedWidget;
class QToolButton;
class QVBoxLayout;

namespace moescope::views {

class ErrorBar;
class RuleRow;
class RunRulesView;
class TextLabel;
class ViewContext;

/// GUI thread only.
class SteeringPanel : public QWidget {
  Q_OBJECT

 public:
  explicit SteeringPanel(ViewContext& context, QWidget* parent = nullptr);

  /// "3 of 4 on"; empty without rules.
  [[nodiscard]] QString summary() const;
  /// Routers that rules are checked against: of the loaded model, else of the selected run; may be empty.
  void setRouters(std::vector<RouterSpec> routers);
  [[nodiscard]] const std::vector<RouterSpec>& routers() const { return m_routers; }
  /// What the rules did, as the engine counts it; shown while no run is selected.
  void setEffects(std::vector<steering::RuleEffect> effects);
  /// True while it waits for no answer about the selected run.
  [[nodiscard]] bool idle() const { return !m_query.busy(); }

 Q_SIGNALS:
  void loadRequested();
  void saveRequested();
  void summaryChanged(const QString& summary);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void fitOrder();
  QWidget* makeToolBar();
  QWidget* makeFooter();

  // steering_add.cpp
  void openAddMenu();
  void addForSelection(Verb verb);
  void addByForm(Verb verb);

  // steering_run.cpp
  void followRun();
  /// Reads what the rules of the selected run did.
  void askRun(QueryRunner::Urgency urgency);
  void showRun(std::optional<RunRules> rules);
  void refreshRunView();

  // steering_panel.cpp
  void refreshRouters();
  void refresh();
  /// Compiles against the routers: errors to the bar, conflicts to the rows.
  void check();
  void syncRows();
  void refreshRow(RuleRow& row, const steering::Rule& rule);
  void refreshFooter();
  RuleRow* makeRow(std::int64_t id);
  void followSelection();
  void setCurrent(std::int64_t id);
  void editRule(const steering::Rule& rule, const QString& undoTitle, int mergeId);
  void duplicateRule(std::int64_t id);
  void deleteRule(std::int64_t id);
  void showOnMap(std::int64_t id);
  void moveFrom(std::int64_t id, int step);

  ViewContext& m_context;
  std::vector<RouterSpec> m_routers;
  std::vector<steering::RuleEffect> m_effects;
  std::optional<RunRules> m_runRules;  // of the selected run
  QueryRunner m_query;
  ProgramCheck m_check;
  std::map<std::int64_t, RuleRow*> m_rows;
  std::int64_t m_current = 0;

  ErrorBar* m_error = nullptr;
  TextLabel* m_warning = nullptr;
  QPushButton* m_add = nullptr;
  QToolButton* m_save = nullptr;
  TextLabel* m_order = nullptr;
  QStackedWidget* m_pages = nullptr;
  QScrollArea* m_scroll = nullptr;
  QVBoxLayout* m_list = nullptr;
  RunRulesView* m_runView = nullptr;
  bool m_runViewStale = false;
  QWidget* m_footer = nullptr;
  QLabel* m_footerIcon = nullptr;
  TextLabel* m_footerText = nullptr;
};

}  // namespace moescope::views
