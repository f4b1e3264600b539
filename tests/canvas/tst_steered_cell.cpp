// What the rules made of one cell's logit, from a recorded run: the tool tip's numbers against rules whose
// effect is plain arithmetic.
#include <cmath>

#include "tests/support/gui_test.h"
#include "tests/support/view_bench.h"
#include "views/panels/routing_map/map_tool_tip.h"
#include "views/panels/routing_map/steered_cell.h"

namespace moescope::views {

namespace {

using steering::Operation;
using steering::Primitive;

steering::Rule rule(std::int64_t id, Primitive primitive, Operation operation, std::int32_t expert,
                    double value = 0.0, std::int32_t layer = 2) {
  steering::Rule rule;
  rule.id = rule.priority = id;
  rule.primitive = primitive;
  rule.operation = operation;
  rule.operand.value = value;
  rule.layers = {layer};
  rule.experts = {expert};
  return rule;
}

/// Layer 2: expert 3 boosted, 5 banned, 7 set, 9 preferred by its key; expert 11 boosted while decoding only.
steering::SteeringProgram program() {
  steering::SteeringProgram program;
  program.rules = {
      rule(1, Primitive::Logit, Operation::Add, 3, 1.5), rule(2, Primitive::Logit, Operation::Ban, 5),
      rule(3, Primitive::Logit, Operation::Set, 7, 2.0), rule(4, Primitive::Key, Operation::Add, 9, 0.25),
      rule(5, Primitive::Logit, Operation::Add, 11, -1.0)};
  program.rules[4].phase = steering::PhaseScope::Decode;
  return program;
}

struct Recorded {
  ViewBench bench;
  trace::RunId run = 0;
  std::int64_t changed = 0;  ///< the token that the program acted on first

  explicit Recorded(trace::CaptureLevel capture = trace::CaptureLevel::Full) {
    auto settings = ViewBench::settings(12, "It was a cold morning on the sea");
    settings.capture = capture;
    const auto generation =
        tests::startOrDie(tests::fakeModel(tests::demoFolder()), bench.trace.store, settings);
    tests::write(*generation, 4);
    changed = static_cast<std::int64_t>(generation->tokens().size()) - 1;
    if (!generation->setProgram(program(), engine::SteeringMode::FromNowOn, {})) qFatal("no program");
    tests::write(*generation);
    run = *generation->run();
    if (!generation->finish()) qFatal("not finished");
  }
  [[nodiscard]] TokenPicture picture(int router = 2) const {
    TokenPictureRequest request;
    request.run = run;
    request.router = router;
    request.tokens = {0, 1000};
    return tokenPicture(*bench.trace.store, request);
  }
};

}  // namespace

class TestSteeredCell : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void logitsAndKeysUnderTheRules() {
    const Recorded recorded;
    const TokenPicture picture = recorded.picture();
    for (std::int64_t token = recorded.changed; token < picture.endToken; ++token) {
      const auto raw = [&](int expert) { return choiceOf(picture, token, 2, expert).logit; };
      const auto boosted = steeredCell(picture, token, 2, 3);
      QVERIFY(boosted);
      QCOMPARE(boosted->rawLogit, raw(3));
      QCOMPARE(boosted->logit, raw(3) + 1.5F);
      QCOMPARE(boosted->key, boosted->keyBefore);
      QVERIFY(std::isinf(steeredCell(picture, token, 2, 5)->logit));
      QCOMPARE(steeredCell(picture, token, 2, 7)->logit, 2.0F);
      const auto preferred = steeredCell(picture, token, 2, 9);
      QCOMPARE(preferred->logit, raw(9));
      QCOMPARE(preferred->key, preferred->keyBefore + 0.25F);
      QVERIFY(preferred->keyBefore > 0.0F && preferred->keyBefore < 1.0F);  // a softmax
      QCOMPARE(steeredCell(picture, token, 2, 11)->logit, raw(11) - 1.0F);
      const auto untouched = steeredCell(picture, token, 2, 0);
      QCOMPARE(untouched->logit, raw(0));
      QCOMPARE(untouched->key, untouched->keyBefore);
    }
  }

  void nothingWhereItCannotBeKnown() {
    const Recorded recorded;
    const TokenPicture picture = recorded.picture();
    QVERIFY(!steeredCell(picture, recorded.changed - 1, 2, 3));          // before the rules
    QVERIFY(!steeredCell(recorded.picture(4), recorded.changed, 4, 3));  // a layer without rules
    QVERIFY(!steeredCell(picture, picture.endToken, 2, 3));
    QVERIFY(!steeredCell(picture, recorded.changed, 2, 999));
    const Recorded weights(trace::CaptureLevel::Weights);
    QVERIFY(!steeredCell(weights.picture(), weights.changed, 2, 3));
    // A program that is none, or does not fit the model, makes no number.
    TokenPicture other = recorded.picture();
    other.steering.changes.back().plan = nullptr;
    QVERIFY(!steeredCell(other, recorded.changed, 2, 3));
  }

  void programsThatDoNotFitAreNotKnown() {
    ViewBench bench;
    const auto synthetic = trace::fixture::synthesize(7, {40});
    auto recorder = *bench.trace.store->startRun(trace::fixture::modelRecord(synthetic.routers),
                                                 trace::fixture::runRecord(trace::CaptureLevel::Full));
    QVERIFY(recorder->steeringChanged("{\"nonsense\": 1}", false));
    trace::fixture::feed(*recorder, synthetic, 0, 1, 7);
    QVERIFY(recorder->end(trace::RunStatus::Closed));
    const SteeringHistory history = readSteeringHistory(*bench.trace.store, recorder->run());
    QCOMPARE(history.changes.size(), std::size_t{1});
    QVERIFY(history.planAt(10) == nullptr);
  }

  void theToolTipSaysWhatTheRulesAdd() {
    const Recorded recorded;
    MapScene scene;
    scene.settings.mode = MapMode::TokenExpert;
    scene.settings.router = 2;
    scene.routers = recorded.bench.trace.store->routers(recorded.run);
    scene.tokens = std::make_shared<TokenPicture>(recorded.picture());
    const auto row = [&](int expert, const QString& label, std::int64_t token) -> QString {
      const auto tip = mapToolTip(scene, {token, expert}, nullptr);
      if (!tip) return QStringLiteral("no tip");
      for (const auto& each : tip->rows) {
        if (each.label == label) return each.value;
      }
      return QStringLiteral("none");
    };
    const QString logit = QStringLiteral("steered logit"), none = QStringLiteral("none");
    QVERIFY(
        row(3, QStringLiteral("router logit"), recorded.changed).endsWith(QLatin1String("before steering")));
    QVERIFY(row(3, logit, recorded.changed).endsWith(QStringLiteral(", the rules add +1.50")));
    QVERIFY(row(7, logit, recorded.changed).startsWith(QStringLiteral("2.00, the rules add ")));
    QVERIFY(row(11, logit, recorded.changed).endsWith(QStringLiteral("−1.00")));
    QCOMPARE(row(5, QStringLiteral("steered"), recorded.changed), QStringLiteral("banned, never chosen"));
    QVERIFY(row(9, QStringLiteral("selection key"), recorded.changed).endsWith(QStringLiteral("+0.250")));
    QCOMPARE(row(9, logit, recorded.changed), none);
    QCOMPARE(row(0, logit, recorded.changed), none);
    QCOMPARE(row(3, logit, recorded.changed - 1), none);
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestSteeredCell)
#include "tst_steered_cell.moc"
