#include "views/panels/steering/scope_popups.h"

#include <QCheckBox>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QSpinBox>

#include <algorithm>
#include <limits>

#include "core/base/router_label.h"
#include "views/panels/steering/edit_popup.h"
#include "views/panels/steering/index_ranges.h"
#include "views/panels/steering/rule_strength.h"
#include "views/panels/steering/signed_spin_box.h"

namespace moescope::views {

namespace {

QString layersPlaceholder(const std::vector<RouterSpec>& routers) {
  if (routers.empty()) return QObject::tr("all layers, or e.g. 0–3, 7");
  const QString all =
      QObject::tr("all layers (%1–%2)").arg(routers.front().layer.value).arg(routers.back().layer.value);
  const int encoder = routers.front().encoderLayers;
  return encoder == 0 ? all : QObject::tr("%1; the decoder's from %2").arg(all).arg(encoder);
}

/// What is wrong with typed layers and experts; the parsed values otherwise.
struct Typed {
  std::vector<std::int32_t> layers, experts;
  QString problem;
};

Typed typed(const QString& layers, const QString& experts, const std::vector<RouterSpec>& routers) {
  Typed out;
  const auto parsedLayers = parseRanges(layers);
  const auto parsedExperts = parseRanges(experts);
  if (!parsedLayers || !parsedExperts) {
    out.problem = !parsedLayers ? parsedLayers.error() : parsedExperts.error();
    return out;
  }
  out.layers = *parsedLayers;
  out.experts = *parsedExperts;
  out.problem = missingIndices(out.layers, out.experts, routers);
  return out;
}

/// A field for the kind of router, where the model has several or the rule names one; else null.
QComboBox* kindField(EditPopup& popup, const std::string& chosen, const std::vector<RouterSpec>& routers) {
  if (!hasRouterKinds(routers) && chosen.empty()) return nullptr;
  auto* box = new QComboBox;
  box->setObjectName(QStringLiteral("router"));
  box->setAccessibleName(QObject::tr("Routers"));
  box->addItem(QObject::tr("All"), QString());
  box->addItem(QObject::tr("Feed-forward"), QStringLiteral("ffn"));
  box->addItem(QObject::tr("Attention"), QStringLiteral("attention"));
  box->setCurrentIndex(std::max(0, box->findData(QString::fromStdString(chosen))));
  popup.addField(QObject::tr("Routers"), box);
  QObject::connect(box, &QComboBox::currentIndexChanged, &popup, &EditPopup::recheck);
  return box;
}

std::string kindOf(const QComboBox* box) {
  return box == nullptr ? std::string() : box->currentData().toString().toStdString();
}

std::vector<RouterSpec> ofKind(const std::vector<RouterSpec>& routers, const std::string& kind) {
  std::vector<RouterSpec> out = routers;
  std::erase_if(out, [&kind](const RouterSpec& router) { return !kind.empty() && router.kind != kind; });
  return out;
}

QSpinBox* wholeField(std::int64_t value, int least) {
  auto* field = new QSpinBox;
  field->setRange(least, std::numeric_limits<int>::max());
  field->setValue(static_cast<int>(std::clamp<std::int64_t>(value, least, std::numeric_limits<int>::max())));
  return field;
}

}  // namespace

QString missingIndices(const std::vector<std::int32_t>& layers, const std::vector<std::int32_t>& experts,
                       const std::vector<RouterSpec>& routers) {
  if (routers.empty()) return {};
  for (const std::int32_t layer : layers) {
    const bool exists =
        std::ranges::any_of(routers, [layer](const RouterSpec& r) { return r.layer.value == layer; });
    if (!exists) return QObject::tr("Layer %1 has no router.").arg(layer);
  }
  for (const RouterSpec& router : routers) {
    const bool inScope = layers.empty() || std::ranges::find(layers, router.layer.value) != layers.end();
    if (!inScope || experts.empty() || experts.back() < router.experts) continue;
    return QObject::tr("Layer %1 has the experts 0 to %2, not %3.")
        .arg(router.layer.value)
        .arg(router.experts - 1)
        .arg(experts.back());
  }
  return {};
}

EditPopup* layersPopup(const steering::Rule& rule, const std::vector<RouterSpec>& routers, RuleCallback apply,
                       QWidget* parent) {
  auto* popup = new EditPopup(QObject::tr("Layers of the rule"), parent);
  auto* layers = popup->addLine(QObject::tr("Layers"), rangesText(rule.layers), layersPlaceholder(routers));
  layers->setObjectName(QStringLiteral("layers"));
  const auto* kind = kindField(*popup, rule.router, routers);
  const auto read = [=] {
    return typed(layers->text(), rangesText(rule.experts), ofKind(routers, kindOf(kind)));
  };
  popup->setCheck([read] { return read().problem; });
  popup->setApply(QObject::tr("Apply"), [read, rule, kind, apply = std::move(apply)] {
    steering::Rule changed = rule;
    changed.layers = read().layers;
    changed.router = kindOf(kind);
    apply(changed);
  });
  return popup;
}

EditPopup* expertsPopup(const steering::Rule& rule, const std::vector<RouterSpec>& routers,
                        RuleCallback apply, QWidget* parent) {
  auto* popup = new EditPopup(QObject::tr("Experts of the rule"), parent);
  auto* experts = popup->addLine(QObject::tr("Experts"), rangesText(rule.experts),
                                 QObject::tr("all experts, or e.g. 0–3, 7"));
  experts->setObjectName(QStringLiteral("experts"));
  QCheckBox* keepReleased = nullptr;
  if (!rule.except.empty()) {
    keepReleased = new QCheckBox(QObject::tr("%1 released cells stay free").arg(rule.except.size()));
    keepReleased->setChecked(true);
    popup->addField(QObject::tr("Exceptions"), keepReleased);
  }
  const auto read = [=] {
    return typed(rangesText(rule.layers), experts->text(), ofKind(routers, rule.router));
  };
  popup->setCheck([read] { return read().problem; });
  popup->setApply(QObject::tr("Apply"), [read, rule, keepReleased, apply = std::move(apply)] {
    steering::Rule changed = rule;
    changed.experts = read().experts;
    if (keepReleased != nullptr && !keepReleased->isChecked()) changed.except.clear();
    apply(changed);
  });
  return popup;
}

EditPopup* tokensPopup(const steering::Rule& rule, RuleCallback apply, QWidget* parent) {
  auto* popup = new EditPopup(QObject::tr("Tokens of the rule, by position in the text"), parent);
  auto* from = wholeField(rule.positions.from, 0);
  from->setObjectName(QStringLiteral("from"));
  auto* ends = new QCheckBox(QObject::tr("at a last token"));
  ends->setObjectName(QStringLiteral("ends"));
  ends->setChecked(rule.positions.to.has_value());
  auto* last = wholeField(rule.positions.to.value_or(rule.positions.from + 1) - 1, 0);
  last->setObjectName(QStringLiteral("last"));
  last->setEnabled(ends->isChecked());
  auto* every = wholeField(rule.positions.every, 1);
  every->setObjectName(QStringLiteral("every"));
  every->setToolTip(QObject::tr("1 is each token, 2 every second one, counted from the first"));
  popup->addField(QObject::tr("From token"), from);
  popup->addField(QObject::tr("Ends"), ends);
  popup->addField(QObject::tr("Last token"), last);
  popup->addField(QObject::tr("One in"), every);
  QObject::connect(ends, &QCheckBox::toggled, last, &QWidget::setEnabled);
  QObject::connect(ends, &QCheckBox::toggled, popup, &EditPopup::recheck);
  QObject::connect(from, &QSpinBox::valueChanged, popup, &EditPopup::recheck);
  QObject::connect(last, &QSpinBox::valueChanged, popup, &EditPopup::recheck);
  popup->setCheck([=] {
    if (!ends->isChecked() || last->value() >= from->value()) return QString();
    return QObject::tr("The last token lies before the first.");
  });
  popup->setApply(QObject::tr("Apply"), [=, apply = std::move(apply)] {
    steering::Rule changed = rule;
    changed.positions.from = from->value();
    changed.positions.to.reset();
    if (ends->isChecked()) changed.positions.to = std::int64_t{last->value()} + 1;
    changed.positions.every = every->value();
    apply(changed);
  });
  return popup;
}

EditPopup* newRulePopup(const NewRule& first, const std::vector<RouterSpec>& routers,
                        std::function<void(const NewRule&)> apply, QWidget* parent) {
  const bool onExperts = isExpertVerb(first.verb);
  auto* popup = new EditPopup(onExperts ? QObject::tr("%1 experts").arg(verbText(first.verb))
                                        : QObject::tr("%1 of layers").arg(verbText(first.verb)),
                              parent);
  auto* layers = popup->addLine(QObject::tr("Layers"), rangesText(first.layers), layersPlaceholder(routers));
  layers->setObjectName(QStringLiteral("layers"));
  const auto* kind = kindField(*popup, first.router, routers);
  QLineEdit* experts = nullptr;
  if (onExperts) {
    experts =
        popup->addLine(QObject::tr("Experts"), rangesText(first.experts), QObject::tr("e.g. 17, 40–43"));
    experts->setObjectName(QStringLiteral("experts"));
  }
  SignedSpinBox* value = nullptr;
  const steering::Rule draft = draftRule({}, first.verb, {}, {0}, first.value);
  if (const auto strength = ruleStrength(draft, routers)) {
    value = new SignedSpinBox;
    value->setObjectName(QStringLiteral("value"));
    value->setStrength(*strength);
    popup->addField(strength->unit == QLatin1String("×") ? QObject::tr("Factor") : strength->name, value);
  }
  const auto read = [=] {
    Typed out = typed(layers->text(), experts != nullptr ? experts->text() : QString(),
                      ofKind(routers, kindOf(kind)));
    if (out.problem.isEmpty() && experts != nullptr && out.experts.empty()) {
      out.problem = QObject::tr("Name at least one expert.");
    }
    return out;
  };
  popup->setCheck([read] { return read().problem; });
  popup->setApply(QObject::tr("Add"), [=, verb = first.verb, apply = std::move(apply)] {
    const Typed fields = read();
    apply({verb, fields.layers, fields.experts, value != nullptr ? value->value() : 0.0, kindOf(kind)});
  });
  return popup;
}

}  // namespace moescope::views
