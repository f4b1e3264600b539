// The steering panel as a widget: rows show what the program says, and switches and strengths edit it as one
// undo step each.
#include <QCheckBox>
#include <QLabel>
#include <QSignalSpy>
#include <QStackedWidget>

#include "tests/models/steering_panel_bench.h"
#include "tests/support/gui_test.h"
#include "views/panels/steering/strength_slider.h"

namespace moescope::views {

class TestSteeringPanel : public QObject, private SteeringPanelBench {
  Q_OBJECT

 private Q_SLOTS:
  void init() { openPanel(); }
  void cleanup() { closePanel(); }

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
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestSteeringPanel)
#include "tst_steering_panel.moc"
