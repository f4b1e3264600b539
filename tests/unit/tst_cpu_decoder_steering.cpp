// The engine's routing of a step (StepBuffers) against the scalar definition, on random logits: every
// operation and scope, for the three kinds of scores.
#include <QTest>

#include <random>

#include "core/engine/torch/step_buffers.h"
#include "tests/support/steering_operations.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;
using nlohmann::json;

namespace {

constexpr int kExperts = 32;
constexpr int kLayers = 6;

/// Softmax (olmoe), sigmoid with a selection bias, a norm and a scale (deepseek_v3), and top-k before the
/// softmax (gpt_oss) in turn.
checkpoint::ModelDescription description() {
  checkpoint::ModelDescription d;
  d.layers = kLayers;
  d.hiddenSize = 8;
  d.vocabularySize = 16;
  for (int layer = 0; layer < kLayers; ++layer) {
    RouterSpec router;
    router.layer = LayerIndex{layer};
    router.experts = kExperts;
    router.topK = 4;
    if (layer % 3 == 1) {
      router.score = ScoreKind::SigmoidAll;
      router.norm = WeightNorm::SumOne;
      router.normParameter = 1e-20;
      router.scale = 2.5;
      for (int e = 0; e < kExperts; ++e) router.selectionBias.push_back(0.02F * static_cast<float>(e % 7));
    } else if (layer % 3 == 2) {
      router.score = ScoreKind::TopkSoftmax;
    }
    d.routers.push_back(router);
  }
  return d;
}

/// A step of `tokens` rows with random logits, as a decoder would fill it, in blocks of 5 rows.
StepOutput routeRandomly(StepBuffers& buffers, const checkpoint::ModelDescription& d, std::mt19937& random,
                         bool decode, std::int64_t position, int tokens,
                         std::shared_ptr<const steering::SteeringPlan> plan) {
  const std::vector<std::int32_t> ids(static_cast<std::size_t>(tokens), 1);
  StepRequest request;
  request.ids = ids;
  request.decode = decode;
  request.logits = LogitRows::None;
  buffers.begin(request, position, std::move(plan));
  std::normal_distribution<float> normal(0.0F, 2.0F);
  for (int layer = 0; layer < d.layers; ++layer) {
    for (int first = 0; first < tokens; first += 5) {
      const int rows = std::min(5, tokens - first);
      for (int row = first; row < first + rows; ++row) {
        for (int e = 0; e < kExperts; ++e) buffers.routerLogits(layer, row)[e] = normal(random);
      }
      const auto routed = buffers.route(layer, first, rows);
      if (!routed) qFatal("%s", routed.error().text().c_str());
    }
  }
  return buffers.finish();
}

}  // namespace

class TestCpuDecoderSteering : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void equalsTheScalarDefinition_data() { addOperations(); }
  void equalsTheScalarDefinition() {
    const auto d = description();
    const auto plan = planOf(scopedRules(), d.routers);
    StepBuffers buffers(d);
    std::mt19937 random(9);
    int changed = 0;
    for (const auto& [decode, position, tokens] :
         {std::tuple{false, 0, 23}, {true, 23, 1}, {true, 24, 1}, {false, 5, 8}}) {
      const auto output = routeRandomly(buffers, d, random, decode, position, tokens, plan);
      for (std::size_t r = 0; r < d.routers.size(); ++r) {
        const auto& tap = output.routers[r];
        int widest = 1;
        for (int row = 0; row < tokens; ++row) {
          const auto logits = tap.logits.subspan(static_cast<std::size_t>(row) * kExperts, kExperts);
          const auto wanted = steering::applyPlan(logits, plan->layers[r], {decode, position + row});
          const auto native = steering::nativeChoice(logits, d.routers[r]);
          QVERIFY(sameBits(choiceAt(tap.ids, tap.weights, tap.width, row), wanted));
          if (!plan->layers[r].empty())
            QVERIFY(sameBits(choiceAt(tap.nativeIds, tap.nativeWeights, 4, row), native));
          widest = std::max(widest, static_cast<int>(wanted.ids.size()));
          if (!sameBits(wanted, native)) ++changed;
        }
        QCOMPARE(tap.width, plan->layers[r].empty() ? 4 : widest);
        QCOMPARE(tap.nativeIds.empty(), plan->layers[r].empty());
        QCOMPARE(tap.ids.size(), static_cast<std::size_t>(tap.width * tokens));
      }
    }
    QVERIFY(changed > 0);
  }

  // Buffers are kept between steps: nothing of a wide step may show in a narrow one after it.
  void stepsLeaveNothingBehind() {
    const auto d = description();
    const auto wide = planOf(json::parse(R"([{"primitive":"COUNT","op":"fixed","count":20}])"), d.routers);
    const auto varying =
        planOf(json::parse(R"([{"primitive":"COUNT","op":"top_p","value":0.5}])"), d.routers);
    StepBuffers used(d);
    std::mt19937 random(1);
    routeRandomly(used, d, random, false, 0, 40, wide);
    std::mt19937 one(2);
    std::mt19937 other(2);
    StepBuffers fresh(d);
    const auto after = routeRandomly(used, d, one, true, 40, 3, varying);
    const auto wanted = routeRandomly(fresh, d, other, true, 40, 3, varying);
    for (std::size_t r = 0; r < d.routers.size(); ++r) {
      QVERIFY(std::equal(after.routers[r].ids.begin(), after.routers[r].ids.end(),
                         wanted.routers[r].ids.begin(), wanted.routers[r].ids.end()));
      QVERIFY(std::equal(after.routers[r].weights.begin(), after.routers[r].weights.end(),
                         wanted.routers[r].weights.begin(), wanted.routers[r].weights.end()));
    }
    std::mt19937 third(2);
    for (const auto& tap : routeRandomly(used, d, third, true, 43, 3, nullptr).routers) {
      QCOMPARE(tap.width, 4);
      QVERIFY(tap.nativeIds.empty());
    }
  }
};

QTEST_APPLESS_MAIN(TestCpuDecoderSteering)
#include "tst_cpu_decoder_steering.moc"
