// The steering panel as a widget: every control edits the program as one undo step, and rows show what the
// program says.
#include <QAbstractButton>
#include <QCheckBox>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStackedWidget>
#include <QUndoStack>

#include "core/engine/generation/live_session.h"
#include "tests/support/gui_test.h"
#include "views/api/selection_model.h"
#include "views/api/view_context.h"
#include "views/panels/steering/rule_row.h"
#include "views/panels/steering/signed_spin_box.h"
#include "views/panels/steering/steering_panel.h"
#include "views/panels/steering/strength_slider.h"

namespace moescope::views {

namespace {

using steering::Operation;
using steering::Rule;

constexpr ExpertCell kCell{LayerIndex{1}, ExpertIndex{5}};

std::vector<RouterSpec> routers(int experts = 8) {
  std::vector<RouterSpec> out(4);
  for (int layer = 0; layer < 4; ++layer) {
    out[static_cast<std::size_t>(layer)].layer = LayerIndex{layer};
    out[static_cast<std::size_t>(layer)].experts = experts;
    out[static_cast<std::size_t>(layer)].topK = 2;
  }
  return out;
}

}  // namespace

class TestSteeringPanel : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    m_context = std::make_unique<ViewContext>(
        std::make_shared<engine::LiveSession>([]() -> Result<std::shared_ptr<engine::Engine>> {
          return fail("engine.unsupported", "", "", "this test has no engine");
        }));
    m_panel = std::make_unique<SteeringPanel>(*m_context);
    m_panel->setRouters(routers());
    m_panel->resize(336, 448);
    m_panel->show();
  }

  void cleanup() {
    m_panel.reset();
    m_context.reset();
  }

  void emptyState() {
    auto* pages = m_panel->findChild<QStackedWidget*>();
    QCOMPARE(pages->currentIndex(), 0);
    QVERIFY(m_panel->summary().isEmpty());
    QVERIFY(!m_panel->findChild<QAbstractButton*>(QStringLiteral("save"))->isEnabled());
    QVERIFY(m_panel->findChild<QAbstractButton*>(QStringLiteral("add"))->isEnabled());
    QSignalSpy load(m_panel.get(), &SteeringPanel::loadRequested);
    m_panel->findChild<QAbstractButton*>(QStringLiteral("load"))->click();
    QCOMPARE(load.count(), 1);
    m_panel->setRouters({});
    QVERIFY(!m_panel->findChild<QAbstractButton*>(QStringLiteral("add"))->isEnabled());
  }

  void rowsFollowTheProgram() {
    addThree();
    QCOMPARE(m_panel->findChild<QStackedWidget*>()->currentIndex(), 1);
    QCOMPARE(m_panel->findChildren<RuleRow*>().size(), 3);
    QCOMPARE(m_panel->summary(), QStringLiteral("3 of 3 on"));
    QVERIFY(row(1)->findChild<StrengthSlider*>()->isHidden() ||
            !row(1)->findChild<StrengthSlider*>()->isVisible());
    QVERIFY(row(2)->findChild<StrengthSlider*>()->isVisible());
    QCOMPARE(field(2)->text(), QStringLiteral("+1.50"));
    QCOMPARE(button(1, "layers")->text(), QStringLiteral("layer 1"));
    QVERIFY(!button(1, "experts")->isVisible());  // it stands in the title
    QSignalSpy save(m_panel.get(), &SteeringPanel::saveRequested);
    m_panel->findChild<QAbstractButton*>(QStringLiteral("save"))->click();
    QCOMPARE(save.count(), 1);
  }

  void checkBoxIsOneUndoStep() {
    addThree();
    const int before = undo()->index();
    QSignalSpy summary(m_panel.get(), &SteeringPanel::summaryChanged);
    row(1)->findChild<QCheckBox*>(QStringLiteral("enabled"))->click();
    QVERIFY(!rule(1).enabled);
    QCOMPARE(summary.last().front().toString(), QStringLiteral("2 of 3 on"));
    QCOMPARE(undo()->index(), before + 1);
    QCOMPARE(undo()->undoText(), QStringLiteral("Switch off Ban L1 E5"));
    undo()->undo();
    QVERIFY(rule(1).enabled);
    QVERIFY(row(1)->findChild<QCheckBox*>(QStringLiteral("enabled"))->isChecked());
    undo()->redo();
    QVERIFY(!rule(1).enabled);
  }

  void aDragIsOneUndoStep() {
    addThree();
    const int before = undo()->index();
    auto* slider = row(2)->findChild<StrengthSlider*>();
    drag(slider);
    const double first = rule(2).operand.value;
    QVERIFY(first > 1.5);
    QCOMPARE(undo()->index(), before + 1);
    QCOMPARE(field(2)->value(), first);
    drag(slider, false);
    QVERIFY(rule(2).operand.value < first);
    QCOMPARE(undo()->index(), before + 2);
    undo()->undo();
    QCOMPARE(rule(2).operand.value, first);
    undo()->undo();
    QCOMPARE(rule(2).operand.value, 1.5);
    QCOMPARE(slider->strength(), 1.5);
  }

  void fieldTakesWhatTheSliderCannot() {
    addThree();
    field(2)->setFocus();
    field(2)->selectAll();
    QTest::keyClicks(field(2), QStringLiteral("-12.5"));
    QCOMPARE(rule(2).operand.value, 1.5);  // not while typing
    QTest::keyClick(field(2), Qt::Key_Return);
    QCOMPARE(rule(2).operand.value, -12.5);
    QCOMPARE(row(2)->findChild<QLabel*>(QStringLiteral("title"))->toolTip(),
             QStringLiteral("Dampen L1 E5, −12.50 logit"));
    field(3)->setValue(3);
    QCOMPARE(rule(3).operand.count, 3);
  }

  void typingSurvivesNewEffects() {
    addThree();
    field(2)->setFocus();
    field(2)->selectAll();
    QTest::keyClicks(field(2), QStringLiteral("-0.7"));
    m_panel->setEffects({{.ruleId = 2,
                          .tokensInScope = 9,
                          .chosen = 5,
                          .nativelyChosen = 2,
                          .choicesAdded = 0,
                          .choicesDropped = 0,
                          .droppedNativeMass = 0,
                          .nativeMass = 0}});
    QCOMPARE(row(2)->state().effect, QStringLiteral("chosen by 5 of 9 tokens, natively 2"));
    QTest::keyClick(field(2), Qt::Key_Return);
    QCOMPARE(rule(2).operand.value, -0.7);
  }

  void layersEditorChecksAndApplies() {
    addThree();
    QWidget* popup = open(button(3, "layers"));
    auto* line = popup->findChild<QLineEdit*>(QStringLiteral("layers"));
    auto* apply = popup->findChild<QPushButton*>(QStringLiteral("apply"));
    QCOMPARE(line->text(), QStringLiteral("0–1"));
    line->setText(QStringLiteral("2-7"));
    QVERIFY(!apply->isEnabled());
    QCOMPARE(popup->findChild<QLabel*>(QStringLiteral("problem"))->text(),
             QStringLiteral("Layer 4 has no router."));
    QTest::keyClick(line, Qt::Key_Return);
    QCOMPARE(rule(3).layers, (std::vector<std::int32_t>{0, 1}));
    line->setText(QStringLiteral("2-3, 0"));
    apply->click();
    QCOMPARE(rule(3).layers, (std::vector<std::int32_t>{0, 2, 3}));
    QCOMPARE(button(3, "layers")->text(), QStringLiteral("layers 0, 2–3"));
    QCOMPARE(undo()->undoText(), QStringLiteral("Scope of Top-k 1, 3 layers"));
    undo()->undo();
    QCOMPARE(rule(3).layers, (std::vector<std::int32_t>{0, 1}));
  }

  void expertsEditor() {
    steering::SteeringProgram program;
    Rule ban = steering::banRule(program, kCell);
    ban.experts = {1, 2, 3};
    ban.except = {{LayerIndex{1}, ExpertIndex{2}}};
    program.rules = {ban};
    m_context->steering().edit(program, QStringLiteral("load"));
    QVERIFY(button(1, "experts")->isVisible());
    QWidget* popup = open(button(1, "experts"));
    auto* line = popup->findChild<QLineEdit*>(QStringLiteral("experts"));
    line->setText(QStringLiteral("0-8"));
    QCOMPARE(popup->findChild<QLabel*>(QStringLiteral("problem"))->text(),
             QStringLiteral("Layer 1 has the experts 0 to 7, not 8."));
    line->setText(QStringLiteral("0-4"));
    popup->findChild<QCheckBox*>()->setChecked(false);
    popup->findChild<QPushButton*>(QStringLiteral("apply"))->click();
    QCOMPARE(rule(1).experts.size(), std::size_t{5});
    QVERIFY(rule(1).except.empty());
  }

  void tokensEditor() {
    addThree();
    QWidget* popup = open(button(1, "tokens"));
    popup->findChild<QSpinBox*>(QStringLiteral("from"))->setValue(60);
    popup->findChild<QCheckBox*>(QStringLiteral("ends"))->setChecked(true);
    popup->findChild<QSpinBox*>(QStringLiteral("last"))->setValue(59);
    QVERIFY(!popup->findChild<QPushButton*>(QStringLiteral("apply"))->isEnabled());
    popup->findChild<QSpinBox*>(QStringLiteral("last"))->setValue(99);
    popup->findChild<QSpinBox*>(QStringLiteral("every"))->setValue(2);
    popup->findChild<QPushButton*>(QStringLiteral("apply"))->click();
    QVERIFY(rule(1).positions == (steering::PositionScope{60, 100, 2}));
    QCOMPARE(button(1, "tokens")->text(), QStringLiteral("tokens 60–99, one in 2"));
    // Esc leaves everything as it was.
    popup = open(button(1, "tokens"));
    popup->findChild<QSpinBox*>(QStringLiteral("from"))->setValue(7);
    QTest::keyClick(popup, Qt::Key_Escape);
    QCOMPARE(rule(1).positions.from, std::int64_t{60});
  }

  void phaseMenu() {
    addThree();
    button(1, "phase")->click();
    auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
    QVERIFY(menu);
    QCOMPARE(menu->actions().size(), 3);
    QVERIFY(menu->actions()[0]->isChecked());
    menu->actions()[2]->trigger();
    menu->close();
    QVERIFY(rule(1).phase == steering::PhaseScope::Decode);
    QCOMPARE(button(1, "phase")->text(), QStringLiteral("decode"));
  }

  void conflictsAndErrorsBeforeTheEngine() {
    addThree();
    steering::SteeringProgram program = m_context->steering().program();
    program.rules.push_back(steering::pinRule(program, kCell));
    m_context->steering().edit(program, QStringLiteral("pin"));
    QCOMPARE(row(4)->findChild<QLabel*>(QStringLiteral("problem"))->text(),
             QStringLiteral("Pins L1 E5, which is banned. The ban wins."));
    QTRY_VERIFY(row(4)->findChild<QLabel*>(QStringLiteral("problem"))->isVisible());
    auto* error = m_panel->findChild<QWidget*>(QStringLiteral("program_error"));
    QVERIFY(!error->isVisible());
    // Another model: the boost names an expert that it lacks.
    m_panel->setRouters(routers(4));
    QVERIFY(error->isVisible());
    QVERIFY(error->accessibleName().contains(QStringLiteral("experts 0 to 3, not 5")));
    QVERIFY(!row(1)->state().problem.isEmpty());
    m_panel->setRouters(routers());
    QVERIFY(!error->isVisible());
    Rule pins = steering::pinRule(program, {LayerIndex{0}, ExpertIndex{0}});
    pins.experts = {0, 1, 2};
    program.rules.push_back(pins);
    m_context->steering().edit(program, QStringLiteral("pins"));
    QVERIFY(m_panel->findChild<QLabel*>(QStringLiteral("program_warning"))->isVisible());
  }

  void renameDuplicateDelete() {
    addThree();
    row(1)->setFocus();
    QTest::keyClick(row(1), Qt::Key_F2);
    auto* name = row(1)->findChild<QLineEdit*>(QStringLiteral("rename"));
    QVERIFY(name->isVisible());
    name->setText(QStringLiteral("No German"));
    QTest::keyClick(name, Qt::Key_Return);
    QCOMPARE(rule(1).name, std::string("No German"));
    QCOMPARE(row(1)->findChild<QLabel*>(QStringLiteral("title"))->toolTip(), QStringLiteral("No German"));
    row(1)->startRename();
    name->setText(QString());  // back to the generated title
    QTest::keyClick(name, Qt::Key_Return);
    QVERIFY(rule(1).name.empty());
    row(1)->startRename();
    QTest::keyClick(name, Qt::Key_Return);  // the generated title is no name
    QVERIFY(rule(1).name.empty());

    row(2)->setFocus();
    QTest::keyClick(row(2), Qt::Key_D, Qt::ControlModifier);
    QCOMPARE(m_context->steering().program().rules.size(), std::size_t{4});
    const Rule& copy = m_context->steering().program().rules[2];
    QCOMPARE(copy.id, std::int64_t{4});
    QCOMPARE(copy.operand.value, 1.5);
    QTest::keyClick(row(2), Qt::Key_Delete);
    QVERIFY(m_context->steering().program().find(2) == nullptr);
    QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
    QCOMPARE(m_panel->findChildren<RuleRow*>().size(), 3);
    undo()->undo();
    QVERIFY(m_context->steering().program().find(2) != nullptr);
  }

  void showOnMapSelectsItsCells() {
    steering::SteeringProgram program;
    Rule ban = steering::banRule(program, kCell);
    ban.layers = {1, 3};
    ban.experts = {4, 5};
    ban.except = {{LayerIndex{3}, ExpertIndex{4}}};
    program.rules = {ban};
    m_context->steering().edit(program, QStringLiteral("load"));
    row(1)->setFocus();
    QTest::keyClick(row(1), Qt::Key_Return);
    QCOMPARE(m_context->selection().experts().size(), std::size_t{3});
    QVERIFY(!m_context->selection().experts().contains({LayerIndex{3}, ExpertIndex{4}}));
    QCOMPARE(m_context->selection().layer()->value, 1);
  }

  void addForTheSelection() {
    m_context->selection().setExperts({kCell, {LayerIndex{1}, ExpertIndex{6}}});
    trigger("selected_ban");
    QCOMPARE(m_context->steering().program().rules.size(), std::size_t{1});
    QCOMPARE(rule(1).experts, (std::vector<std::int32_t>{5, 6}));
    QCOMPARE(undo()->undoText(), QStringLiteral("Ban 2 experts"));
    m_context->selection().setExperts({});
    m_panel->findChild<QAbstractButton*>(QStringLiteral("add"))->click();
    auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
    QVERIFY(!menu->findChild<QAction*>(QStringLiteral("selected_ban"))->isEnabled());
    menu->close();
  }

  void addByNumbers() {
    trigger("numbered_top_k");
    QWidget* popup = QApplication::activePopupWidget();
    QVERIFY(popup && !popup->findChild<QLineEdit*>(QStringLiteral("experts")));
    popup->findChild<QLineEdit*>(QStringLiteral("layers"))->setText(QStringLiteral("0-1"));
    auto* value = popup->findChild<SignedSpinBox*>(QStringLiteral("value"));
    QCOMPARE(value->value(), 2.0);
    value->setValue(1);
    popup->findChild<QPushButton*>(QStringLiteral("apply"))->click();
    QVERIFY(rule(1).operation == Operation::Fixed);
    QCOMPARE(rule(1).operand.count, 1);

    trigger("numbered_boost");
    popup = QApplication::activePopupWidget();
    auto* apply = popup->findChild<QPushButton*>(QStringLiteral("apply"));
    QVERIFY(!apply->isEnabled());  // no expert is named yet
    popup->findChild<QLineEdit*>(QStringLiteral("experts"))->setText(QStringLiteral("3"));
    QVERIFY(apply->isEnabled());
    apply->click();
    QVERIFY(rule(2).layers.empty());
    QCOMPARE(rule(2).operand.value, 1.0);
    QVERIFY(rule(2).operation == Operation::Add);
  }

  void theFooterNamesTheMode() {
    addThree();
    auto* footer = m_panel->findChild<QLabel*>(QStringLiteral("footer"));
    QCOMPARE(footer->text(), QStringLiteral("Edits act on the next token. Undo with Ctrl+Z."));
    m_context->steering().setCounterfactual(true);
    QVERIFY(footer->text().startsWith(QStringLiteral("Edits replay the text")));
    m_context->steering().setMasterOn(false);
    QVERIFY(footer->text().startsWith(QStringLiteral("Steering is off")));
    QVERIFY(!row(1)->state().steeringOn);
  }

  void longTitlesElideAndManyRowsStayQuick() {
    steering::SteeringProgram program;
    for (int i = 0; i < 200; ++i) {
      Rule ban = steering::banRule(program, kCell);
      ban.name = i == 0 ? std::string(300, 'n') : std::string();
      program.rules.push_back(ban);
    }
    m_context->steering().edit(program, QStringLiteral("load"));
    QCOMPARE(m_panel->findChildren<RuleRow*>().size(), 200);
    auto* title = row(1)->findChild<QLabel*>(QStringLiteral("title"));
    QTRY_VERIFY(title->text().endsWith(QChar(0x2026)));
    QCOMPARE(title->toolTip().size(), 300);
    QVERIFY(row(1)->width() <= m_panel->width());
  }

  void keyboardAndNames() {
    addThree();
    for (const auto* button : m_panel->findChildren<QAbstractButton*>()) {
      if (!button->isVisible()) continue;
      QVERIFY2(!button->accessibleName().isEmpty() || !button->text().isEmpty(),
               qPrintable(button->objectName()));
      QVERIFY2(!button->toolTip().isEmpty(), qPrintable(button->objectName()));
    }
    row(1)->setFocus();
    QTest::keyClick(row(1), Qt::Key_Down);
    QVERIFY(row(2)->hasFocus());
    QTest::keyClick(row(2), Qt::Key_Space);
    QVERIFY(!rule(2).enabled);
  }

 private:
  void addThree() {
    steering::SteeringProgram program;
    program.rules.push_back(steering::banRule(program, kCell));
    program.rules.push_back(steering::addLogitRule(program, kCell, 1.5));
    program.rules.push_back(steering::topKRule(program, {0, 1}, 1));
    m_context->steering().edit(program, QStringLiteral("load"));
    QCoreApplication::processEvents();
  }

  [[nodiscard]] RuleRow* row(int id) const {
    return m_panel->findChild<RuleRow*>(QStringLiteral("rule_%1").arg(id));
  }
  [[nodiscard]] QAbstractButton* button(int id, const char* name) const {
    return row(id)->findChild<QAbstractButton*>(QString::fromLatin1(name));
  }
  [[nodiscard]] SignedSpinBox* field(int id) const { return row(id)->findChild<SignedSpinBox*>(); }
  [[nodiscard]] Rule rule(std::int64_t id) const {
    const Rule* found = m_context->steering().program().find(id);
    return found != nullptr ? *found : Rule{};
  }
  [[nodiscard]] QUndoStack* undo() const { return m_context->steering().undoStack(); }

  static QWidget* open(QAbstractButton* opener) {
    opener->click();
    QWidget* popup = QApplication::activePopupWidget();
    if (popup == nullptr) qFatal("no popup");
    return popup;
  }

  void trigger(const char* action) {
    m_panel->findChild<QAbstractButton*>(QStringLiteral("add"))->click();
    auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
    auto* found = menu->findChild<QAction*>(QString::fromLatin1(action));
    QVERIFY(found);
    menu->close();
    found->trigger();
  }

  /// From the handle to the right or left end in steps.
  static void drag(QWidget* slider, bool right = true) {
    const int middle = slider->height() / 2;
    const int start = slider->width() / 2;
    QTest::mousePress(slider, Qt::LeftButton, {}, {start, middle});
    for (int i = 1; i <= 10; ++i) {
      QTest::mouseMove(slider, {start + (right ? 1 : -1) * i * (slider->width() / 2 - 4) / 10, middle});
    }
    QTest::mouseRelease(slider, Qt::LeftButton, {}, {right ? slider->width() - 4 : 4, middle});
  }

  std::unique_ptr<ViewContext> m_context;
  std::unique_ptr<SteeringPanel> m_panel;
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestSteeringPanel)
#include "tst_steering_panel.moc"
