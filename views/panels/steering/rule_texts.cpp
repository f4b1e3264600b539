#include "views/panels/steering/rule_texts.h"

#include <QObject>

#include <algorithm>

#include "views/api/number_text.h"
#include "views/panels/steering/index_ranges.h"
#include "views/panels/steering/rule_strength.h"

namespace moescope::views {

namespace {

using steering::Operation;
using steering::Primitive;
using steering::Rule;

/// Longer lists of ranges are counted instead.
constexpr int kLongestRanges = 12;

/// One token is one row of the router: the effect counts tokens.
bool isOneRouter(const Rule& rule, const std::vector<RouterSpec>& routers) {
  return routers.empty() ? rule.layers.size() == 1 : routersInScope(rule, routers).size() == 1;
}

QString rowsText(const Rule& rule, const steering::RuleEffect& effect,
                 const std::vector<RouterSpec>& routers) {
  const QString rows = countText(effect.tokensInScope);
  if (isOneRouter(rule, routers)) return QObject::tr("%1 tokens").arg(rows);
  return QObject::tr("%1 rows of tokens and layers").arg(rows);
}

QString layersText(const std::vector<std::int32_t>& layers) {
  if (layers.empty()) return QObject::tr("all layers");
  if (layers.size() == 1) return QObject::tr("layer %1").arg(layers.front());
  const QString ranges = rangesText(layers);
  if (ranges.size() > kLongestRanges) return QObject::tr("%1 layers").arg(layers.size());
  return QObject::tr("layers %1").arg(ranges);
}

QString countEffectText(const Rule& rule, const steering::RuleEffect& effect,
                        const std::vector<RouterSpec>& routers) {
  const auto inScope = routersInScope(rule, routers);
  const bool sameK = !inScope.empty() && std::ranges::all_of(inScope, [&](const RouterSpec& router) {
    return router.topK == inScope.front().topK;
  });
  QStringList parts;
  if (effect.choicesDropped > 0 || effect.choicesAdded == 0) {
    const QString dropped = countText(effect.choicesDropped);
    const QString part = sameK ? QObject::tr("%1 of %2 choices dropped")
                                     .arg(dropped, countText(effect.tokensInScope * inScope.front().topK))
                               : QObject::tr("%1 choices dropped").arg(dropped);
    parts << part;
    if (effect.nativeMass > 0.0) {
      parts << QObject::tr("gate mass %1\u2009%")
                   .arg(100.0 * effect.droppedNativeMass / effect.nativeMass, 0, 'f', 1);
    }
  }
  if (effect.choicesAdded > 0) parts << QObject::tr("%1 choices added").arg(countText(effect.choicesAdded));
  return parts.join(QStringLiteral(", "));
}

}  // namespace

QString verbIcon(const Rule& rule) {
  const bool down = rule.operand.value < (rule.operation == Operation::Scale ? 1.0 : 0.0);
  if (rule.primitive == Primitive::Count) return QStringLiteral("top_k");
  if (rule.primitive == Primitive::Weight) {
    return rule.operation == Operation::Uniform ? QStringLiteral("uniform") : QStringLiteral("weight");
  }
  switch (rule.operation) {
    case Operation::Ban: return QStringLiteral("ban");
    case Operation::PinHigh: return QStringLiteral("pin");
    case Operation::PinLow: return QStringLiteral("dampen");
    case Operation::Set:
      if (!rule.operand.orderedIds.empty()) return QStringLiteral("pin");
      break;
    default: break;
  }
  return down ? QStringLiteral("dampen") : QStringLiteral("boost");
}

bool actsOnExperts(const Rule& rule) {
  if (rule.primitive == Primitive::Weight) return rule.operation == Operation::Multiply;
  return rule.primitive != Primitive::Count && rule.operand.orderedIds.empty();
}

QString layersScopeText(const Rule& rule) {
  if (rule.router.empty()) return layersText(rule.layers);
  return layersText(rule.layers) + QStringLiteral(", ") + QString::fromStdString(rule.router);
}

QString expertsScopeText(const Rule& rule) {
  QString text;
  if (rule.experts.empty()) {
    text = QObject::tr("all experts");
  } else if (rule.experts.size() == 1) {
    text = QObject::tr("expert %1").arg(rule.experts.front());
  } else {
    text = QObject::tr("%1 experts").arg(rule.experts.size());
  }
  if (!rule.except.empty()) text += QObject::tr(", %1 released").arg(rule.except.size());
  return text;
}

QString phaseText(steering::PhaseScope phase) {
  switch (phase) {
    case steering::PhaseScope::Prefill: return QObject::tr("prefill");
    case steering::PhaseScope::Decode: return QObject::tr("decode");
    case steering::PhaseScope::Both: break;
  }
  return QObject::tr("both phases");
}

QString tokensScopeText(const steering::PositionScope& positions) {
  QString text;
  if (positions.to) {
    text = QObject::tr("tokens %1–%2").arg(positions.from).arg(*positions.to - 1);
  } else if (positions.from > 0) {
    text = QObject::tr("from token %1").arg(positions.from);
  } else {
    text = QObject::tr("all tokens");
  }
  if (positions.every > 1) text += QObject::tr(", one in %1").arg(positions.every);
  return text;
}

QString effectText(const Rule& rule, const steering::RuleEffect& effect,
                   const std::vector<RouterSpec>& routers) {
  if (effect.tokensInScope == 0) return {};
  if (rule.primitive == Primitive::Count) return countEffectText(rule, effect, routers);
  const QString rows = rowsText(rule, effect, routers);
  if (!actsOnExperts(rule)) return QObject::tr("acts on %1").arg(rows);
  const QString chosen = countText(effect.chosen), natively = countText(effect.nativelyChosen);
  const bool oneExpert = rule.experts.size() == 1 && isOneRouter(rule, routers);
  if (rule.operation == Operation::Ban) {
    return oneExpert ? QObject::tr("natively chosen by %1 of %2, now %3").arg(natively, rows, chosen)
                     : QObject::tr("natively %1 choices in %2, now %3").arg(natively, rows, chosen);
  }
  if (rule.primitive == Primitive::Weight) {
    return oneExpert ? QObject::tr("weight scaled in %1 of %2").arg(chosen, rows)
                     : QObject::tr("%1 weights scaled in %2").arg(chosen, rows);
  }
  return oneExpert ? QObject::tr("chosen by %1 of %2, natively %3").arg(chosen, rows, natively)
                   : QObject::tr("%1 choices in %2, natively %3").arg(chosen, rows, natively);
}

}  // namespace moescope::views
