// Experts with a capacity (openmoe): what is dropped in a prompt longer than a block, under rules, after a
// rewind, and how taps and traces show it. Values: tests/support/make_openmoe_reference.py.
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/engine/api/reference_file.h"
#include "core/engine/api/verify.h"
#include "core/engine/generation/forwarded_sequence.h"
#include "core/engine/generation/generation.h"
#include "core/engine/generation/prompt_tokens.h"
#include "core/engine/generation/run_records.h"
#include "tests/support/engine_fixture.h"
#include "tests/support/steering_operations.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;
using nlohmann::json;

namespace {

constexpr int kPrompt = 200;  // more than a block of families without a capacity
constexpr int kDecoded = 8;
// floor(2 choices * 0.9 * 200 tokens / 8 experts) = 45, made even.
constexpr int kPlaces = 46;

std::shared_ptr<Model> openMoe(const std::string& device = "cpu") {
  static const auto kernels = loadModel(checkpointFolder("openmoe"), "cpu");
  static const auto torch = loadModel(checkpointFolder("openmoe"), "cpu-torch");
  return device == "cpu" ? kernels : torch;
}

/// One step of the whole prompt; the taps live as long as the session.
struct Prefill {
  explicit Prefill(std::shared_ptr<const steering::SteeringPlan> plan = nullptr,
                   const std::vector<std::int32_t>& ids = spreadIds(*openMoe(), kPrompt))
      : session(orDie(openMoe()->newSession())) {
    session->setPlan(std::move(plan));
    StepRequest request;
    request.ids = ids;
    output = orDie(session->forward(request));
  }
  std::unique_ptr<Session> session;
  StepOutput output;
};

std::shared_ptr<const tokenizer::Tokenizer> anyTokenizer() {
  static const auto tokenizer = orDie(tokenizer::Tokenizer::open(demoModelFolder() / "tokenizer.json"));
  return tokenizer;
}

std::span<const float> logitsOf(const RouterTap& tap, int row) {
  const auto experts = static_cast<std::size_t>(tap.experts);
  return tap.logits.subspan(static_cast<std::size_t>(row) * experts, experts);
}

/// Experts by falling raw logit.
std::vector<int> rankedBy(const RouterTap& tap, int row) {
  const auto logits = logitsOf(tap, row);
  std::vector<int> ranked(logits.size());
  std::iota(ranked.begin(), ranked.end(), 0);
  std::ranges::stable_sort(ranked, std::ranges::greater(),
                           [&](int e) { return logits[static_cast<std::size_t>(e)]; });
  return ranked;
}

/// Of all experts, which openmoe uses as they are.
std::vector<double> softmaxOf(const RouterTap& tap, int row) {
  std::vector<double> weights;
  double sum = 0.0;
  for (const float z : logitsOf(tap, row)) sum += weights.emplace_back(std::exp(double{z}));
  for (double& weight : weights) weight /= sum;
  return weights;
}

void devices() {
  QTest::addColumn<QString>("device");
  QTest::newRow("own kernels") << QString("cpu");
  QTest::newRow("LibTorch") << QString("cpu-torch");
}

}  // namespace

class TestGoldenCapacity : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  // All tokens of a prompt share the places, however many blocks another family would cut it into.
  void aLongPromptSharesOneCapacity_data() { devices(); }
  void aLongPromptSharesOneCapacity() {
    QFETCH(QString, device);
    const auto model = openMoe(device.toStdString());
    QCOMPARE(model->prefillBlock(), model->checkpoint().description().maxPositions);
    QCOMPARE(prefillChunk(*model), model->prefillBlock());
    const auto report =
        orDie(verify(*model, checkpointFolder("openmoe") / "reference_long_prompt.safetensors", {}));
    QVERIFY(report.passed && report.notCompared.empty());
    QCOMPARE(report.tokensPerRow, std::int64_t{kPrompt});
    QCOMPARE(report.routing.size(), std::size_t{2});
    for (const auto& routing : report.routing) {
      QCOMPARE(routing.rows, std::int64_t{kPrompt});
      QCOMPARE(routing.setDiffers, std::int64_t{0});
      QCOMPARE(routing.orderDiffers, std::int64_t{0});
    }
  }

  // `native` is the choice; what `ids` lacks of it is in `dropped`, at the same rank.
  void tapsShowWhatWasDropped() {
    const Prefill prefill;
    for (const RouterTap& tap : prefill.output.routers) {
      QCOMPARE(tap.width, 2);
      QCOMPARE(tap.dropped.size(), tap.ids.size());
      QCOMPARE(tap.nativeIds.size(), tap.ids.size());
      int dropped = 0;
      std::vector<int> load(static_cast<std::size_t>(tap.experts), 0);
      for (std::size_t i = 0; i < tap.ids.size(); ++i) {
        const bool isDropped = tap.ids[i] < 0;
        dropped += isDropped ? 1 : 0;
        QCOMPARE(isDropped ? tap.dropped[i] : tap.ids[i], tap.nativeIds[i]);
        QVERIFY(isDropped || tap.dropped[i] == -1);
        QCOMPARE(tap.weights[i], isDropped ? 0.0F : tap.nativeWeights[i]);
        if (!isDropped) ++load[static_cast<std::size_t>(tap.ids[i])];
      }
      QVERIFY(dropped > 0);
      // An expert that dropped something was full.
      for (std::size_t i = 0; i < tap.ids.size(); ++i) {
        if (tap.dropped[i] >= 0) QCOMPARE(load[static_cast<std::size_t>(tap.dropped[i])], kPlaces);
      }
    }
  }

  // The number that numpy counted over both rows of the fixture.
  void countsOfTheReference() {
    QFile file(QString::fromStdString((checkpointFolder("openmoe") / "fixture.json").string()));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto counts = QJsonDocument::fromJson(file.readAll())["dropped_choices_by_layer"].toObject();
    const auto reference = orDie(ReferenceFile::open(checkpointFolder("openmoe") / "reference.safetensors",
                                                     openMoe()->checkpoint().description()));
    std::vector<std::int64_t> dropped(2, 0);
    for (std::int64_t row = 0; row < reference.rows(); ++row) {
      const auto first = reference.ids().begin() + row * reference.tokens();
      const Prefill prefill(nullptr, {first, first + reference.tokens()});
      for (std::size_t router = 0; router < dropped.size(); ++router) {
        dropped[router] += std::ranges::count_if(prefill.output.routers[router].dropped,
                                                 [](std::int32_t expert) { return expert >= 0; });
      }
    }
    QVERIFY(dropped[0] > 0 && dropped[1] > 0);
    QCOMPARE(dropped[0], std::int64_t{counts["1"].toInt()});
    QCOMPARE(dropped[1], std::int64_t{counts["3"].toInt()});
  }

  void tokenByTokenDropsNothing() {
    const auto session = orDie(openMoe()->newSession());
    for (const std::int32_t id : spreadIds(*openMoe(), 40)) {
      StepRequest request;
      request.ids = std::span(&id, 1);
      const auto output = orDie(session->forward(request));
      for (const RouterTap& tap : output.routers) {
        QVERIFY(std::ranges::all_of(tap.dropped, [](std::int32_t e) { return e == -1; }));
        QVERIFY(std::ranges::all_of(tap.ids, [](std::int32_t e) { return e >= 0; }));
      }
    }
  }

  // Rules change the choice, and the capacity is shared out after that.
  void theCapacityHoldsUnderRules() {
    const auto& routers = openMoe()->checkpoint().description().routers;
    const auto plan = planOf(json::parse(R"([{"primitive":"KEY","op":"ban","experts":[0],"layers":[1]},
                                             {"primitive":"COUNT","op":"fixed","count":3,"layers":[1]}])"),
                             routers);
    const Prefill prefill(plan);
    const RouterTap& tap = prefill.output.routers[0];
    QCOMPARE(tap.width, 3);
    const auto width = static_cast<std::size_t>(tap.width);
    std::vector<steering::RouterChoice> chosen;
    for (int row = 0; row < kPrompt; ++row) {
      const auto experts = static_cast<std::size_t>(tap.experts);
      chosen.push_back(
          steering::applyPlan(tap.logits.subspan(static_cast<std::size_t>(row) * experts, experts),
                              plan->layers[0], {false, row}));
    }
    std::vector<int> asked(static_cast<std::size_t>(tap.experts), 0);
    int dropped = 0;
    for (std::size_t rank = 0; rank < width; ++rank) {
      for (std::size_t row = 0; row < chosen.size(); ++row) {
        const std::int32_t wanted = chosen[row].ids[rank];
        QVERIFY(wanted != 0);
        const bool hasPlace = asked[static_cast<std::size_t>(wanted)]++ < kPlaces;
        dropped += hasPlace ? 0 : 1;
        QCOMPARE(tap.ids[row * width + rank], hasPlace ? wanted : -1);
        QCOMPARE(tap.dropped[row * width + rank], hasPlace ? -1 : wanted);
        QCOMPARE(tap.weights[row * width + rank], hasPlace ? chosen[row].weights[rank] : 0.0F);
      }
    }
    QVERIFY(dropped > 0);
  }

  // What a rule did is counted on the choice: an expert that is pinned for every token is chosen by all of
  // them, although most find no place. Counted here from the raw logits: the two largest are the router's own
  // choice.
  void effectsCountChoicesThatWereDropped() {
    const auto model = openMoe();
    const auto plan = planOf(json::parse(R"([{"primitive":"KEY","op":"pin+","experts":[5],"layers":[1]},
                                             {"primitive":"KEY","op":"ban","experts":[0],"layers":[3]},
                                             {"primitive":"COUNT","op":"fixed","count":1,"layers":[3]}])"),
                             model->checkpoint().description().routers);
    ForwardedSequence sequence(model, orDie(model->newSession()), anyTokenizer());
    sequence.start(spreadIds(*model, kPrompt + kDecoded), kPrompt);
    sequence.setPlan(plan);
    std::vector<RuleEffect> expected{{.ruleId = 1}, {.ruleId = 2}, {.ruleId = 3}};
    std::int64_t placed = 0;  // tokens for which the pinned expert has a place
    sequence.setObserver([&](std::int64_t, int tokens, const StepOutput& output) {
      for (int row = 0; row < tokens; ++row) {
        const auto pinned = rankedBy(output.routers[0], row);
        ++expected[0].tokensInScope;
        ++expected[0].chosen;
        expected[0].nativelyChosen += pinned[0] == 5 || pinned[1] == 5 ? 1 : 0;
        const auto ids = output.routers[0].ids.subspan(static_cast<std::size_t>(row) * 2, 2);
        placed += std::ranges::count(ids, 5);

        const auto ranked = rankedBy(output.routers[1], row);
        const auto weights = softmaxOf(output.routers[1], row);
        const bool hasBanned = ranked[0] == 0 || ranked[1] == 0;
        ++expected[1].tokensInScope;
        expected[1].nativelyChosen += hasBanned ? 1 : 0;
        // One choice: the first, or the second where the first is banned. The other native one is dropped.
        const std::size_t kept = ranked[0] == 0 ? 1 : 0;
        ++expected[2].tokensInScope;
        ++expected[2].choicesDropped;
        expected[2].droppedNativeMass += weights[static_cast<std::size_t>(ranked[1 - kept])];
        expected[2].nativeMass +=
            weights[static_cast<std::size_t>(ranked[0])] + weights[static_cast<std::size_t>(ranked[1])];
      }
    });
    QVERIFY(sequence.forwardTo(kPrompt + kDecoded, {}).has_value());
    QCOMPARE(placed, std::int64_t{kPlaces + kDecoded});  // the capacity bit
    QVERIFY(expected[0].nativelyChosen > 0 && expected[1].nativelyChosen > 0);
    QCOMPARE(sequence.effects().size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const RuleEffect& effect = sequence.effects()[i];
      QCOMPARE(effect.ruleId, expected[i].ruleId);
      QCOMPARE(effect.tokensInScope, expected[i].tokensInScope);
      QCOMPARE(effect.chosen, expected[i].chosen);
      QCOMPARE(effect.nativelyChosen, expected[i].nativelyChosen);
      QCOMPARE(effect.choicesAdded, expected[i].choicesAdded);
      QCOMPARE(effect.choicesDropped, expected[i].choicesDropped);
      QVERIFY(std::abs(effect.droppedNativeMass - expected[i].droppedNativeMass) < 1e-4);
      QVERIFY(std::abs(effect.nativeMass - expected[i].nativeMass) < 1e-4);
    }
  }

  void aRewoundOrForkedSequenceGivesTheSameBits_data() { devices(); }
  void aRewoundOrForkedSequenceGivesTheSameBits() {
    QFETCH(QString, device);
    const auto model = openMoe(device.toStdString());
    const auto ids = spreadIds(*model, kPrompt + kDecoded);
    const auto session = orDie(model->newSession());
    const auto first = forwardAll(*session, ids, {kPrompt, 1}, kPrompt);
    session->rewind(kPrompt);
    const auto copy = orDie(session->fork());
    const auto rest = std::span(ids).subspan(kPrompt);
    const auto again = forwardAll(*session, rest, {1}, kPrompt);
    QVERIFY(again == forwardAll(*copy, rest, {1}, kPrompt));
    QVERIFY(first.logits.ends_with(again.logits));
    session->rewind(0);
    QVERIFY(first == forwardAll(*session, ids, {kPrompt, 1}, kPrompt));
  }

  // In a trace a dropped choice is an empty slot at its rank, and the choice stands in the native ids; the
  // check of the file, which recomputes top-k from the logits, finds nothing.
  void tracesShowWhatWasDropped() {
    const auto model = openMoe();
    QTemporaryDir folder;
    const std::filesystem::path file = folder.filePath("t.moescope").toStdString();
    const auto store = orDie(trace::TraceStore::create(file));
    const auto recorder =
        orDie(store->startRun(modelRecord(*model, *anyTokenizer()),
                              newRunRecord(*model, trace::RunKind::Generate, trace::CaptureLevel::Full)));
    ForwardedSequence sequence(model, orDie(model->newSession()), anyTokenizer());
    const auto ids = spreadIds(*model, kPrompt + kDecoded);
    sequence.start(ids, kPrompt);
    recorder->beginSequence({});
    sequence.record(recorder.get(), 0, 0);
    QVERIFY(sequence.forwardTo(kPrompt + kDecoded, {}).has_value());
    QVERIFY(!sequence.recordingError());
    QVERIFY(recorder->endSequence(true).has_value());
    QVERIFY(recorder->end(trace::RunStatus::Closed).has_value());

    const Prefill prefill;
    for (int router = 0; router < 2; ++router) {
      const auto block = store->routeBlock(recorder->run(), router, 0);
      QCOMPARE(block->count, kPrompt + kDecoded);
      QCOMPARE(block->nativeIds.size(), block->ids.size());
      const RouterTap& tap = prefill.output.routers[static_cast<std::size_t>(router)];
      for (std::size_t i = 0; i < block->ids.size(); ++i) {
        const bool isDropped = i < tap.ids.size() && tap.dropped[i] >= 0;
        QCOMPARE(block->ids[i] == trace::kEmptySlot, isDropped);
        if (isDropped) QCOMPARE(int{block->nativeIds[i]}, tap.dropped[i]);
        if (!isDropped) QCOMPARE(block->nativeIds[i], block->ids[i]);
      }
    }
    QVERIFY(store->close().has_value());
    const auto issues = orDie(trace::checkTrace(file, false, {}, {}));
    QVERIFY2(issues.empty(), issues.empty() ? "" : issues.front().message.c_str());
  }
};

QTEST_APPLESS_MAIN(TestGoldenCapacity)
#include "tst_golden_capacity.moc"
