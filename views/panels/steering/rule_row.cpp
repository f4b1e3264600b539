#include "views/panels/steering/rule_row.h"

#include <QAction>
#include <QCheckBox>
#include <QContextMenuEvent>
#include <QEvent>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include "views/api/expert_actions.h"
#include "views/api/panel_widgets.h"
#include "views/api/theme.h"
#include "views/panels/steering/edit_popup.h"
#include "views/panels/steering/flow_layout.h"
#include "views/panels/steering/rule_texts.h"
#include "views/panels/steering/scope_button.h"
#include "views/panels/steering/scope_popups.h"
#include "views/panels/steering/signed_spin_box.h"
#include "views/panels/steering/strength_slider.h"

namespace moescope::views {

namespace {

constexpr int kPadding = 12, kLineGap = 4;
constexpr int kIcon = 16;
/// Lines below the title start under its text, beyond check box and icon.
constexpr int kIndent = 22;

bool changesLook(const QEvent& event) {
  return event.type() == QEvent::PaletteChange || event.type() == QEvent::StyleChange;
}

QPixmap tinted(QPixmap pixmap, const QColor& colour) {
  QPainter painter(&pixmap);
  painter.setCompositionMode(QPainter::CompositionMode_SourceIn);
  painter.fillRect(pixmap.rect(), colour);
  return pixmap;
}

QString titleOf(const steering::Rule& rule) { return QString::fromStdString(steering::ruleTitle(rule)); }

}  // namespace

RuleRow::RuleRow(QWidget* parent) : QFrame(parent) {
  setFocusPolicy(Qt::StrongFocus);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kPadding, 8, 8, 8);
  column->setSpacing(kLineGap);
  column->addWidget(makeTitleLine());
  auto* below = new QVBoxLayout;
  below->setContentsMargins(kIndent, 0, 4, 0);
  below->setSpacing(kLineGap);
  m_strengthLine = makeStrengthLine();
  below->addWidget(m_strengthLine);
  below->addWidget(makeScopeLine());
  m_effect = new TextLabel({}, TextLabel::Style::Secondary);
  m_effect->setObjectName(QStringLiteral("effect"));
  m_effect->setWordWrap(true);
  below->addWidget(m_effect);
  m_problemLine = makeProblemLine();
  below->addWidget(m_problemLine);
  column->addLayout(below);
}

QWidget* RuleRow::makeTitleLine() {
  auto* line = new QWidget;
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(6);
  m_enabled = new QCheckBox;
  m_enabled->setObjectName(QStringLiteral("enabled"));
  connect(m_enabled, &QCheckBox::clicked, this, [this](bool on) {
    steering::Rule rule = m_state.rule;
    rule.enabled = on;
    Q_EMIT ruleEdited(rule, (on ? tr("Switch on %1") : tr("Switch off %1")).arg(titleOf(rule)), 0);
  });
  m_icon = new QLabel;
  m_title = new QLabel;
  m_title->setObjectName(QStringLiteral("title"));
  m_title->setTextFormat(Qt::PlainText);
  m_title->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
  m_title->installEventFilter(this);
  m_rename = new QLineEdit;
  m_rename->setObjectName(QStringLiteral("rename"));
  m_rename->setAccessibleName(tr("Name of the rule"));
  m_rename->setPlaceholderText(tr("Name; empty for the generated one"));
  m_rename->installEventFilter(this);
  m_rename->hide();
  connect(m_rename, &QLineEdit::editingFinished, this, &RuleRow::finishRename);
  m_menuButton = new QToolButton;
  m_menuButton->setObjectName(QStringLiteral("menu"));
  m_menuButton->setIcon(themeIcon(QStringLiteral("more")));
  m_menuButton->setAutoRaise(true);
  m_menuButton->setToolTip(tr("Rename, duplicate, delete, show on map"));
  m_menuButton->setAccessibleName(tr("Rule actions"));
  connect(m_menuButton, &QToolButton::clicked, this,
          [this] { openMenu(m_menuButton->mapToGlobal(QPoint(0, m_menuButton->height()))); });
  row->addWidget(m_enabled);
  row->addWidget(m_icon);
  row->addWidget(m_title, 1);
  row->addWidget(m_rename, 1);
  row->addWidget(m_menuButton);
  return line;
}

QWidget* RuleRow::makeStrengthLine() {
  auto* line = new QWidget;
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(8);
  m_slider = new StrengthSlider;
  m_slider->setObjectName(QStringLiteral("slider"));
  m_field = new SignedSpinBox;
  m_field->setObjectName(QStringLiteral("strength"));
  m_unit = new TextLabel({}, TextLabel::Style::Secondary);
  row->addWidget(m_slider, 1);
  row->addWidget(m_field);
  row->addWidget(m_unit);
  connect(m_slider, &QSlider::sliderPressed, this, [this] { m_gesture = newMergeId(); });
  connect(m_slider, &QSlider::valueChanged, this,
          [this] { editStrength(m_slider->strength(), m_slider->isSliderDown()); });
  connect(m_field, &QDoubleSpinBox::valueChanged, this, [this](double value) { editStrength(value, false); });
  return line;
}

ScopeButton* RuleRow::makeScopeButton(const char* name, const std::function<void(QWidget*)>& open) {
  auto* button = new ScopeButton;
  button->setObjectName(QString::fromLatin1(name));
  connect(button, &QAbstractButton::clicked, this, [button, open] { open(button); });
  return button;
}

QWidget* RuleRow::makeScopeLine() {
  auto* line = new QWidget;
  auto* flow = new FlowLayout(kLineGap);
  line->setLayout(flow);
  const auto apply = [this](const steering::Rule& rule) {
    Q_EMIT ruleEdited(rule, tr("Scope of %1").arg(titleOf(rule)), 0);
  };
  m_layers = makeScopeButton("layers", [this, apply](QWidget* button) {
    layersPopup(m_state.rule, m_state.routers, apply, this)->showUnder(button);
  });
  m_experts = makeScopeButton("experts", [this, apply](QWidget* button) {
    expertsPopup(m_state.rule, m_state.routers, apply, this)->showUnder(button);
  });
  m_phase = makeScopeButton("phase", [this](QWidget* button) { openPhaseMenu(button); });
  m_tokens = makeScopeButton("tokens", [this, apply](QWidget* button) {
    tokensPopup(m_state.rule, apply, this)->showUnder(button);
  });
  for (ScopeButton* button : {m_layers, m_experts, m_phase, m_tokens}) flow->addWidget(button);
  QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Preferred);
  policy.setHeightForWidth(true);
  line->setSizePolicy(policy);
  return line;
}

QWidget* RuleRow::makeProblemLine() {
  auto* line = new QWidget;
  auto* row = new QHBoxLayout(line);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(4);
  m_problemIcon = new QLabel;
  m_problem = new TextLabel({}, TextLabel::Style::Warning);
  m_problem->setObjectName(QStringLiteral("problem"));
  m_problem->setWordWrap(true);
  row->addWidget(m_problemIcon, 0, Qt::AlignTop);
  row->addWidget(m_problem, 1);
  return line;
}

void RuleRow::setState(const RuleRowState& state) {
  m_state = state;
  refreshTitle();
  refreshStrength();
  refreshScope();
  m_effect->setText(state.effect);
  m_effect->setVisible(!state.effect.isEmpty());
  m_problem->setText(state.problem);
  m_problem->setToolTip(state.problemDetail);
  m_problemLine->setVisible(!state.problem.isEmpty());
  setAccessibleName(m_fullTitle);
  setAccessibleDescription(QStringList{m_state.rule.enabled ? tr("on") : tr("off"),
                                       layersScopeText(state.rule), phaseText(state.rule.phase),
                                       tokensScopeText(state.rule.positions), state.effect, state.problem}
                               .join(QStringLiteral(", ")));
  tint();
}

void RuleRow::refreshTitle() {
  m_fullTitle = titleOf(m_state.rule);
  m_enabled->setChecked(m_state.rule.enabled);
  m_enabled->setAccessibleName(tr("%1 is on").arg(m_fullTitle));
  m_enabled->setToolTip(m_state.rule.enabled ? tr("Switch this rule off") : tr("Switch this rule on"));
  m_icon->setToolTip(m_fullTitle);
  elideTitle();
}

void RuleRow::refreshStrength() {
  const auto strength = ruleStrength(m_state.rule, m_state.routers);
  m_strengthLine->setVisible(strength.has_value());
  if (!strength) return;
  if (!m_slider->isSliderDown()) m_slider->setStrength(*strength);
  m_field->setStrength(*strength);
  m_unit->setText(strength->unit);
}

void RuleRow::refreshScope() {
  const steering::Rule& rule = m_state.rule;
  m_layers->setText(layersScopeText(rule));
  m_layers->setToolTip(tr("Layers that the rule acts on"));
  m_experts->setText(expertsScopeText(rule));
  m_experts->setToolTip(tr("Experts that the rule acts on"));
  // A single expert stands in the title.
  m_experts->setVisible(actsOnExperts(rule) && (rule.experts.size() != 1 || !rule.except.empty()));
  m_phase->setText(phaseText(rule.phase));
  m_phase->setToolTip(tr("Prefill is the prompt, decode the generated text"));
  m_tokens->setText(tokensScopeText(rule.positions));
  m_tokens->setToolTip(tr("Tokens that the rule acts on, by position in the text"));
  for (ScopeButton* button : {m_layers, m_experts, m_phase, m_tokens}) {
    button->updateGeometry();
    button->setAccessibleName(QStringLiteral("%1: %2").arg(button->toolTip(), button->text()));
  }
}

void RuleRow::elideTitle() {
  const QString shown = m_title->fontMetrics().elidedText(m_fullTitle, Qt::ElideRight, m_title->width());
  if (m_title->text() != shown) m_title->setText(shown);
  m_title->setToolTip(m_fullTitle);
}

void RuleRow::tint() {
  if (m_tinting) return;
  m_tinting = true;
  const Theme& theme = Theme::current();
  const bool acts = m_state.rule.enabled && m_state.steeringOn;
  const QColor verb = theme.colour(acts ? ColourRole::Accent : ColourRole::Text3);
  m_icon->setPixmap(
      tinted(themeIcon(verbIcon(m_state.rule)).pixmap(QSize(kIcon, kIcon), devicePixelRatioF()), verb));
  m_problemIcon->setPixmap(themeIcon(QStringLiteral("warning")).pixmap(QSize(14, 14), devicePixelRatioF()));
  m_title->setFont(theme.font(FontSize::Title));
  QPalette colours = m_title->palette();
  colours.setColor(QPalette::WindowText, theme.colour(acts ? ColourRole::Text : ColourRole::Text2));
  m_title->setPalette(colours);
  m_tinting = false;
  update();
}

void RuleRow::openPhaseMenu(QWidget* anchor) {
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  using steering::PhaseScope;
  const std::pair<PhaseScope, QString> choices[] = {{PhaseScope::Both, tr("Both phases")},
                                                    {PhaseScope::Prefill, tr("Prefill: the prompt")},
                                                    {PhaseScope::Decode, tr("Decode: the generated text")}};
  for (const auto& [phase, text] : choices) {
    auto* action = menu->addAction(text);
    action->setCheckable(true);
    action->setChecked(m_state.rule.phase == phase);
    connect(action, &QAction::triggered, this, [this, phase = phase] {
      steering::Rule rule = m_state.rule;
      rule.phase = phase;
      Q_EMIT ruleEdited(rule, tr("Phase of %1").arg(titleOf(rule)), 0);
    });
  }
  menu->popup(anchor->mapToGlobal(QPoint(0, anchor->height())));
}

void RuleRow::editStrength(double value, bool sameGesture) {
  steering::Rule rule = m_state.rule;
  setStrength(rule, value);
  if (rule == m_state.rule) return;
  const int mergeId = sameGesture ? m_gesture : 0;
  Q_EMIT ruleEdited(rule, tr("Strength of %1").arg(titleOf(rule)), mergeId);
}

void RuleRow::openMenu(QPoint globalAt) {
  auto* menu = new QMenu(this);
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(tr("Rename") + QStringLiteral("\tF2"), this, &RuleRow::startRename);
  menu->addAction(themeIcon(QStringLiteral("copy")), tr("Duplicate") + QStringLiteral("\tCtrl+D"), this,
                  &RuleRow::duplicateRequested);
  menu->addAction(themeIcon(QStringLiteral("delete")), tr("Delete") + QStringLiteral("\tDel"), this,
                  &RuleRow::deleteRequested);
  menu->addSeparator();
  menu->addAction(themeIcon(QStringLiteral("routing_map")), tr("Show on map") + QStringLiteral("\tEnter"),
                  this, &RuleRow::showOnMapRequested);
  menu->popup(globalAt);
}

void RuleRow::startRename() {
  m_rename->setText(m_state.rule.name.empty() ? m_fullTitle : QString::fromStdString(m_state.rule.name));
  m_title->hide();
  m_rename->show();
  m_rename->setFocus(Qt::OtherFocusReason);
  m_rename->selectAll();
}

void RuleRow::finishRename() {
  if (m_rename->isHidden()) return;
  m_rename->hide();
  m_title->show();
  steering::Rule rule = m_state.rule;
  rule.name = m_rename->text().trimmed().toStdString();
  // The generated title is no name: it must go on following the rule.
  steering::Rule unnamed = rule;
  unnamed.name.clear();
  if (rule.name == steering::ruleTitle(unnamed)) rule.name.clear();
  if (rule.name != m_state.rule.name) Q_EMIT ruleEdited(rule, tr("Rename %1").arg(m_fullTitle), 0);
}

void RuleRow::setCurrent(bool current) {
  if (m_current == current) return;
  m_current = current;
  update();
}

void RuleRow::keyPressEvent(QKeyEvent* event) {
  const bool plain = event->modifiers() == Qt::NoModifier || event->modifiers() == Qt::KeypadModifier;
  if (event->key() == Qt::Key_D && event->modifiers() == Qt::ControlModifier)
    return Q_EMIT duplicateRequested();
  if (!plain) return QFrame::keyPressEvent(event);
  switch (event->key()) {
    case Qt::Key_Delete: return Q_EMIT deleteRequested();
    case Qt::Key_F2: return startRename();
    case Qt::Key_Space: return m_enabled->click();
    case Qt::Key_Return:
    case Qt::Key_Enter: return Q_EMIT showOnMapRequested();
    case Qt::Key_Up: return Q_EMIT moveRequested(-1);
    case Qt::Key_Down: return Q_EMIT moveRequested(1);
    default: QFrame::keyPressEvent(event);
  }
}

void RuleRow::mousePressEvent(QMouseEvent* /*event*/) { setFocus(Qt::MouseFocusReason); }

void RuleRow::focusInEvent(QFocusEvent* event) {
  QFrame::focusInEvent(event);
  update();
  Q_EMIT becameCurrent();
}

void RuleRow::contextMenuEvent(QContextMenuEvent* event) { openMenu(event->globalPos()); }

void RuleRow::paintEvent(QPaintEvent* /*event*/) {
  const Theme& theme = Theme::current();
  QPainter painter(this);
  if (m_current) painter.fillRect(rect(), theme.colour(ColourRole::AccentBack));
  painter.fillRect(QRect(0, height() - 1, width(), 1), theme.colour(ColourRole::Separator));
  if (!hasFocus()) return;
  painter.setPen(QPen(theme.colour(ColourRole::Accent), 2));
  painter.drawRect(rect().adjusted(1, 1, -1, -2));
}

void RuleRow::resizeEvent(QResizeEvent* event) {
  QFrame::resizeEvent(event);
  elideTitle();
}

void RuleRow::changeEvent(QEvent* event) {
  QFrame::changeEvent(event);
  if (changesLook(*event) && m_title != nullptr) tint();
}

bool RuleRow::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_title && event->type() == QEvent::Resize) elideTitle();
  if (watched == m_title && event->type() == QEvent::MouseButtonDblClick) startRename();
  if (watched == m_rename && event->type() == QEvent::KeyPress &&
      static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
    m_rename->setText(QString::fromStdString(m_state.rule.name));
    m_rename->hide();
    m_title->show();
    setFocus(Qt::OtherFocusReason);
    return true;
  }
  return QFrame::eventFilter(watched, event);
}

}  // namespace moescope::views
