// RunRulesView: the rules of a recorded run, to read and to take over. Not for editing them (RuleRow).
#pragma once

#include <QWidget>

#include "views/panels/steering/run_rules.h"

class QGridLayout;

namespace moescope::views {

class TextLabel;

class RunRulesView : public QWidget {
  Q_OBJECT

 public:
  explicit RunRulesView(QWidget* parent = nullptr);
  void showRules(const RunRules& rules);

 Q_SIGNALS:
  void useRequested();

 private:
  void addRule(const steering::Rule& rule, const RunRules& rules);

  TextLabel* m_title = nullptr;
  QWidget* m_rows = nullptr;
  QGridLayout* m_grid = nullptr;
};

}  // namespace moescope::views
