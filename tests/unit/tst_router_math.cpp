// The mathematics of routers that fixtures of whole models touch only in passing: groups, sparsemixer, norms
// of the weights. Values are computed by hand from the formulas of the models' authors.
#include <QTest>

#include <cmath>
#include <limits>

#include "core/base/router_math.h"
#include "core/steering/steering_plan.h"

using namespace moescope;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

RouterSpec grouped(int experts, int topK, RouterGroups groups) {
  RouterSpec router;
  router.experts = experts;
  router.topK = topK;
  router.score = ScoreKind::SigmoidAll;
  router.groups = groups;
  return router;
}

std::vector<float> masked(std::vector<float> keys, const RouterGroups& groups,
                          const std::vector<bool>& allowed = {}) {
  maskGroups(keys, groups, allowed);
  return keys;
}

}  // namespace

class TestRouterMath : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void groupsAreRankedByTheirTwoBest() {
    // Sums 0.9, 1.0 and 0.95: the first group has the best single expert and is left out.
    const std::vector<float> keys{0.9F, 0.0F, 0.5F, 0.5F, 0.8F, 0.15F};
    const RouterGroups groups{3, 2, GroupScore::TopTwoSum, false};
    QCOMPARE(masked(keys, groups), (std::vector<float>{-kInfinity, -kInfinity, 0.5F, 0.5F, 0.8F, 0.15F}));
  }

  void groupsAreRankedByTheirBest() {
    const std::vector<float> keys{0.9F, 0.0F, 0.5F, 0.5F, 0.8F, 0.15F};
    const RouterGroups groups{3, 2, GroupScore::Max, true};
    QCOMPARE(masked(keys, groups), (std::vector<float>{0.9F, 0.0F, 0.0F, 0.0F, 0.8F, 0.15F}));
  }

  void equalGroupsGoToTheLowerAndBannedExpertsDoNotCount() {
    const RouterGroups groups{2, 1, GroupScore::TopTwoSum, false};
    QCOMPARE(masked({0.5F, 0.25F, 0.25F, 0.5F}, groups),
             (std::vector<float>{0.5F, 0.25F, -kInfinity, -kInfinity}));
    QCOMPARE(masked({0.5F, 0.25F, 0.25F, 0.5F}, groups, {false, true, true, true}),
             (std::vector<float>{-kInfinity, -kInfinity, 0.25F, 0.5F}));
  }

  void allGroupsKeptMasksNothing() {
    const std::vector<float> keys{0.5F, -0.25F};
    QCOMPARE(masked(keys, {2, 2, GroupScore::Max, true}), keys);
    QCOMPARE(masked(keys, {}), keys);
  }

  // With a mask of 0 an expert of a group that was left out beats one with a negative key.
  void theMaskDecidesUnderNegativeKeys() {
    RouterSpec router = grouped(4, 2, {2, 1, GroupScore::Max, false});
    router.selectionBias = {0.5F, -2.0F, 0.0F, 0.0F};
    const std::vector<float> logits(4, 0.0F);  // scores 0.5; keys 1, -1.5, 0.5, 0.5
    QCOMPARE(steering::nativeChoice(logits, router).ids, (std::vector<std::int32_t>{0, 1}));
    router.groups.maskWithZero = true;
    QCOMPARE(steering::nativeChoice(logits, router).ids, (std::vector<std::int32_t>{0, 2}));
  }

  // Banning an expert of the kept group may bring another group in; the banned one never comes back.
  void aBanActsBeforeTheGroupLimit() {
    steering::LayerPlan plan{grouped(4, 2, {2, 1, GroupScore::TopTwoSum, true}), {}};
    steering::PlanStep ban;
    ban.operation = steering::Operation::Ban;
    ban.primitive = steering::Primitive::Key;
    ban.experts = {0};
    plan.steps.push_back(ban);
    const std::vector<float> logits{3.0F, 0.0F, 1.0F, 0.5F};
    QCOMPARE(steering::nativeChoice(logits, plan.router).ids, (std::vector<std::int32_t>{0, 1}));
    QCOMPARE(steering::applyPlan(logits, plan, {}).ids, (std::vector<std::int32_t>{2, 3}));
  }

  void sparsemixerWeighsEachChoiceAmongItsNeighbours() {
    RouterSpec router;
    router.experts = 4;
    router.topK = 2;
    router.score = ScoreKind::SparseMixer;
    router.mixerEps = 0.1;
    // Near 1.0 lies 0.9 (distance 0.1 of at most 0.2); near 0.9, once 1.0 is taken, nothing does.
    const auto choice = steering::nativeChoice(std::vector<float>{0.2F, 1.0F, 0.9F, -3.0F}, router);
    QCOMPARE(choice.ids, (std::vector<std::int32_t>{1, 2}));
    QVERIFY(std::abs(choice.weights[0] - 1.0 / (1.0 + std::exp(-0.1))) < 1e-6);
    QCOMPARE(choice.weights[1], 1.0F);
    // The distance is measured by the larger of |z| and the choice: (0.1 + 5) / 5 is far, (0.1 - 0.09) / 0.1
    // near.
    const auto small = steering::nativeChoice(std::vector<float>{0.1F, 0.09F, -5.0F, 0.0F}, router);
    QVERIFY(std::abs(small.weights[0] - 1.0 / (1.0 + std::exp(-0.01))) < 1e-6);
  }

  void sparsemixerTakesOnlyBansAndForcedChoices() {
    RouterSpec router;
    router.experts = 4;
    router.topK = 2;
    router.score = ScoreKind::SparseMixer;
    const auto compiled = [&](const char* rules) {
      const auto program = steering::parseProgram(rules, "program.json");
      if (!program) qFatal("%s", program.error().text().c_str());
      return steering::compile(*program, {router});
    };
    const char* ban =
        R"({"moescope_steering": 1, "rules": [{"id": 1, "primitive": "KEY", "op": "ban", "experts": [1]}]})";
    const char* boost =
        R"({"moescope_steering": 1, "rules": [{"id": 1, "primitive": "LOGIT", "op": "add", "value": 1, "experts": [1]}]})";
    const auto allowed = compiled(ban);
    QVERIFY2(allowed.has_value(), allowed ? "" : allowed.error().text().c_str());
    const auto refused = compiled(boost);
    QVERIFY(!refused.has_value());
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("steering.bad_value"));
  }

  void weightsAreNormalisedAsTheModelSays_data() {
    QTest::addColumn<int>("norm");
    QTest::addColumn<double>("parameter");
    QTest::addColumn<double>("divisor");
    // Of the weights 0.3 and 0.4.
    QTest::addRow("none") << static_cast<int>(WeightNorm::None) << 0.0 << 1.0;
    QTest::addRow("sum") << static_cast<int>(WeightNorm::SumOne) << 0.1 << 0.8;
    QTest::addRow("clamped, above") << static_cast<int>(WeightNorm::ClampedSum) << 0.1 << 0.7;
    QTest::addRow("clamped, below") << static_cast<int>(WeightNorm::ClampedSum) << 2.0 << 2.0;
    QTest::addRow("power 1") << static_cast<int>(WeightNorm::Power) << 1.0 << 0.7;
    QTest::addRow("power 2") << static_cast<int>(WeightNorm::Power) << 2.0 << 0.5;
  }
  void weightsAreNormalisedAsTheModelSays() {
    QFETCH(int, norm);
    QFETCH(double, parameter);
    QFETCH(double, divisor);
    RouterSpec router;
    router.norm = static_cast<WeightNorm>(norm);
    router.normParameter = parameter;
    const std::vector<float> scores{0.3F, 0.3F, 0.4F};
    const std::vector<std::int32_t> ids{2, 0};
    const auto weights = nativeWeights(scores, scores, ids, router, {});
    QVERIFY(std::abs(weights[0] - 0.4 / divisor) < 1e-6);
    QVERIFY(std::abs(weights[1] - 0.3 / divisor) < 1e-6);
  }

  void topKSkipsWhatIsNotAllowedAndRanksNotANumberLast() {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    QCOMPARE(topK(std::vector<float>{1.0F, 3.0F, 3.0F, 2.0F}, {}, 3), (std::vector<std::int32_t>{1, 2, 3}));
    QCOMPARE(topK(std::vector<float>{1.0F, 3.0F, 3.0F, 2.0F}, {true, false, true, true}, 9),
             (std::vector<std::int32_t>{2, 3, 0}));
    QCOMPARE(topK(std::vector<float>{nan, 3.0F, -kInfinity}, {}, 3), (std::vector<std::int32_t>{1, 2, 0}));
  }
};

QTEST_APPLESS_MAIN(TestRouterMath)
#include "tst_router_math.moc"
