// Steering while text is written, on the fake engine: next token, from now on, counterfactual, continue from.
#include <QTest>

#include <algorithm>
#include <cmath>

#include "core/engine/generation/prompt_tokens.h"
#include "tests/support/generation_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

const std::string kPrompt =
    "It was a cold morning on the sea, and the captain looked for a wind that did not come before the "
    "evening "
    "of the third day, when nobody waited for it any more.";

GenerationSettings settings(int maxTokens) {
  GenerationSettings result = prompt(kPrompt, maxTokens);
  result.capture = trace::CaptureLevel::Full;
  return result;
}

steering::SteeringProgram banning(const std::vector<std::int32_t>& experts, std::int32_t layer = 2) {
  steering::SteeringProgram program;
  for (const auto expert : experts)
    program.rules.push_back(banRule(program, {LayerIndex{layer}, ExpertIndex{expert}}));
  return program;
}

/// An expert of layer 2 that the row natively chose.
std::int32_t chosenAt(const trace::TraceStore& store, trace::RunId run, std::int64_t row) {
  const auto block = store.routeBlock(run, 2, row / trace::kBlockTokens);
  return block->ids[static_cast<std::size_t>((row % trace::kBlockTokens) * block->width)];
}

bool chose(const trace::TraceStore& store, trace::RunId run, std::int64_t row, std::int32_t expert) {
  const auto block = store.routeBlock(run, 2, row / trace::kBlockTokens);
  const auto begin =
      block->ids.begin() + static_cast<std::ptrdiff_t>((row % trace::kBlockTokens) * block->width);
  return std::find(begin, begin + block->width, static_cast<std::uint16_t>(expert)) != begin + block->width;
}

/// Log-probabilities of ids when the program was there from the start: the steps by hand.
std::vector<float> directLogProbs(Model& model, const std::vector<std::int32_t>& ids,
                                  std::int64_t promptLength, const steering::SteeringProgram& program) {
  auto session = *model.newSession();
  session->setPlan(*steering::compile(program, model.checkpoint().description().routers));
  const auto vocabulary = static_cast<std::size_t>(model.checkpoint().description().vocabularySize);
  std::vector<float> logProbs{trace::kMissing};
  const auto length = static_cast<std::int64_t>(ids.size());
  for (std::int64_t begin = 0; begin + 1 < length;) {
    const std::int64_t end =
        begin < promptLength ? std::min(begin + model.prefillBlock(), promptLength) : begin + 1;
    StepRequest request;
    request.ids =
        std::span(ids).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
    request.decode = begin >= promptLength;
    request.logits = LogitRows::All;
    const auto output = session->forward(request);
    for (std::int64_t i = begin; i < end && i + 1 < length; ++i) {
      const auto row = output->logits.subspan(static_cast<std::size_t>(i - begin) * vocabulary, vocabulary);
      const auto next = static_cast<std::size_t>(ids[static_cast<std::size_t>(i) + 1]);
      logProbs.push_back(distributionFacts(row).logProb(row[next]));
    }
    begin = end;
  }
  return logProbs;
}

std::vector<std::int32_t> idsOf(const Generation& generation) {
  std::vector<std::int32_t> ids;
  for (const auto& token : generation.tokens()) ids.push_back(token.id);
  return ids;
}

bool sameBits(const std::vector<float>& left, const std::vector<float>& right) {
  return left.size() == right.size() &&
         std::equal(left.begin(), left.end(), right.begin(),
                    [](float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); });
}

std::vector<float> logProbsOf(const Generation& generation) {
  std::vector<float> logProbs;
  for (const auto& token : generation.tokens()) logProbs.push_back(token.logProb);
  return logProbs;
}

}  // namespace

class TestGenerationSteering : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void anEmptyProgramChangesNothing() {
    const auto model = fakeModel(demoFolder());
    const auto plain = startOrDie(model, nullptr, settings(20));
    write(*plain);
    const auto steered = startOrDie(model, nullptr, settings(20));
    steering::SteeringProgram off = banning({1, 2, 3});
    for (auto& rule : off.rules) rule.enabled = false;
    QVERIFY(steered->setProgram(off, SteeringMode::FromNowOn, {}));
    write(*steered);
    QCOMPARE(dumpTokens(*steered), dumpTokens(*plain));
    QVERIFY(steered->effects().empty());
  }

  void aRuleActsOnTheNextToken() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto plain = startOrDie(model, trace.store, settings(20));
    write(*plain);
    const auto steered = startOrDie(model, trace.store, settings(20));
    write(*steered, 7);
    const auto pending = static_cast<std::int64_t>(steered->tokens().size()) - 1;
    const auto expert = chosenAt(*trace.store, *plain->run(), pending);
    QVERIFY(steered->setProgram(banning({expert}), SteeringMode::FromNowOn, {}));
    write(*steered);
    const auto run = *steered->run();
    QCOMPARE(trace.store->runs().size(), std::size_t{2});  // no new run
    // Rows before and the pending one's facts are the same, its choices are not.
    COMPARE_DUMPS(dumpRows(*trace.store, run, 0, pending), dumpRows(*trace.store, *plain->run(), 0, pending));
    QVERIFY(chose(*trace.store, *plain->run(), pending, expert));
    for (std::int64_t row = pending; row + 1 < static_cast<std::int64_t>(steered->tokens().size()); ++row) {
      QVERIFY(!chose(*trace.store, run, row, expert));
    }
    const auto next = static_cast<std::size_t>(pending) + 1;
    QVERIFY(steered->tokens()[next].logProb != plain->tokens()[next].logProb ||
            steered->tokens()[next].id != plain->tokens()[next].id);
    const auto events = trace.store->steeringEvents(run);
    QCOMPARE(events.size(), std::size_t{1});
    QCOMPARE(events[0].token, pending);
    QVERIFY(!events[0].counterfactual);
    // Native choices are kept where the rule was on the layer.
    QVERIFY(!trace.store->routeBlock(run, 2, 0)->nativeIds.empty());
  }

  void counterfactualEqualsARunThatHadTheRule_data() {
    QTest::addColumn<int>("phase");
    QTest::addColumn<int>("from");
    QTest::addColumn<int>("kept");  // rows that are copied; -1: the prompt's length + 5
    QTest::newRow("everywhere") << int(steering::PhaseScope::Both) << 0 << 0;
    QTest::newRow("inside the prompt") << int(steering::PhaseScope::Both) << 21 << 16;
    QTest::newRow("decode") << int(steering::PhaseScope::Decode) << 0 << -2;
    QTest::newRow("later") << int(steering::PhaseScope::Both) << -1 << -1;
  }

  void counterfactualEqualsARunThatHadTheRule() {
    QFETCH(int, phase);
    QFETCH(int, from);
    QFETCH(int, kept);
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto generation = startOrDie(model, trace.store, settings(20));
    write(*generation);
    const auto promptLength = generation->promptTokens();
    const auto source = *generation->run();
    const auto sourceDump = dumpRows(*trace.store, source);
    const auto before = idsOf(*generation);
    auto program =
        banning({chosenAt(*trace.store, source, 30), chosenAt(*trace.store, source, promptLength + 8)});
    if (program.rules[0].experts == program.rules[1].experts) program.rules.pop_back();
    for (auto& rule : program.rules) {
      rule.phase = static_cast<steering::PhaseScope>(phase);
      rule.positions.from = from < 0 ? promptLength + 5 : from;
    }
    QVERIFY(generation->setProgram(program, SteeringMode::Counterfactual, {}));
    const auto run = *generation->run();
    QVERIFY(run != source);
    QCOMPARE(idsOf(*generation), before);  // the same tokens
    QVERIFY(sameBits(logProbsOf(*generation), directLogProbs(*model, before, promptLength, program)));
    const std::int64_t keptRows = kept == -1 ? promptLength + 5 : kept == -2 ? promptLength : kept;
    // Row keptRows has its facts from the row before it, so all but its choices stay too.
    COMPARE_DUMPS(dumpRows(*trace.store, run, 0, keptRows), dumpRows(*trace.store, source, 0, keptRows));
    QVERIFY(dumpRows(*trace.store, run) != sourceDump);
    COMPARE_DUMPS(dumpRows(*trace.store, source), sourceDump);
    QCOMPARE(trace.store->run(source)->status, trace::RunStatus::Closed);
    QCOMPARE(trace.store->run(run)->twin, std::optional(source));
    QCOMPARE(trace.store->run(run)->routedTokens, static_cast<std::int64_t>(before.size()) - 1);
    const auto events = trace.store->steeringEvents(run);
    QCOMPARE(events.size(), std::size_t{1});
    QCOMPARE(events[0].token, keptRows);
    QVERIFY(events[0].counterfactual);
    // And it goes on as that run would.
    generation->extend(6);
    write(*generation);
    QVERIFY(
        sameBits(logProbsOf(*generation), directLogProbs(*model, idsOf(*generation), promptLength, program)));
  }

  void removingARuleRestoresTheUnsteeredRun() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto plain = startOrDie(model, trace.store, settings(12));
    write(*plain);
    plain->extend(10);
    const auto generation = startOrDie(model, trace.store, settings(12));
    write(*generation);
    const auto unsteered = dumpRows(*trace.store, *generation->run());
    QVERIFY(generation->setProgram(banning({1, 3, 5, 7, 9, 11, 13}), SteeringMode::Counterfactual, {}));
    QVERIFY(dumpRows(*trace.store, *generation->run()) != unsteered);
    QVERIFY(!generation->effects().empty());
    QVERIFY(generation->setProgram({}, SteeringMode::Counterfactual, {}));
    COMPARE_DUMPS(dumpRows(*trace.store, *generation->run()), unsteered);
    QVERIFY(generation->effects().empty());
    // The cache is as it was too: what follows is the same.
    generation->extend(10);
    write(*plain);
    write(*generation);
    QCOMPARE(dumpTokens(*generation), dumpTokens(*plain));
  }

  void aReplayAfterFromNowOnCoversTheWholeText() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto generation = startOrDie(model, trace.store, settings(20));
    write(*generation, 8);
    const auto program = banning({1, 3, 5, 7, 9, 11, 13});
    QVERIFY(generation->setProgram(program, SteeringMode::FromNowOn, {}));
    write(*generation, 4);
    const auto mixed = *generation->run();
    QVERIFY(generation->setProgram(program, SteeringMode::Counterfactual, {}));  // the same rules, other mode
    QVERIFY(*generation->run() != mixed);
    QVERIFY(sameBits(logProbsOf(*generation),
                     directLogProbs(*model, idsOf(*generation), generation->promptTokens(), program)));
    const auto replayed = *generation->run();
    QVERIFY(generation->setProgram(program, SteeringMode::Counterfactual, {}));
    QCOMPARE(*generation->run(), replayed);  // it was so all along
  }

  void aReplayWorksWithoutARecord() {
    const auto model = fakeModel(demoFolder());
    const auto generation = startOrDie(model, nullptr, settings(10));
    write(*generation);
    const auto program = banning({0, 2, 4, 6, 8});
    QVERIFY(generation->setProgram(program, SteeringMode::Counterfactual, {}));
    QVERIFY(!generation->run());
    QVERIFY(sameBits(logProbsOf(*generation),
                     directLogProbs(*model, idsOf(*generation), generation->promptTokens(), program)));
  }

  void aCancelledReplayGoesOnWithTheNextStep() {
    auto behaviour = std::make_shared<FakeBehaviour>();
    const auto model = fakeModel(demoFolder(), behaviour);
    TemporaryTrace trace;
    const auto generation = startOrDie(model, trace.store, settings(10));
    write(*generation);
    const auto program = banning({1, 3, 5, 7});
    std::stop_source stop;
    behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position >= 32) stop.request_stop();
    };
    const auto replay = generation->setProgram(program, SteeringMode::Counterfactual, stop.get_token());
    QCOMPARE(replay.error().kind, std::string("cancelled"));
    behaviour->beforeBlock = nullptr;
    generation->extend(5);
    write(*generation);
    QVERIFY(sameBits(logProbsOf(*generation),
                     directLogProbs(*model, idsOf(*generation), generation->promptTokens(), program)));
    QCOMPARE(trace.store->run(*generation->run())->tokens,
             static_cast<std::int64_t>(generation->tokens().size()));
  }

  void effectsCountWhatTheRecordShows() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto probe = startOrDie(model, trace.store, settings(10));
    write(*probe);
    const auto expert = chosenAt(*trace.store, *probe->run(), 20);
    const auto generation = startOrDie(model, trace.store, settings(10));
    QVERIFY(generation->setProgram(banning({expert}), SteeringMode::FromNowOn, {}));
    write(*generation);
    QCOMPARE(generation->effects().size(), std::size_t{1});
    const auto& effect = generation->effects()[0];
    const auto routed = static_cast<std::int64_t>(generation->tokens().size()) - 1;
    QCOMPARE(effect.tokensInScope, routed);
    QCOMPARE(effect.chosen, std::int64_t{0});
    const auto block = trace.store->routeBlock(*generation->run(), 2, 0);
    const auto natively =
        std::count(block->nativeIds.begin(), block->nativeIds.end(), static_cast<std::uint16_t>(expert));
    QVERIFY(natively > 0);
    QCOMPARE(effect.nativelyChosen, std::int64_t{natively});
    // Another rule leaves this one's counts alone; removing it drops them.
    auto two = banning({expert});
    two.rules.push_back(addLogitRule(two, {LayerIndex{4}, ExpertIndex{3}}, 1.0));
    QVERIFY(generation->setProgram(two, SteeringMode::FromNowOn, {}));
    QCOMPARE(generation->effects()[0].tokensInScope, routed);
    QVERIFY(generation->setProgram({}, SteeringMode::FromNowOn, {}));
    QVERIFY(generation->effects().empty());
  }

  void continueFromAGeneratedToken() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto generation = startOrDie(model, trace.store, settings(20));
    write(*generation);
    const auto whole = dumpTokens(*generation);
    const auto text = generation->text();
    const auto source = *generation->run();
    const auto sourceDump = dumpRows(*trace.store, source);
    const auto row = generation->promptTokens() + 6;
    QVERIFY(generation->continueFrom(row, {}));
    QVERIFY(*generation->run() != source);
    QCOMPARE(static_cast<std::int64_t>(generation->tokens().size()), row + 1);
    QCOMPARE(trace.store->run(*generation->run())->tokens, row + 1);
    QCOMPARE(trace.store->run(*generation->run())->routedTokens, row);
    QCOMPARE(generation->finished(), FinishReason::Running);
    write(*generation);
    QCOMPARE(dumpTokens(*generation), whole);  // the same draws
    QCOMPARE(generation->text(), text);
    COMPARE_DUMPS(dumpRows(*trace.store, *generation->run()), sourceDump);
    COMPARE_DUMPS(dumpRows(*trace.store, source), sourceDump);
  }

  void continueFromInsideThePrompt() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto generation = startOrDie(model, trace.store, settings(10));
    write(*generation);
    QVERIFY(generation->continueFrom(20, {}));
    QCOMPARE(generation->promptTokens(), std::int64_t{21});
    QCOMPARE(trace.store->run(*generation->run())->tokens, std::int64_t{21});
    write(*generation);
    auto shorter = settings(10);
    const auto ids = idsOf(*generation);
    shorter.promptIds.assign(ids.begin(), ids.begin() + 21);
    const auto fresh = startOrDie(model, trace.store, shorter);
    write(*fresh);
    QCOMPARE(dumpTokens(*generation), dumpTokens(*fresh));
    // Rows 17 to 20 were shown before they were forwarded again, so they keep the last bits of the whole
    // prompt's steps; all else is a fresh run's.
    const auto rows = [&](const Generation& of, std::int64_t begin, std::int64_t end) {
      return dumpRows(*trace.store, *of.run(), begin, end);
    };
    COMPARE_DUMPS(rows(*generation, 0, 17), rows(*fresh, 0, 17));
    COMPARE_DUMPS(rows(*generation, 21, 100), rows(*fresh, 21, 100));
    QCOMPARE(trace.store->sequences(*generation->run())[0].promptLength, std::int64_t{21});
  }

  void continueFromKeepsTheRulesAndTheirHistory() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto generation = startOrDie(model, trace.store, settings(20));
    write(*generation, 6);
    const auto changed = static_cast<std::int64_t>(generation->tokens().size()) - 1;
    QVERIFY(generation->setProgram(banning({1, 3, 5, 7, 9}), SteeringMode::FromNowOn, {}));
    write(*generation);
    const auto whole = dumpTokens(*generation);
    const auto effect = generation->effects()[0];
    QVERIFY(generation->continueFrom(changed + 5, {}));
    QCOMPARE(generation->effects()[0].tokensInScope, std::int64_t{5});
    write(*generation);
    QCOMPARE(dumpTokens(*generation), whole);
    QCOMPARE(generation->effects()[0].tokensInScope, effect.tokensInScope);
    QCOMPARE(generation->effects()[0].nativelyChosen, effect.nativelyChosen);
    const auto events = trace.store->steeringEvents(*generation->run());
    QCOMPARE(events.size(), std::size_t{1});
    QCOMPARE(events[0].token, changed);
    // Cut before the change: the rules act from the cut on.
    QVERIFY(generation->continueFrom(changed - 2, {}));
    write(*generation);
    const auto after = trace.store->steeringEvents(*generation->run());
    QCOMPARE(after.size(), std::size_t{1});
    QCOMPARE(after[0].token, changed - 2);
  }

  void badRequestsChangeNothing() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto plain = startOrDie(model, nullptr, settings(10));
    write(*plain);
    const auto generation = startOrDie(model, trace.store, settings(10));
    write(*generation, 5);
    const auto run = generation->run();
    const auto missing = generation->setProgram(banning({32}), SteeringMode::Counterfactual, {});
    QCOMPARE(missing.error().kind, std::string("steering.no_such_expert"));
    std::vector<std::int32_t> all(32);
    for (int i = 0; i < 32; ++i) all[static_cast<std::size_t>(i)] = i;
    const auto banned = generation->setProgram(banning(all), SteeringMode::FromNowOn, {});
    QCOMPARE(banned.error().kind, std::string("steering.all_banned"));
    QCOMPARE(generation->continueFrom(1000, {}).error().kind, std::string("generate.no_such_row"));
    QCOMPARE(generation->continueFrom(-1, {}).error().kind, std::string("generate.no_such_row"));
    QCOMPARE(generation->run(), run);
    write(*generation);
    QCOMPARE(dumpTokens(*generation), dumpTokens(*plain));
    QVERIFY(trace.store->steeringEvents(*run).empty());
  }
};

QTEST_APPLESS_MAIN(TestGenerationSteering)
#include "tst_generation_steering.moc"
