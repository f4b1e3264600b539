// The scalar oracle against numpy, and the identity conditions that it must keep.
#include <QTest>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <random>

#include "core/steering/steering_plan.h"

using namespace moescope;
using namespace moescope::steering;

namespace {

RouterSpec routerFrom(const nlohmann::json& json) {
  RouterSpec router;
  router.experts = json["experts"];
  router.topK = json["top_k"];
  const std::string score = json["score"];
  router.score = score == "softmax"   ? ScoreKind::SoftmaxAll
                 : score == "sigmoid" ? ScoreKind::SigmoidAll
                                      : ScoreKind::TopkSoftmax;
  router.norm = json["norm"] ? WeightNorm::SumOne : WeightNorm::None;
  router.scale = json["scale"];
  router.selectionBias = json["bias"].get<std::vector<float>>();
  return router;
}

std::vector<float> randomLogits(std::mt19937& random, int count) {
  std::vector<float> logits(static_cast<std::size_t>(count));
  for (float& value : logits) value = static_cast<float>(static_cast<int>(random() % 4001) - 2000) / 500.0F;
  return logits;
}

RouterSpec softmaxRouter(int experts, int k) {
  RouterSpec router;
  router.experts = experts;
  router.topK = k;
  return router;
}

LayerPlan planOf(const std::string& rules, const RouterSpec& router) {
  const auto program = parseProgram(R"({"moescope_steering":1,"rules":[)" + rules + "]}", "test");
  if (!program) qFatal("%s", program.error().text().c_str());
  const auto plan = compile(*program, {router});
  if (!plan) qFatal("%s", plan.error().text().c_str());
  return (*plan)->layers[0];
}

}  // namespace

class TestApplyPlan : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void agreesWithNumpy() {
    std::ifstream file(MOESCOPE_TEST_DATA "/steering/vectors.json");
    const auto document = nlohmann::json::parse(file);
    int number = 0;
    for (const auto& test : document["cases"]) {
      const std::string label = "case " + std::to_string(number++) + " " + test["program"].dump();
      const auto program = parseProgram(test["program"].dump(), "vectors.json");
      QVERIFY2(program.has_value(), program ? "" : (label + program.error().text()).c_str());
      const auto plan = compile(*program, {routerFrom(test["router"])});
      QVERIFY2(plan.has_value(), plan ? "" : (label + plan.error().text()).c_str());
      const auto logits = test["logits"].get<std::vector<float>>();
      const auto choice = applyPlan(logits, (*plan)->layers[0], {});
      QVERIFY2(choice.ids == test["ids"].get<std::vector<std::int32_t>>(), label.c_str());
      const auto weights = test["weights"].get<std::vector<double>>();
      QCOMPARE(choice.weights.size(), weights.size());
      for (std::size_t i = 0; i < weights.size(); ++i) {
        QVERIFY2(std::abs(choice.weights[i] - weights[i]) <= 2e-6 * (1.0 + std::abs(weights[i])),
                 label.c_str());
      }
    }
    QVERIFY(number > 200);
  }

  // I1 and I6: a neutral operand or an empty scope is removed when compiling, so the unmodified path is
  // called.
  void neutralRulesVanish_data() {
    QTest::addColumn<QString>("rule");
    for (const char* rule :
         {R"({"primitive":"LOGIT","op":"scale","value":1})", R"({"primitive":"LOGIT","op":"add","value":0})",
          R"({"primitive":"LOGIT","op":"std","value":0})",
          R"({"primitive":"LOGIT","op":"noise","value":0,"seed":1})",
          R"({"primitive":"KEY","op":"scale","value":1})", R"({"primitive":"KEY","op":"add","value":0})",
          R"({"primitive":"COUNT","op":"fixed","count":2})", R"({"primitive":"WEIGHT","op":"mul","value":1})",
          R"({"primitive":"WEIGHT","op":"renorm","renorm":"native"})",
          R"({"primitive":"KEY","op":"ban","experts":[3],"except":[[0,3]]})",
          R"({"primitive":"KEY","op":"ban","experts":[3],"positions":{"from":5,"to":5}})",
          R"({"primitive":"KEY","op":"ban","experts":[3],"enabled":false})"}) {
      QTest::newRow(rule) << QString::fromUtf8(rule);
    }
  }
  void neutralRulesVanish() {
    QFETCH(QString, rule);
    QVERIFY(planOf(rule.toStdString(), softmaxRouter(8, 2)).empty());
  }

  void uncoveredTokensAreNative() {
    const auto router = softmaxRouter(8, 2);
    const auto plan = planOf(
        R"({"primitive":"LOGIT","op":"add","value":9,"experts":[1],"phase":"decode","positions":{"from":4,"every":2}})",
        router);
    std::mt19937 random(1);
    for (int i = 0; i < 50; ++i) {
      const auto logits = randomLogits(random, 8);
      const auto native = nativeChoice(logits, router);
      for (const TokenScope token : {TokenScope{true, 3}, TokenScope{true, 5}, TokenScope{false, 4}}) {
        const auto choice = applyPlan(logits, plan, token);
        QVERIFY(choice.ids == native.ids && choice.weights == native.weights);
      }
      QCOMPARE(applyPlan(logits, plan, {true, 6}).ids[0], 1);
    }
  }

  void orderOfRulesDoesNotMatter() {
    std::vector<std::string> rules{
        R"({"id":1,"primitive":"LOGIT","op":"add","value":0.5,"experts":[1,2]})",
        R"({"id":2,"primitive":"LOGIT","op":"scale","value":2,"experts":[2,3]})",
        R"({"id":3,"primitive":"LOGIT","op":"set","value":1,"experts":[4]})",
        R"({"id":4,"primitive":"LOGIT","op":"set","value":2,"experts":[4,5]})",
        R"({"id":5,"primitive":"KEY","op":"pin+","experts":[6]})",
        R"({"id":6,"primitive":"KEY","op":"ban","experts":[7,0]})",
        R"({"id":7,"primitive":"COUNT","op":"fixed","count":4})",
        R"({"id":8,"primitive":"WEIGHT","op":"mul","value":2,"experts":[6],"renorm":"sum1"})"};
    const auto router = softmaxRouter(8, 3);
    std::mt19937 random(2);
    const auto logits = randomLogits(random, 8);
    std::optional<RouterChoice> first;
    for (int round = 0; round < 40; ++round) {
      std::shuffle(rules.begin(), rules.end(), random);
      std::string all;
      for (const auto& rule : rules) all += (all.empty() ? "" : ",") + rule;
      const auto choice = applyPlan(logits, planOf(all, router), {});
      if (!first) first = choice;
      QVERIFY(choice.ids == first->ids);
      QVERIFY(choice.weights == first->weights);
    }
  }

  void equalPrioritiesAreWonByTheLaterId() {
    const auto router = softmaxRouter(8, 3);
    const std::string two = R"({"id":2,"priority":5,"primitive":"COUNT","op":"fixed","count":2})";
    const std::string one = R"({"id":1,"priority":5,"primitive":"COUNT","op":"fixed","count":1})";
    const std::vector<float> logits{3.0F, 2.0F, 1.0F, 0.0F, -1.0F, -2.0F, -3.0F, -4.0F};
    QCOMPARE(applyPlan(logits, planOf(one + "," + two, router), {}).ids.size(), std::size_t{2});
    QCOMPARE(applyPlan(logits, planOf(two + "," + one, router), {}).ids.size(), std::size_t{2});
  }

  void theNativeCountWinsOverAnEarlierRule() {
    const auto router = softmaxRouter(8, 2);
    const std::string rules =
        R"({"id":1,"primitive":"COUNT","op":"fixed","count":5},{"id":2,"primitive":"COUNT","op":"fixed","count":2})";
    const auto plan = planOf(rules, router);
    std::mt19937 random(4);
    const auto logits = randomLogits(random, 8);
    QVERIFY(applyPlan(logits, plan, {}).ids == nativeChoice(logits, router).ids);
  }

  void banCannotLeak() {
    // A bias large enough to win over everything, and a pin on the same expert: the ban holds at either port.
    RouterSpec router = softmaxRouter(4, 2);
    router.score = ScoreKind::SigmoidAll;
    router.selectionBias = {100.0F, 0.0F, 0.0F, 0.0F};
    const std::vector<float> logits{5.0F, 1.0F, 0.0F, -1.0F};
    for (const char* port : {"LOGIT", "KEY"}) {
      const nlohmann::json ban{{"primitive", port}, {"op", "ban"}, {"experts", {0}}};
      const nlohmann::json pin{{"primitive", "KEY"}, {"op", "pin+"}, {"experts", {0}}};
      const auto plan = planOf(ban.dump() + "," + pin.dump(), router);
      QCOMPARE(applyPlan(logits, plan, {}).ids, (std::vector<std::int32_t>{1, 2}));
    }
  }

  void replayReproducesBitForBit() {
    // I2 at the router: KEY.set of the ids and WEIGHT.set of the weights.
    std::mt19937 random(3);
    const auto router = softmaxRouter(16, 4);
    for (int i = 0; i < 100; ++i) {
      const auto logits = randomLogits(random, 16);
      const auto native = nativeChoice(logits, router);
      nlohmann::json key{{"primitive", "KEY"}, {"op", "set"}, {"ids", native.ids}};
      nlohmann::json weight{{"primitive", "WEIGHT"}, {"op", "set"}, {"weights", native.weights}};
      const auto replay =
          applyPlan(randomLogits(random, 16), planOf(key.dump() + "," + weight.dump(), router), {});
      QVERIFY(replay.ids == native.ids && replay.weights == native.weights);
    }
  }

  void noiseDependsOnItsCounterOnly() {
    const auto router = softmaxRouter(64, 8);
    const auto plan = planOf(R"({"primitive":"LOGIT","op":"noise","value":1,"seed":7})", router);
    const auto other = planOf(R"({"primitive":"LOGIT","op":"noise","value":1,"seed":8})", router);
    const std::vector<float> flat(64, 0.0F);
    QVERIFY(applyPlan(flat, plan, {true, 5}).ids == applyPlan(flat, plan, {false, 5}).ids);
    QVERIFY(applyPlan(flat, plan, {true, 5}).ids != applyPlan(flat, plan, {true, 6}).ids);
    QVERIFY(applyPlan(flat, plan, {true, 5}).ids != applyPlan(flat, other, {true, 5}).ids);
    // Standard normal: each expert wins the top 8 of 64 about equally often.
    std::vector<int> wins(64, 0);
    for (int position = 0; position < 4000; ++position) {
      for (const auto id : applyPlan(flat, plan, {true, position}).ids) ++wins[static_cast<std::size_t>(id)];
    }
    const auto [low, high] = std::minmax_element(wins.begin(), wins.end());
    QVERIFY(*low > 400 && *high < 600);  // 500 expected, standard deviation about 21
  }

  void effectsAreCounted() {
    const auto router = softmaxRouter(4, 2);
    const auto plan = planOf(
        R"({"id":1,"primitive":"KEY","op":"ban","experts":[0]},{"id":2,"primitive":"COUNT","op":"fixed","count":1})",
        router);
    std::vector<RuleEffect> effects;
    const std::vector<float> logits{3.0F, 2.0F, 1.0F, 0.0F};
    const auto native = nativeChoice(logits, router);
    accumulateEffects(plan, {}, applyPlan(logits, plan, {}).ids, native, effects);
    QCOMPARE(effects.size(), std::size_t{2});
    QCOMPARE(effects[0].tokensInScope, std::int64_t{1});
    QCOMPARE(effects[0].nativelyChosen, std::int64_t{1});
    QCOMPARE(effects[0].chosen, std::int64_t{0});
    // Native {0, 1}, steered {1}: expert 0 is dropped with its mass.
    QCOMPARE(effects[1].choicesDropped, std::int64_t{1});
    const double total = std::exp(0.0) + std::exp(-1.0) + std::exp(-2.0) + std::exp(-3.0);
    QVERIFY(std::abs(effects[1].droppedNativeMass - 1.0 / total) < 1e-6);
    QVERIFY(std::abs(effects[1].nativeMass - (1.0 + std::exp(-1.0)) / total) < 1e-6);
  }
};

QTEST_APPLESS_MAIN(TestApplyPlan)
#include "tst_apply_plan.moc"
