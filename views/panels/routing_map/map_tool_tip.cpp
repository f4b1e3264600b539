#include "views/panels/routing_map/map_tool_tip.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

#include "core/base/router_label.h"
#include "core/figure/colour_map.h"
#include "core/figure/number_text.h"
#include "core/figure/token_text.h"
#include "views/api/router_text.h"
#include "views/api/steering_edits.h"
#include "views/panels/routing_map/steered_cell.h"

namespace moescope::views {

namespace {

using figure::CellMark;

QString tr(const char* text) { return QCoreApplication::translate("MapToolTip", text); }
QString qt(const std::string& text) { return QString::fromStdString(text); }
QString number(double value, int decimals) { return qt(figure::decimalText(value, decimals)); }
QString count(std::int64_t value) { return qt(figure::countText(value)); }

QString shareText(double share, int experts) {
  return tr("%1, %2 uniform")
      .arg(qt(figure::percentText(share)),
           qt(figure::decimalText(share * experts, 2)) + QStringLiteral(" ×"));
}

/// "≤" or "≥" where the colour is that of an end and the value lies beyond it.
QString rangeText(const MapScene& scene, double value) {
  const figure::ColourScale& scale = scene.colourBar.scale();
  switch (figure::mapColour(scale, figure::Theme::Dark, value).state) {
    case figure::RangeState::Below: return tr("colour ends at ≤ %1").arg(number(scale.min, 2));
    case figure::RangeState::Above: return tr("colour ends at ≥ %1").arg(number(scale.max, 2));
    default: return {};
  }
}

QString tagOf(const MapScene& scene, const ExpertCell& expert) {
  const auto mark = scene.marks.cells.find(expert);
  if (mark == scene.marks.cells.end()) return {};
  const auto strength = strengthOf(scene.program, expert);
  const QString added = strength ? QStringLiteral(" ") + (*strength > 0.0 ? QStringLiteral("+") : QString()) +
                                       number(*strength, 2)
                                 : QString();
  switch (mark->second) {
    case CellMark::Banned: return tr("banned");
    case CellMark::Pinned: return tr("pinned");
    case CellMark::Boosted: return tr("boosted") + added;
    case CellMark::Dampened: return tr("dampened") + added;
    case CellMark::LayerRule: break;
  }
  return {};
}

QString expertHeading(const ExpertCell& expert, std::span<const RouterSpec> routers) {
  return tr("%1 · expert %2").arg(routerHeading(expert.router(), routers)).arg(expert.expert.value);
}

/// A router of the other part of an encoder-decoder never saw the token.
bool isUnseen(const TokenChoice& choice) {
  return choice.chosen.empty() && std::isnan(choice.logit) && choice.native.empty();
}

bool isOfEncoderDecoder(const MapScene& scene) {
  return !scene.routers.empty() && scene.routers.front().encoderLayers > 0;
}

void addUnseen(ToolTipContent& tip) {
  tip.rows.push_back({tr("routing"), tr("none, the token is not of this part of the model")});
}

QString idsText(const std::vector<int>& ids) {
  if (ids.empty()) return tr("none");
  QStringList words;
  for (const int id : ids) words << QString::number(id);
  return words.join(QLatin1Char(' '));
}

void addDetail(ToolTipContent& tip, const CellDetail& detail) {
  if (detail.steered)
    tip.rows.push_back(
        {tr("natively"), tr("%1 of %2 tokens").arg(count(detail.native), count(detail.routed))});
  if (detail.logitTokens > 0) {
    tip.rows.push_back(
        {tr("router logit"), tr("mean %1, before steering")
                                 .arg(number(detail.logitSum / static_cast<double>(detail.logitTokens), 2))});
  }
  QStringList words;
  for (const auto& [bytes, times] : detail.topTokens)
    words << qt(figure::tokenText(bytes)) + QLatin1Char(' ') + count(times);
  if (!words.isEmpty()) tip.rows.push_back({tr("top tokens"), words.join(QStringLiteral("  ")), -1.0, true});
}

ToolTipContent layerTip(const MapScene& scene, MapCell cell, const ExpertCell& expert,
                        const CellDetail* detail) {
  ToolTipContent tip;
  const auto row = static_cast<std::size_t>(cell.row);
  const trace::LoadSummary& load = scene.layers->loads[row];
  const auto e = static_cast<std::size_t>(expert.expert.value);
  tip.heading = expertHeading(expert, scene.routers);
  tip.tag = tagOf(scene, expert);
  if (load.slots == 0) {
    tip.rows.push_back({tr("load share m"), tr("no data in this window")});
    return tip;
  }
  const std::int64_t chosen = load.counts[e];
  tip.rows.push_back(
      {tr("load share m"),
       shareText(static_cast<double>(chosen) / static_cast<double>(load.slots), scene.routers[row].experts)});
  if (const QString range = rangeText(scene, scene.valueAt(cell)); !range.isEmpty())
    tip.rows.push_back({{}, range});
  QString chosenText = tr("%1 of %2 tokens").arg(count(chosen), count(load.tokens));
  if (detail != nullptr) chosenText += tr(", rank 1 for %1").arg(count(detail->rankOne));
  tip.rows.push_back({tr("chosen by"), chosenText});
  const double mass = load.gateMass[e];
  if (load.massTokens == load.tokens && chosen > 0) {
    tip.rows.push_back(
        {tr("gate weight"),
         tr("mean %1, sum %2").arg(number(mass / static_cast<double>(chosen), 3), number(mass, 2))});
  } else if (load.massTokens > 0 && chosen > 0) {
    tip.rows.push_back(
        {tr("gate weight"), tr("sum %1 over %2 tokens").arg(number(mass, 2), count(load.massTokens))});
  }
  if (load.missing > 0)
    tip.rows.push_back({tr("missing"), tr("%1 tokens in damaged blocks").arg(count(load.missing))});
  if (detail != nullptr) {
    addDetail(tip, *detail);
  } else {
    tip.rows.push_back({tr("top tokens"), tr("being counted")});
  }
  tip.footer = tr("click selects · B bans · + − strength");
  return tip;
}

void addToken(ToolTipContent& tip, const TokenPicture& picture, std::int64_t token) {
  const auto at = static_cast<std::size_t>(token - picture.firstToken);
  if (at >= picture.texts.size()) return;
  tip.rows.push_back(
      {tr("token %1").arg(count(token)), qt(figure::tokenText(picture.texts[at])), -1.0, true});
  if (!std::isnan(picture.logProbs[at]))
    tip.rows.push_back(
        {tr("log-probability"), tr("%1 nat").arg(number(static_cast<double>(picture.logProbs[at]), 2))});
}

/// A row of several tokens.
ToolTipContent densityTip(const MapScene& scene, MapCell cell) {
  const TokenPicture& picture = *scene.tokens;
  ToolTipContent tip;
  const std::int64_t begin = picture.firstToken + picture.rowOf(cell.row) * picture.request.step;
  const std::int64_t end = std::min(begin + picture.request.step, picture.endToken);
  const auto expert = scene.expertAt(cell);
  const auto router = scene.routerAt(cell);
  tip.heading = expert ? expertHeading(*expert, scene.routers)
                       : routerHeading(router.value_or(RouterKey{}), scene.routers);
  if (expert) tip.tag = tagOf(scene, *expert);
  const double value = scene.valueAt(cell);
  tip.rows.push_back({tr("tokens"), tr("%1 to %2").arg(count(begin), count(end - 1))});
  const QString name = qt(label(scene.settings.tokenValue(), scene.settings.mode)).toLower();
  const bool best = scene.settings.tokenValue() == figure::TokenValue::Rank;
  tip.rows.push_back({name, std::isnan(value)
                                ? tr("not chosen")
                                : (best ? tr("best %1") : tr("mean %1")).arg(number(value, best ? 0 : 3))});
  return tip;
}

QString changeText(float before, float after, int decimals) {
  const double added = static_cast<double>(after) - static_cast<double>(before);
  const QString sign = added > 0.0 ? QStringLiteral("+") : QString();
  return tr("%1, the rules add %2")
      .arg(number(static_cast<double>(after), decimals), sign + number(added, decimals));
}

/// What the rules made of the cell's logit and key.
void addSteering(ToolTipContent& tip, const MapScene& scene, MapCell cell, const ExpertCell& expert) {
  const auto steered = steeredCell(*scene.tokens, cell.row, scene.settings.router, expert.expert.value);
  if (!steered) return;
  if (std::isinf(steered->logit) || std::isinf(steered->key)) {
    tip.rows.push_back({tr("steered"), tr("banned, never chosen")});
    return;
  }
  if (steered->logit != steered->rawLogit)
    tip.rows.push_back({tr("steered logit"), changeText(steered->rawLogit, steered->logit, 2)});
  if (steered->key != steered->keyBefore)
    tip.rows.push_back({tr("selection key"), changeText(steered->keyBefore, steered->key, 3)});
}

ToolTipContent tokenExpertTip(const MapScene& scene, MapCell cell, const ExpertCell& expert,
                              const CellDetail* detail) {
  const TokenPicture& picture = *scene.tokens;
  ToolTipContent tip;
  tip.heading = expertHeading(expert, scene.routers);
  tip.tag = tagOf(scene, expert);
  addToken(tip, picture, cell.row);
  const TokenChoice choice = choiceOf(picture, cell.row, scene.settings.router, expert.expert.value);
  if (!choice.routed) {
    tip.rows.push_back({tr("routing"), tr("missing, the block is damaged")});
    return tip;
  }
  if (isOfEncoderDecoder(scene) && isUnseen(choice)) {
    addUnseen(tip);
    return tip;
  }
  tip.rows.push_back({tr("rank"), choice.rank > 0
                                      ? tr("%1 of %2 chosen").arg(choice.rank).arg(choice.chosenCount)
                                      : tr("not chosen")});
  if (!std::isnan(choice.weight))
    tip.rows.push_back({tr("gate weight"), number(static_cast<double>(choice.weight), 3)});
  if (!std::isnan(choice.logit))
    tip.rows.push_back(
        {tr("router logit"), tr("%1, before steering").arg(number(static_cast<double>(choice.logit), 2))});
  addSteering(tip, scene, cell, expert);
  tip.rows.push_back({tr("chosen"), idsText(choice.chosen)});
  if (!choice.native.empty()) tip.rows.push_back({tr("natively"), idsText(choice.native)});
  if (detail != nullptr && detail->choices > 0) {
    const double share = static_cast<double>(detail->chosen) / static_cast<double>(detail->choices);
    tip.rows.push_back(
        {tr("share in the run"),
         shareText(share, scene.routers[static_cast<std::size_t>(scene.settings.router)].experts)});
  }
  tip.footer = tr("click selects · B bans · + − strength");
  return tip;
}

ToolTipContent tokenLayerTip(const MapScene& scene, MapCell cell, const RouterKey& router) {
  const TokenPicture& picture = *scene.tokens;
  ToolTipContent tip;
  tip.heading = routerHeading(router, scene.routers);
  addToken(tip, picture, cell.row);
  const TokenChoice first = choiceOf(picture, cell.row, cell.column, -1);
  if (!first.routed) {
    tip.rows.push_back({tr("routing"), tr("missing, the block is damaged")});
    return tip;
  }
  if (isOfEncoderDecoder(scene) && isUnseen(first)) {
    addUnseen(tip);
    return tip;
  }
  if (!first.chosen.empty()) {
    const TokenChoice top = choiceOf(picture, cell.row, cell.column, first.chosen.front());
    QString text = tr("expert %1").arg(first.chosen.front());
    if (!std::isnan(top.weight)) text += tr(", weight %1").arg(number(static_cast<double>(top.weight), 3));
    tip.rows.push_back({tr("rank 1"), text});
  }
  tip.rows.push_back({tr("chosen"), idsText(first.chosen)});
  if (!first.native.empty()) tip.rows.push_back({tr("natively"), idsText(first.native)});
  const double value = scene.valueAt(cell);
  if (scene.settings.layerValue == figure::TokenValue::Entropy && !std::isnan(value))
    tip.rows.push_back({tr("routing entropy"), tr("%1 nat").arg(number(value, 2))});
  return tip;
}

}  // namespace

std::optional<ToolTipContent> mapToolTip(const MapScene& scene, MapCell cell, const CellDetail* detail) {
  const auto expert = scene.expertAt(cell);
  std::optional<ToolTipContent> tip;
  if (scene.settings.mode == MapMode::LayerExpert) {
    if (scene.layers && expert && cell.row < static_cast<std::int64_t>(scene.layers->loads.size()))
      tip = layerTip(scene, cell, *expert, detail);
  } else if (scene.tokens && scene.tokens->contains(cell.row)) {
    const auto router = scene.routerAt(cell);
    if (scene.tokens->request.step > 1) {
      tip = densityTip(scene, cell);
    } else if (expert) {
      tip = tokenExpertTip(scene, cell, *expert, detail);
    } else if (router) {
      tip = tokenLayerTip(scene, cell, *router);
    }
  }
  if (tip) tip->clearOf = scene.geometry.rectOf(cell);
  return tip;
}

QString cellHeading(const MapScene& scene, MapCell cell) {
  const auto expert = scene.expertAt(cell);
  if (!expert) return {};
  QString heading = expertHeading(*expert, scene.routers);
  if (scene.settings.mode == MapMode::LayerExpert && scene.layers) {
    const auto row = static_cast<std::size_t>(cell.row);
    const trace::LoadSummary& load = scene.layers->loads[row];
    if (load.slots > 0) {
      const double share = static_cast<double>(load.counts[static_cast<std::size_t>(expert->expert.value)]) /
                           static_cast<double>(load.slots);
      heading += QStringLiteral(" · m ") + shareText(share, scene.routers[row].experts);
    }
  }
  return heading;
}

QString cellText(const MapScene& scene, MapCell cell) {
  const auto tip = mapToolTip(scene, cell, nullptr);
  if (!tip) return {};
  QString text = tip->heading;
  if (!tip->tag.isEmpty()) text += QStringLiteral(", ") + tip->tag;
  const QString pending = tr("being counted");
  for (const auto& row : tip->rows) {
    if (row.value != pending)
      text +=
          QStringLiteral(", ") + (row.label.isEmpty() ? QString() : row.label + QLatin1Char(' ')) + row.value;
  }
  return text;
}

}  // namespace moescope::views
