// What the rules of a run did, in the steering panel: live, reopened, of another run than the one being
// written.
#include <QLabel>
#include <QPushButton>
#include <QUndoStack>

#include "tests/support/gui_test.h"
#include "tests/support/view_bench.h"
#include "views/panels/steering/rule_row.h"
#include "views/panels/steering/run_rules.h"
#include "views/panels/steering/run_rules_view.h"
#include "views/panels/steering/steering_panel.h"

namespace moescope::views {

namespace {

steering::SteeringProgram banning(const std::vector<std::int32_t>& experts) {
  steering::SteeringProgram program;
  for (const std::int32_t expert : experts)
    program.rules.push_back(banRule(program, {LayerIndex{2}, ExpertIndex{expert}}));
  return program;
}

struct Shown {
  ViewBench& bench;
  SteeringPanel panel{bench.context};
  RunRulesView* view = panel.findChild<RunRulesView*>();

  explicit Shown(ViewBench& with) : bench(with) {
    panel.resize(336, 448);
    panel.show();
  }
  [[nodiscard]] QStringList rowEffects() const {
    QStringList texts;
    for (const auto& rule : bench.context.steering().program().rules) {
      const auto* row = panel.findChild<RuleRow*>(QStringLiteral("rule_%1").arg(rule.id));
      texts << (row != nullptr ? row->state().effect : QStringLiteral("no row"));
    }
    return texts;
  }
  [[nodiscard]] QStringList runEffects() const {
    QStringList texts;
    for (int id = 1; id <= 9; ++id) {
      if (const auto* label = view->findChild<QLabel*>(QStringLiteral("run_effect_%1").arg(id)))
        texts << label->text();
    }
    return texts;
  }
};

}  // namespace

class TestRunRules : public QObject {
  Q_OBJECT

 private:
  static trace::RunId generate(ViewBench& bench, const steering::SteeringProgram& program) {
    bench.session->endText().wait();  // else the rules would act on the text before
    bench.context.steering().edit(program, QStringLiteral("rules"));
    bench.session->setProgram(program, engine::SteeringMode::FromNowOn);
    const auto before = bench.session->status().run;
    bench.session->generate(ViewBench::settings(8));
    const auto written = [&] {
      const auto status = bench.session->status();
      return status.run != before && status.generatedTokens == 8 && status.state == engine::LiveState::Idle;
    };
    if (!QTest::qWaitFor(written, 10000)) qFatal("no text");
    return *bench.session->status().run;
  }

 private Q_SLOTS:
  void aReopenedRunShowsWhatTheLiveOneShowed() {
    ViewBench bench;
    bench.openTrace();
    QVERIFY(bench.loadModel());
    QStringList live;
    trace::RunId run = 0;
    const auto program = banning({1, 3});
    {
      Shown shown(bench);
      run = generate(bench, program);
      bench.context.selection().setRun(run);
      const auto rows = std::to_string(bench.trace.store->run(run)->routedTokens);
      QTRY_VERIFY(
          shown.rowEffects().join(QLatin1Char(' ')).contains(QString::fromStdString(rows + " tokens")));
      live = shown.rowEffects();
      QCOMPARE(live.size(), 2);
      QVERIFY(live[0].startsWith(QLatin1String("natively chosen by")));
      QVERIFY(live[0].endsWith(QLatin1String("now 0")));
      QVERIFY(!shown.view->isVisible());
    }
    bench.session->setStore(nullptr).wait();
    bench.context.setStore(nullptr);
    QVERIFY(bench.trace.store->close());
    bench.context.steering().edit({}, QStringLiteral("none"));
    bench.trace.store = *trace::TraceStore::open(bench.trace.file, trace::OpenMode::ReadOnly);
    bench.context.setStore(bench.trace.store);
    Shown shown(bench);
    QVERIFY(!shown.view->isVisible());
    bench.context.selection().setRun(run);
    QTRY_VERIFY(shown.view->isVisible());
    QCOMPARE(shown.runEffects(), live);
    QVERIFY(shown.view->findChild<QLabel*>(QStringLiteral("run_rules_title"))
                ->text()
                .contains(QString::fromStdString(bench.trace.store->run(run)->name)));
    // Taken over they are the rules that are edited, with what they did in that run.
    shown.view->findChild<QPushButton*>(QStringLiteral("use_run_rules"))->click();
    QCOMPARE(bench.context.steering().program().rules, program.rules);
    QVERIFY(!shown.view->isVisible());
    QCOMPARE(shown.rowEffects(), live);
    bench.context.steering().undoStack()->undo();
    QVERIFY(shown.view->isVisible());
  }

  void aRunShowsItsOwnRulesOnly() {
    ViewBench bench;
    bench.openTrace();
    QVERIFY(bench.loadModel());
    const auto first = generate(bench, banning({1}));
    const auto second = generate(bench, banning({5, 6}));
    const auto plain = bench.addRun("unsteered");
    Shown shown(bench);
    bench.context.selection().setRun(second);
    QTRY_VERIFY(!shown.rowEffects().join(QString()).isEmpty());
    QVERIFY(!shown.view->isVisible());
    // Rule 1 bans another expert there: no number of that run stands beside it.
    bench.context.selection().setRun(first);
    QCOMPARE(shown.rowEffects().join(QString()), QString());
    QTRY_VERIFY(shown.view->isVisible());
    QCOMPARE(shown.rowEffects().join(QString()), QString());
    QCOMPARE(shown.runEffects().size(), 1);
    bench.context.selection().setRun(plain);
    QVERIFY(!shown.view->isVisible());
    QTRY_VERIFY(shown.panel.idle());  // the answer is here
    QVERIFY(!shown.view->isVisible());
    QCOMPARE(shown.rowEffects().join(QString()), QString());
  }

  void aNameChangesNothing() {
    RunRules rules;
    rules.program = banning({1});
    rules.effects = {{.ruleId = 1, .tokensInScope = 4}};
    auto named = rules.program;
    named.rules[0].name = "Mine";
    QVERIFY(rules.hasRulesOf(named));
    QCOMPARE(rules.effectOf(named.rules[0])->tokensInScope, std::int64_t{4});
    named.rules[0].experts = {2};
    QVERIFY(!rules.hasRulesOf(named));
    QVERIFY(rules.effectOf(named.rules[0]) == nullptr);
    QVERIFY(!rules.hasRulesOf({}));
  }

  void switchedOffRulesSaySo() {
    RunRules rules;
    rules.name = QStringLiteral("text");
    rules.program = banning({1, 2});
    rules.program.rules[0].enabled = false;
    rules.effects = {{.ruleId = 1, .tokensInScope = 4}};
    RunRulesView view;
    view.showRules(rules);
    QCOMPARE(view.findChild<QLabel*>(QStringLiteral("run_effect_1"))->text(), QStringLiteral("switched off"));
    QVERIFY(view.findChild<QLabel*>(QStringLiteral("run_effect_2")) == nullptr);
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestRunRules)
#include "tst_run_rules.moc"
