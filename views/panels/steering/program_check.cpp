#include "views/panels/steering/program_check.h"

#include <QObject>

#include "core/steering/steering_plan.h"

namespace moescope::views {

namespace {

QString qt(const std::string& text) { return QString::fromStdString(text); }

std::vector<steering::Conflict> conflictsOf(const steering::SteeringProgram& program,
                                            const std::vector<RouterSpec>& routers) {
  steering::SteeringProgram all = program;
  for (steering::Rule& rule : all.rules) rule.enabled = true;
  if (const auto plan = steering::compile(all, routers)) return (*plan)->conflicts;
  if (const auto plan = steering::compile(program, routers)) return (*plan)->conflicts;
  return {};
}

}  // namespace

ProgramCheck checkProgram(const steering::SteeringProgram& program, const std::vector<RouterSpec>& routers) {
  ProgramCheck check;
  if (routers.empty()) return check;
  if (const auto plan = steering::compile(program, routers)) {
    for (const auto& warning : (*plan)->warnings) check.warnings << qt(warning);
  } else {
    check.error = qt(plan.error().text());
    // "rule 3" as the compiler names the place.
    const QString prefix = QStringLiteral("rule ");
    const QString where = qt(plan.error().where);
    if (where.startsWith(prefix)) {
      check.problems[where.mid(prefix.size()).toLongLong()] = {
          QObject::tr("The model cannot obey this rule. Change or delete it."), check.error};
    }
  }
  for (const steering::Conflict& conflict : conflictsOf(program, routers)) {
    const steering::Rule* winner = program.find(conflict.winner);
    if (winner == nullptr || !winner->enabled) continue;
    check.problems.emplace(
        conflict.loser,
        RuleProblem{qt(conflict.text), QObject::tr("The rule that wins: %1").arg(qt(ruleTitle(*winner)))});
  }
  return check;
}

}  // namespace moescope::views
