// Rules in the steering panel: their scope editors, adding, renaming, copying and deleting, each one undo
// step.
#include <QCheckBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>

#include "tests/models/steering_panel_bench.h"
#include "tests/support/gui_test.h"

namespace moescope::views {

class TestSteeringRules : public QObject, private SteeringPanelBench {
  Q_OBJECT

 private Q_SLOTS:
  void init() { openPanel(); }
  void cleanup() { closePanel(); }

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
    QCOMPARE(m_context->selection().router()->layer.value, 1);
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
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestSteeringRules)
#include "tst_steering_rules.moc"
