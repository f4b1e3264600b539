// Families that come from adapters: cuts, rewinding, forks, threads, watching and steering keep the promises
// of the one decoder, also for layers that are recurrences and for routers of attention heads. What they
// compute is held to transformers in tst_golden_checkpoints.
#include <QTest>

#include <algorithm>
#include <numeric>

#include <nlohmann/json.hpp>

#include "tests/support/engine_fixture.h"
#include "tests/support/family_adapters.h"
#include "tests/support/steering_operations.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

constexpr int kTokens = 600;  // beyond two kept states of a recurrence, and several blocks of prefill

std::shared_ptr<Model> modelOf(const QString& family, int threads = 2) {
  LoadOptions options;
  options.device = "cpu";
  options.threads = threads;
  options.contextTokens = kTokens;
  return loadModel(checkpointFolder(family.toStdString()), options);
}

bool endsWith(const std::string& whole, const std::string& end) {
  return whole.size() >= end.size() && whole.compare(whole.size() - end.size(), end.size(), end) == 0;
}

std::size_t logitBytes(const Model& model) {
  return static_cast<std::size_t>(model.checkpoint().description().vocabularySize) * sizeof(float);
}

}  // namespace

class TestGoldenAdapters : public QObject {
  Q_OBJECT

  static void addFamilies() {
    QTest::addColumn<QString>("family");
    for (const char* family : {"jetmoe", "minimax", "qwen3_next"}) QTest::newRow(family) << QString(family);
  }
  static QString family() {
    QFETCH(QString, family);
    return family;
  }

 private Q_SLOTS:
  void initTestCase() { useFamilyAdapters(); }

  void bitsDoNotDependOnSteps_data() { addFamilies(); }
  void bitsDoNotDependOnSteps() {
    const auto model = modelOf(family());
    const auto ids = spreadIds(*model, kTokens);
    const auto whole = forwardAll(*orDie(model->newSession()), ids, {kTokens});
    QCOMPARE(whole.logits.size(), kTokens * logitBytes(*model));
    for (const auto& steps : {std::vector{1}, std::vector{7, 1, 250, 13, 2, 3, 5}, std::vector{256, 344}})
      QVERIFY(forwardAll(*orDie(model->newSession()), ids, steps) == whole);
  }

  // Back to positions before, on and after what a recurrence keeps, with other tokens in between.
  void rewindGivesTheBitsOfNeverHavingGoneOn_data() { addFamilies(); }
  void rewindGivesTheBitsOfNeverHavingGoneOn() {
    const auto model = modelOf(family());
    const auto ids = spreadIds(*model, kTokens);
    auto others = ids;
    std::reverse(others.begin(), others.end());
    const auto whole = forwardAll(*orDie(model->newSession()), ids, {kTokens});
    const auto session = orDie(model->newSession());
    forwardAll(*session, ids, {kTokens});
    for (const int position : {599, 513, 512, 511, 300, 257, 256, 255, 128, 3, 1, 0, 400}) {
      session->rewind(0);
      forwardAll(*session, ids, {kTokens});
      session->rewind(position);
      forwardAll(*session, std::span(others).first(static_cast<std::size_t>(kTokens - position) / 2 + 1),
                 {1 + position % 40});
      session->rewind(position);
      QCOMPARE(session->position(), std::int64_t{position});
      const auto again =
          forwardAll(*session, std::span(ids).subspan(static_cast<std::size_t>(position)), {1, 30, 1000});
      QVERIFY2(endsWith(whole.logits, again.logits), qPrintable(QString::number(position)));
      for (std::size_t r = 0; r < whole.ids.size(); ++r)
        QVERIFY(endsWith(whole.ids[r], again.ids[r]) && endsWith(whole.weights[r], again.weights[r]));
    }
  }

  void aForkIsIndependent_data() { addFamilies(); }
  void aForkIsIndependent() {
    const auto model = modelOf(family());
    const auto ids = spreadIds(*model, kTokens);
    const auto whole = forwardAll(*orDie(model->newSession()), ids, {kTokens});
    auto others = ids;
    std::reverse(others.begin(), others.end());
    for (const std::size_t position : {20, 256, 290}) {
      const auto session = orDie(model->newSession());
      forwardAll(*session, std::span(ids).first(position + 200), {1000});
      session->rewind(static_cast<std::int64_t>(position));
      const auto fork = orDie(session->fork());
      QCOMPARE(fork->position(), static_cast<std::int64_t>(position));
      forwardAll(*session, std::span(others).first(50), {9});
      QVERIFY(endsWith(whole.logits, forwardAll(*fork, std::span(ids).subspan(position), {5, 100}).logits));
      session->rewind(static_cast<std::int64_t>(position));
      QVERIFY(endsWith(whole.logits, forwardAll(*session, std::span(ids).subspan(position), {1000}).logits));
    }
  }

  void threadsAndWatchingChangeNoBit_data() { addFamilies(); }
  void threadsAndWatchingChangeNoBit() {
    const auto ids = spreadIds(*modelOf(family()), 150);
    const auto single = forwardAll(*orDie(modelOf(family(), 1)->newSession()), ids, {140, 1});
    QVERIFY(forwardAll(*orDie(modelOf(family(), 3)->newSession()), ids, {140, 1}) == single);
    const auto model = modelOf(family());
    const auto session = orDie(model->newSession());
    StepRequest request;
    request.ids = ids;
    request.inputs = request.hidden = true;
    const auto watched = orDie(session->forward(request));
    QVERIFY(endsWith(single.logits, bytesOf(watched.logits)));
    const auto& description = model->checkpoint().description();
    QCOMPARE(watched.routers.size(), description.routers.size());
    for (const auto& tap : watched.routers)
      QCOMPARE(tap.input.size(), ids.size() * static_cast<std::size_t>(description.hiddenSize));
  }

  // Every router, those of attention heads too: what was chosen is what the scalar definition makes of the
  // logits, with more, fewer and no choices; rows before the rules keep their bits, and so does what follows
  // when the rules are taken back.
  void steeringIsTheScalarDefinition_data() { addFamilies(); }
  void steeringIsTheScalarDefinition() {
    const auto model = modelOf(family());
    const auto& routers = model->checkpoint().description().routers;
    const auto ids = spreadIds(*model, 60);
    const auto plain = forwardAll(*orDie(model->newSession()), ids, {60});
    for (const char* rules :
         {R"([{"primitive":"KEY","op":"ban","experts":[0,3],"positions":{"from":30}}])",
          R"([{"primitive":"COUNT","op":"fixed","count":5,"positions":{"from":30}}])",
          R"([{"primitive":"COUNT","op":"fixed","count":1,"positions":{"from":30,"every":2}}])",
          R"([{"primitive":"KEY","op":"pin+","experts":[1,2,4],"positions":{"from":30}}])",
          R"([{"primitive":"LOGIT","op":"add","value":2,"experts":[5],"positions":{"from":30}}])"}) {
      const auto plan = tests::planOf(nlohmann::json::parse(rules), routers);
      const auto session = orDie(model->newSession());
      session->setPlan(plan);
      StepRequest request;
      request.ids = ids;
      request.logits = LogitRows::All;
      const auto output = orDie(session->forward(request));
      int changed = 0;
      for (std::size_t r = 0; r < routers.size(); ++r) {
        const auto& tap = output.routers[r];
        const auto experts = static_cast<std::size_t>(routers[r].experts);
        for (int row = 0; row < 60; ++row) {
          const auto logits = tap.logits.subspan(static_cast<std::size_t>(row) * experts, experts);
          const auto chosen = choiceAt(tap.ids, tap.weights, tap.width, row);
          QVERIFY(sameBits(chosen, steering::applyPlan(logits, plan->layers[r], {false, row})));
          changed += !sameBits(chosen, steering::nativeChoice(logits, routers[r]));
        }
      }
      QVERIFY2(changed > 0, rules);
      const std::size_t before = 30 * logitBytes(*model);
      const std::string steered = bytesOf(output.logits);
      QVERIFY(steered.substr(0, before) == plain.logits.substr(0, before));
      QVERIFY(steered.substr(before) != plain.logits.substr(before));
      session->setPlan(nullptr);
      session->rewind(30);
      QVERIFY(forwardAll(*session, std::span(ids).subspan(30), {1}).logits == plain.logits.substr(before));
    }
  }

  // An error of a late router leaves recurrences of earlier layers as they were.
  void anErrorChangesNothing_data() { addFamilies(); }
  void anErrorChangesNothing() {
    const auto model = modelOf(family());
    const auto ids = spreadIds(*model, 300);
    const auto plain = forwardAll(*orDie(model->newSession()), ids, {300});
    const auto& routers = model->checkpoint().description().routers;
    auto plan = std::make_shared<steering::SteeringPlan>(*tests::planOf(
        nlohmann::json::parse(R"([{"primitive":"KEY","op":"ban","experts":[1,2]}])"), routers));
    const auto forced = tests::planOf(
        nlohmann::json::parse(R"([{"primitive":"KEY","op":"set","ids":[1,2],"positions":{"from":280}}])"),
        routers);
    plan->layers.back().steps.push_back(forced->layers.back().steps[0]);
    const auto session = orDie(model->newSession());
    forwardAll(*session, std::span(ids).first(100), {100});
    session->setPlan(plan);
    StepRequest request;
    request.ids = std::span(ids).subspan(100);
    const auto refused = session->forward(request);
    QVERIFY(!refused);
    QCOMPARE(QString::fromStdString(refused.error().kind), QString("steering.all_banned"));
    QCOMPARE(session->position(), std::int64_t{100});
    session->setPlan(nullptr);
    QVERIFY(endsWith(plain.logits, forwardAll(*session, std::span(ids).subspan(100), {1}).logits));
  }

  void anotherDeviceIsOneClearError_data() { addFamilies(); }
  void anotherDeviceIsOneClearError() {
    LoadOptions options;
    options.device = "cpu-torch";
    const auto loaded =
        orDie(loadEngine())->load(openCheckpoint(checkpointFolder(family().toStdString())), options, {}, {});
    QVERIFY(!loaded);
    QCOMPARE(QString::fromStdString(loaded.error().kind), QString("engine.unsupported"));
    QVERIFY(QString::fromStdString(loaded.error().text()).contains(family()));
    options.device = "auto";
    QVERIFY(
        orDie(loadEngine())->load(openCheckpoint(checkpointFolder(family().toStdString())), options, {}, {}));
  }

  void storedWeightsGiveTheBitsOfWidenedOnes_data() { addFamilies(); }
  void storedWeightsGiveTheBitsOfWidenedOnes() {
    const auto folder = checkpointFolder(family().toStdString());
    const auto stored = loadModel(folder, "cpu", Dtype::Auto);
    const auto wide = loadModel(folder, "cpu", Dtype::F32);
    const auto ids = spreadIds(*stored, 40);
    QVERIFY(forwardAll(*orDie(stored->newSession()), ids, {40}) ==
            forwardAll(*orDie(wide->newSession()), ids, {40}));
    QVERIFY(stored->memory().weights < wide->memory().weights);
    const auto session = orDie(stored->newSession());
    QVERIFY(stored->memory().cache > 0);
  }
};

QTEST_APPLESS_MAIN(TestGoldenAdapters)
#include "tst_golden_adapters.moc"
