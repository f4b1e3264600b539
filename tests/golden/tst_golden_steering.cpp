// Steering in the real engine on the demo model: the identity conditions I0, I1, I2, I5 and I6, the engine's
// choices against the scalar definition, and bans that never leak.
#include <QTest>

#include <algorithm>
#include <array>
#include <cstring>

#include <nlohmann/json.hpp>

#include "tests/support/engine_fixture.h"
#include "tests/support/steering_operations.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;
using nlohmann::json;

namespace {

constexpr int kPrompt = 20;
constexpr int kTokens = 36;
const std::vector<int> kSteps{kPrompt, 1};  // a prefill and then token by token

std::shared_ptr<Model> demo(const std::string& device = "cpu") {
  static const auto kernels = loadModel(demoModelFolder(), "cpu", Dtype::Auto);
  static const auto torch = loadModel(demoModelFolder(), "cpu-torch", Dtype::F32);
  return device == "cpu" ? kernels : torch;
}

const std::vector<RouterSpec>& routers() { return demo()->checkpoint().description().routers; }

std::shared_ptr<const steering::SteeringPlan> planOf(const json& rules) {
  return tests::planOf(rules, routers());
}

std::vector<std::int32_t> ids() { return spreadIds(*demo(), kTokens); }

Trail trailUnder(std::shared_ptr<const steering::SteeringPlan> plan, const std::string& device = "cpu") {
  const auto session = orDie(demo(device)->newSession());
  session->setPlan(std::move(plan));
  return forwardAll(*session, ids(), kSteps, kPrompt);
}

}  // namespace

class TestGoldenSteering : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // I0: an empty program is the unmodified path.
  void anEmptyProgramChangesNoBit_data() {
    QTest::addColumn<QString>("device");
    QTest::newRow("own kernels") << QString("cpu");
    QTest::newRow("LibTorch") << QString("cpu-torch");
  }
  void anEmptyProgramChangesNoBit() {
    QFETCH(QString, device);
    const auto plain = trailUnder(nullptr, device.toStdString());
    const auto empty = planOf(json::array());
    QVERIFY(empty->empty());
    QVERIFY(trailUnder(empty, device.toStdString()) == plain);
    // No native choice is kept where no rule is.
    const auto session = orDie(demo(device.toStdString())->newSession());
    session->setPlan(empty);
    const auto tokens = ids();
    StepRequest request;
    request.ids = tokens;
    for (const auto& tap : orDie(session->forward(request)).routers) QVERIFY(tap.nativeIds.empty());
  }

  // I1 and I6: each primitive with its neutral operand is gone after compiling, and gives the same bits.
  void neutralRulesChangeNoBit_data() {
    QTest::addColumn<QString>("rule");
    for (const char* rule :
         {R"({"primitive":"LOGIT","op":"scale","value":1})", R"({"primitive":"LOGIT","op":"add","value":0})",
          R"({"primitive":"LOGIT","op":"std","value":0})",
          R"({"primitive":"LOGIT","op":"noise","value":0,"seed":1})",
          R"({"primitive":"KEY","op":"scale","value":1})", R"({"primitive":"KEY","op":"add","value":0})",
          R"({"primitive":"KEY","op":"std","value":0})",
          R"({"primitive":"KEY","op":"noise","value":0,"seed":1})",
          R"({"primitive":"COUNT","op":"fixed","count":4})", R"({"primitive":"WEIGHT","op":"mul","value":1})",
          R"({"primitive":"WEIGHT","op":"renorm","renorm":"native"})",
          R"({"primitive":"KEY","op":"pin+","experts":[3],"except":[[0,3],[1,3],[2,3],[3,3],[4,3],[5,3]]})",
          R"({"primitive":"KEY","op":"ban","experts":[3],"positions":{"from":5,"to":5}})",
          R"({"primitive":"KEY","op":"ban","experts":[3],"enabled":false})"}) {
      QTest::newRow(rule) << QString::fromUtf8(rule);
    }
  }
  void neutralRulesChangeNoBit() {
    QFETCH(QString, rule);
    const auto plan = planOf(json::array({json::parse(rule.toStdString())}));
    QVERIFY(plan->empty());
    QVERIFY(trailUnder(plan) == trailUnder(nullptr));
  }

  // A plan that is there and covers no row, or acts without changing a value: still the same bits.
  void rulesThatTouchNothingChangeNoBit() {
    const auto plain = trailUnder(nullptr);
    for (const char* rule : {R"({"primitive":"KEY","op":"ban","experts":[3],"positions":{"from":500}})",
                             R"({"primitive":"COUNT","op":"fixed","count":4,"layers":[0],"min":4,"max":4})",
                             R"({"primitive":"WEIGHT","op":"renorm","renorm":"none"})",
                             R"({"primitive":"LOGIT","op":"add","value":-0.0,"experts":[1]})",
                             R"({"primitive":"KEY","op":"add","value":1e-30,"experts":[1]})"}) {
      QVERIFY2(trailUnder(planOf(json::array({json::parse(rule)}))) == plain, rule);
    }
  }

  // I2: the ids and weights of a run, set by KEY.set and WEIGHT.set, give it again bit for bit, even when the
  // router's own logits are made useless.
  void replayOfARunIsBitIdentical_data() {
    QTest::addColumn<QString>("device");
    QTest::newRow("own kernels") << QString("cpu");
    QTest::newRow("LibTorch") << QString("cpu-torch");
  }
  void replayOfARunIsBitIdentical() {
    QFETCH(QString, device);
    const auto plain = trailUnder(nullptr, device.toStdString());
    steering::SteeringProgram program;
    for (std::size_t router = 0; router < routers().size(); ++router) {
      for (int position = 0; position < kTokens; ++position) {
        steering::Rule rule;
        rule.layers = {routers()[router].layer.value};
        rule.positions = {position, position + 1, 1};
        rule.id = rule.priority = program.nextId();
        rule.operation = steering::Operation::Set;
        rule.operand.orderedIds.resize(4);
        std::memcpy(rule.operand.orderedIds.data(), plain.ids[router].data() + position * 16, 16);
        program.rules.push_back(rule);
        std::array<float, 4> weights{};
        std::memcpy(weights.data(), plain.weights[router].data() + position * 16, 16);
        rule.operand = {};
        rule.operand.weights.assign(weights.begin(), weights.end());
        rule.id = rule.priority = program.nextId();
        rule.primitive = steering::Primitive::Weight;
        rule.operation = steering::Operation::SetWeights;
        program.rules.push_back(rule);
      }
    }
    QVERIFY(trailUnder(orDie(steering::compile(program, routers())), device.toStdString()) == plain);
    steering::Rule noise;
    noise.id = program.nextId();
    noise.primitive = steering::Primitive::Logit;
    noise.operation = steering::Operation::Noise;
    noise.operand.value = 5.0;
    auto both = program;
    both.rules.push_back(noise);
    QVERIFY(trailUnder(orDie(steering::compile(both, routers())), device.toStdString()) == plain);
    steering::SteeringProgram alone;
    alone.rules.push_back(noise);
    QVERIFY(trailUnder(orDie(steering::compile(alone, routers())), device.toStdString()).logits !=
            plain.logits);
  }

  // I4 and I5: rows before the first scoped one keep their bits; without the rule, and with the cache cut
  // back to there, everything is as it never had been.
  void removingARuleRestoresEveryBit() {
    const auto tokens = ids();
    const std::int64_t dirty = 25;
    const auto plan = planOf(json::array(
        {json::parse(R"({"primitive":"KEY","op":"ban","experts":[0,2,4,6,8,10],"positions":{"from":25}})")}));
    QCOMPARE(plan->firstPosition(), dirty);
    const auto plain = trailUnder(nullptr);
    const auto session = orDie(demo()->newSession());
    session->setPlan(plan);
    const auto steered = forwardAll(*session, tokens, kSteps, kPrompt);
    const std::size_t before = static_cast<std::size_t>(dirty) * 4096 * sizeof(float);
    QVERIFY(steered.logits.substr(0, before) == plain.logits.substr(0, before));
    QVERIFY(steered.logits.substr(before) != plain.logits.substr(before));
    session->setPlan(nullptr);
    session->rewind(dirty);
    const auto restored = forwardAll(*session, std::span(tokens).subspan(dirty), {1}, kPrompt);
    QVERIFY(restored.logits == plain.logits.substr(before));
    // From now on: the cache keeps what the rule did, so the rest differs from the plain run.
    session->setPlan(plan);
    session->rewind(dirty);
    forwardAll(*session, std::span(tokens).subspan(dirty, 5), {1}, kPrompt);
    session->setPlan(nullptr);
    const auto kept = forwardAll(*session, std::span(tokens).subspan(dirty + 5), {1}, kPrompt);
    QVERIFY(kept.logits != plain.logits.substr(before + 5 * 4096 * sizeof(float)));
    // And the counterfactual of a late rule is the run that had it from the start.
    session->rewind(dirty);
    session->setPlan(plan);
    QVERIFY(forwardAll(*session, std::span(tokens).subspan(dirty), {1}, kPrompt).logits ==
            steered.logits.substr(before));
  }

  // What the engine chose is what the scalar definition makes of the logits that it shows, for every
  // operation, scope and phase.
  void choicesEqualTheScalarDefinition_data() { addOperations(); }
  void choicesEqualTheScalarDefinition() {
    const auto plan = planOf(scopedRules());
    QVERIFY(!plan->empty());
    const auto session = orDie(demo()->newSession());
    session->setPlan(plan);
    const auto tokens = ids();
    int changed = 0;
    for (std::int64_t first = 0; first < kTokens;) {
      StepRequest request;
      request.decode = first >= kPrompt;
      const std::int64_t count = request.decode ? 1 : kPrompt;
      request.ids =
          std::span(tokens).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
      const auto output = orDie(session->forward(request));
      for (std::size_t r = 0; r < output.routers.size(); ++r) {
        const auto& tap = output.routers[r];
        QCOMPARE(tap.nativeIds.empty(), plan->layers[r].empty());
        for (int row = 0; row < count; ++row) {
          const auto logits = tap.logits.subspan(static_cast<std::size_t>(row) * 32, 32);
          const auto chosen = choiceAt(tap.ids, tap.weights, tap.width, row);
          const auto native = steering::nativeChoice(logits, routers()[r]);
          QVERIFY(
              sameBits(chosen, steering::applyPlan(logits, plan->layers[r], {request.decode, first + row})));
          if (!tap.nativeIds.empty()) {
            QVERIFY(sameBits(choiceAt(tap.nativeIds, tap.nativeWeights, 4, row), native));
          }
          if (!sameBits(chosen, native)) ++changed;
        }
      }
      first += count;
    }
    QVERIFY(changed > 0);
  }

  // A ban holds at either port, over pins, sets and counts, in every row of both phases.
  void aBanNeverLeaks() {
    const std::vector<std::int32_t> banned{1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27};
    for (const char* port : {"LOGIT", "KEY"}) {
      for (const char* against : {R"({"primitive":"KEY","op":"pin+","experts":[1,3]})",
                                  R"({"primitive":"LOGIT","op":"pin+","experts":[5]})",
                                  R"({"primitive":"LOGIT","op":"set","value":1000,"experts":[7]})",
                                  R"({"primitive":"KEY","op":"set","ids":[1,2,3,4]})",
                                  R"({"primitive":"COUNT","op":"fixed","count":32})",
                                  R"({"primitive":"LOGIT","op":"noise","value":50,"seed":2})"}) {
        const auto plan = planOf(json::array(
            {json{{"primitive", port}, {"op", "ban"}, {"experts", banned}}, json::parse(against)}));
        const auto trail = trailUnder(plan);
        for (const auto& bytes : trail.ids) {
          QVERIFY(!bytes.empty());
          for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::int32_t)) {
            std::int32_t id = -1;
            std::memcpy(&id, bytes.data() + i, sizeof id);
            QVERIFY(std::find(banned.begin(), banned.end(), id) == banned.end());
          }
        }
      }
    }
  }

  // Bans that leave fewer than top-k make the choice narrower; bans of all are an error before anything runs.
  void bansCanLeaveFewerThanTopK() {
    std::vector<std::int32_t> all(32);
    for (std::int32_t e = 0; e < 32; ++e) all[static_cast<std::size_t>(e)] = e;
    const auto ban = [](const std::vector<std::int32_t>& experts) {
      return json::array({json{{"primitive", "KEY"}, {"op", "ban"}, {"experts", experts}}});
    };
    const auto session = orDie(demo()->newSession());
    session->setPlan(planOf(ban({all.begin(), all.end() - 2})));
    const auto tokens = ids();
    StepRequest request;
    request.ids = tokens;
    for (const auto& tap : orDie(session->forward(request)).routers) {
      QCOMPARE(tap.width, 2);
      for (const auto id : tap.ids) QVERIFY(id == 30 || id == 31);
    }
    const auto program =
        orDie(steering::parseProgram(json{{"moescope_steering", 1}, {"rules", ban(all)}}.dump(), "t"));
    const auto refused = steering::compile(program, routers());
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("steering.all_banned"));
    session->rewind(0);
    session->setPlan(nullptr);
    QVERIFY(session->forward(request));
  }

  // compile() refuses rules that leave a row no expert; a plan that does all the same is an error of the
  // step, which leaves nothing behind.
  void aStepWithoutAnExpertIsAnErrorThatChangesNothing() {
    auto plan = std::make_shared<steering::SteeringPlan>(
        *planOf(json::parse(R"([{"primitive":"KEY","op":"ban","experts":[1,2]}])")));
    const auto forced = planOf(
        json::parse(R"([{"primitive":"KEY","op":"set","ids":[1,2],"layers":[4],"positions":{"from":30}}])"));
    plan->layers[4].steps.push_back(forced->layers[4].steps[0]);
    const auto tokens = ids();
    const auto plain = trailUnder(nullptr);
    const auto session = orDie(demo()->newSession());
    forwardAll(*session, std::span(tokens).first(25), kSteps, kPrompt);
    session->setPlan(plan);
    StepRequest request;
    request.ids = std::span(tokens).subspan(25);
    const auto refused = session->forward(request);
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("steering.all_banned"));
    QCOMPARE(QString::fromStdString(refused.error().where), QString("layer 4"));
    QCOMPARE(session->position(), std::int64_t{25});
    session->setPlan(nullptr);
    const auto rest = forwardAll(*session, std::span(tokens).subspan(25), {1}, kPrompt);
    QVERIFY(rest.logits == plain.logits.substr(25U * 4096U * sizeof(float)));
  }
};

QTEST_APPLESS_MAIN(TestGoldenSteering)
#include "tst_golden_steering.moc"
