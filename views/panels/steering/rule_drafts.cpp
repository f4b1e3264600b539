#include "views/panels/steering/rule_drafts.h"

#include <QObject>

#include <cmath>
#include <map>

#include "views/api/steering_edits.h"

namespace moescope::views {

QString verbText(Verb verb) {
  switch (verb) {
    case Verb::Ban: return QObject::tr("Ban");
    case Verb::Boost: return QObject::tr("Boost");
    case Verb::Dampen: return QObject::tr("Dampen");
    case Verb::Pin: return QObject::tr("Pin");
    case Verb::Scale: return QObject::tr("Scale");
    case Verb::TopK: return QObject::tr("Top-k");
    case Verb::Uniform: return QObject::tr("Uniform weights");
  }
  return {};
}

QString verbIconName(Verb verb) {
  switch (verb) {
    case Verb::Ban: return QStringLiteral("ban");
    case Verb::Boost: return QStringLiteral("boost");
    case Verb::Dampen: return QStringLiteral("dampen");
    case Verb::Pin: return QStringLiteral("pin");
    case Verb::Scale: return QStringLiteral("weight");
    case Verb::TopK: return QStringLiteral("top_k");
    case Verb::Uniform: return QStringLiteral("uniform");
  }
  return {};
}

bool isExpertVerb(Verb verb) { return verb != Verb::TopK && verb != Verb::Uniform; }

double firstStrength(Verb verb) {
  if (verb == Verb::Dampen) return -1.0;
  return verb == Verb::Scale ? 2.0 : 1.0;
}

steering::Rule draftRule(const steering::SteeringProgram& program, Verb verb,
                         std::vector<std::int32_t> layers, std::vector<std::int32_t> experts, double value) {
  steering::Rule rule;
  switch (verb) {
    case Verb::Ban: rule = steering::banRule(program, {}); break;
    case Verb::Pin: rule = steering::pinRule(program, {}); break;
    case Verb::Boost:
    case Verb::Dampen: rule = steering::addLogitRule(program, {}, value); break;
    case Verb::Scale: rule = steering::scaleRule(program, {}, value); break;
    case Verb::TopK:
      return steering::topKRule(program, std::move(layers), static_cast<int>(std::lround(value)));
    case Verb::Uniform: return steering::uniformRule(program, std::move(layers));
  }
  rule.layers = std::move(layers);
  rule.experts = std::move(experts);
  return rule;
}

steering::SteeringProgram withVerb(steering::SteeringProgram program, Verb verb,
                                   const std::set<ExpertCell>& cells) {
  if (cells.size() == 1 && verb != Verb::Scale) {
    if (verb == Verb::Ban) return banned(std::move(program), cells);
    if (verb == Verb::Pin) return pinned(std::move(program), cells);
    return withStrength(std::move(program), cells, firstStrength(verb));
  }
  std::map<RouterKey, std::vector<std::int32_t>> expertsOfRouter;
  for (const ExpertCell& cell : cells) expertsOfRouter[cell.router()].push_back(cell.expert.value);
  std::map<std::pair<std::string, std::vector<std::int32_t>>, std::vector<std::int32_t>> layersOf;
  for (const auto& [router, experts] : expertsOfRouter)
    layersOf[{router.kind, experts}].push_back(router.layer.value);
  for (const auto& [scope, layers] : layersOf) {
    program.rules.push_back(draftRule(program, verb, layers, scope.second, firstStrength(verb)));
    program.rules.back().router = scope.first;
  }
  return program;
}

}  // namespace moescope::views
