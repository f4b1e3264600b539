#include "views/panels/steering/rule_strength.h"

#include <QObject>

#include <algorithm>
#include <cmath>

namespace moescope::views {

namespace {

using steering::Operation;
using steering::Primitive;
using steering::Rule;

constexpr double kSliderLogit = 5.0, kMostLogit = 100.0;
constexpr double kSliderFactor = 4.0, kMostFactor = 1000.0;
/// While no model is known.
constexpr int kUnknownExperts = 256;

RuleStrength additive(const QString& unit, double neutral = 0.0) {
  return {.neutral = neutral,
          .sliderLow = -kSliderLogit,
          .sliderHigh = kSliderLogit,
          .least = -kMostLogit,
          .most = kMostLogit,
          .step = 0.05,
          .isSigned = true,
          .unit = unit,
          .name = QObject::tr("Strength in %1").arg(unit)};
}

RuleStrength factor(const QString& name) {
  return {.neutral = 1.0,
          .sliderHigh = kSliderFactor,
          .most = kMostFactor,
          .step = 0.05,
          .unit = QStringLiteral("×"),
          .name = name};
}

RuleStrength share(const QString& unit) {
  return {.neutral = 1.0,
          .sliderLow = 0.01,
          .sliderHigh = 1.0,
          .least = 0.01,
          .most = 1.0,
          .step = 0.01,
          .keyStep = 0.05,
          .unit = unit,
          .name = QObject::tr("Share %1").arg(unit)};
}

RuleStrength counted(const std::vector<RouterSpec>& routers) {
  int experts = 0, topK = 0;
  for (const RouterSpec& router : routers) {
    experts = std::max(experts, router.experts);
    topK = std::max(topK, router.topK);
  }
  const double most = experts > 0 ? experts : kUnknownExperts;
  RuleStrength out;
  out.sliderLow = out.least = out.step = out.keyStep = 1.0;
  out.most = most;
  out.decimals = 0;
  out.neutral = topK;
  out.sliderHigh = topK > 0 ? std::min<double>(most, 2 * topK) : 16.0;
  out.unit = topK > 0 ? QObject::tr("of %1").arg(topK) : QObject::tr("experts");
  out.name = QObject::tr("Experts that each token chooses");
  return out;
}

std::optional<RuleStrength> unvalued(const Rule& rule, const std::vector<RouterSpec>& routers) {
  const QString port = rule.primitive == Primitive::Logit ? QObject::tr("logit") : QObject::tr("key");
  switch (rule.operation) {
    case Operation::Add: return additive(port);
    case Operation::Std: return additive(QObject::tr("std"));
    case Operation::Set:
      if (!rule.operand.orderedIds.empty()) return std::nullopt;
      return additive(port);
    case Operation::Scale: return factor(QObject::tr("Factor on the %1").arg(port));
    case Operation::Multiply: return factor(QObject::tr("Factor on the weight"));
    case Operation::Noise: {
      RuleStrength sigma = additive(QObject::tr("sigma"));
      sigma.sliderLow = sigma.least = 0.0;
      sigma.isSigned = false;
      return sigma;
    }
    case Operation::Fixed: return counted(routersInScope(rule, routers));
    case Operation::TopP: return share(QObject::tr("of mass"));
    case Operation::Ratio: return share(QObject::tr("of best"));
    case Operation::Softmax: {
      RuleStrength temperature = factor(QObject::tr("Temperature"));
      temperature.sliderLow = temperature.least = 0.05;
      temperature.unit = QObject::tr("T");
      return temperature;
    }
    default: return std::nullopt;
  }
}

}  // namespace

std::vector<RouterSpec> routersInScope(const Rule& rule, const std::vector<RouterSpec>& routers) {
  std::vector<RouterSpec> out;
  for (const RouterSpec& router : routers) {
    if (rule.covers({router.layer, router.kind})) out.push_back(router);
  }
  return out;
}

std::optional<RuleStrength> ruleStrength(const Rule& rule, const std::vector<RouterSpec>& routers) {
  auto strength = unvalued(rule, routers);
  if (!strength) return std::nullopt;
  strength->value = rule.operation == Operation::Fixed ? rule.operand.count : rule.operand.value;
  // A program from a file may hold what the field would not let a person type.
  strength->least = std::min(strength->least, strength->value);
  strength->most = std::max(strength->most, strength->value);
  return strength;
}

void setStrength(Rule& rule, double value) {
  if (rule.operation == Operation::Fixed) {
    rule.operand.count = static_cast<int>(std::lround(value));
  } else {
    rule.operand.value = value;
  }
}

}  // namespace moescope::views
