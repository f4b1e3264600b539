// What rules did, from the engine thread to the file and back, on the fake engine: texts, replays, corpora
// that are stopped or killed.
#include <QTest>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>

#include "core/engine/generation/corpus_run.h"
#include "core/engine/generation/live_session.h"
#include "tests/support/generation_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

constexpr std::int32_t kLayer = 2;

GenerationSettings settings(int maxTokens) {
  GenerationSettings result;
  result.prompt = "It was a cold morning on the sea, and the captain looked for a wind that did not come.";
  result.maxTokens = maxTokens;
  result.ignoreEndTokens = true;
  return result;
}

/// Bans experts in one layer and takes one choice away in another.
steering::SteeringProgram program(const std::vector<std::int32_t>& banned = {1, 3, 5}) {
  steering::SteeringProgram program;
  for (const auto expert : banned)
    program.rules.push_back(banRule(program, {LayerIndex{kLayer}, ExpertIndex{expert}}));
  steering::Rule fewer;
  fewer.id = fewer.priority = program.nextId();
  fewer.primitive = steering::Primitive::Count;
  fewer.operation = steering::Operation::Fixed;
  fewer.layers = {4};
  fewer.operand.count = 2;
  program.rules.push_back(fewer);
  return program;
}

std::vector<RuleEffect> byRule(std::vector<RuleEffect> effects) {
  std::ranges::sort(effects, {}, &RuleEffect::ruleId);
  return effects;
}

/// How often the rows of a run chose an expert natively, counted from the blocks.
std::int64_t nativelyChosen(const trace::TraceStore& store, trace::RunId run, std::int32_t expert) {
  std::int64_t count = 0;
  for (std::int64_t block = 0;; ++block) {
    const auto routes = store.routeBlock(run, kLayer, block);
    if (routes == nullptr) return count;
    count +=
        std::count(routes->nativeIds.begin(), routes->nativeIds.end(), static_cast<std::uint16_t>(expert));
  }
}

void reopen(TemporaryTrace& trace, trace::OpenMode mode = trace::OpenMode::ReadOnly) {
  if (const auto closed = trace.store->close(); !closed) qFatal("%s", closed.error().text().c_str());
  trace.store = *trace::TraceStore::open(trace.file, mode);
}

struct Corpus {
  QTemporaryDir folder;
  Corpus() {
    add("english.txt",
        "<|endoftext|>The captain looked for a wind that did not come before the evening."
        "<|endoftext|>A second text, shorter.");
    add("python.txt",
        "<|endoftext|>def main(argv):\n    for line in argv:\n        print(line)\n    return 0\n"
        "<|endoftext|>Nobody waited for the wind any more, and the evening of the third day came and went.");
  }
  void add(const char* name, const std::string& text) const {
    std::ofstream(folder.filePath(name).toStdString(), std::ios::binary) << text;
  }
  [[nodiscard]] CorpusSettings settings(bool resume = false) const {
    CorpusSettings settings;
    settings.corpus = folder.path().toStdString();
    settings.contextTokens = 20;
    settings.program = program();
    settings.resume = resume;
    return settings;
  }
};

Result<CorpusOutcome> record(trace::TraceStore& store, const CorpusSettings& settings,
                             std::shared_ptr<Model> model = fakeModel(demoFolder()),
                             std::stop_token stop = {}) {
  return recordCorpus(model, demoTokenizer(), store, settings, {}, std::move(stop));
}

/// A model that calls `action` before the n-th block (from 1).
std::shared_ptr<Model> modelAtBlock(int number, std::function<void()> action) {
  auto behaviour = std::make_shared<FakeBehaviour>();
  behaviour->beforeBlock = [behaviour = behaviour.get(), number, action = std::move(action)](std::int64_t,
                                                                                             int) {
    if (behaviour->forwards == number - 1) action();
  };
  return fakeModel(demoFolder(), behaviour);
}

}  // namespace

class TestRuleEffects : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aTextKeepsWhatItsRulesDid() {
    TemporaryTrace trace;
    const auto generation = startOrDie(fakeModel(demoFolder()), trace.store, settings(12));
    QVERIFY(generation->setProgram(program(), SteeringMode::FromNowOn, {}));
    for (int i = 0; i < 12; ++i) {
      write(*generation, 1);
      QCOMPARE(trace.store->ruleEffects(*generation->run()), byRule(generation->effects()));
    }
    const auto live = byRule(generation->effects());
    const auto run = *generation->run();
    QCOMPARE(live.size(), std::size_t{4});
    QVERIFY(generation->finish());
    reopen(trace);
    const auto kept = trace.store->ruleEffects(run);
    QCOMPARE(kept, live);
    const auto routed = trace.store->run(run)->routedTokens;
    const std::vector<std::int32_t> banned{1, 3, 5};
    for (std::size_t i = 0; i < banned.size(); ++i) {
      QCOMPARE(kept[i].tokensInScope, routed);
      QCOMPARE(kept[i].chosen, std::int64_t{0});
      QCOMPARE(kept[i].nativelyChosen, nativelyChosen(*trace.store, run, banned[i]));
    }
    const int topK = trace.store->routers(run)[4].topK;
    QCOMPARE(kept[3].choicesDropped, routed * (topK - 2));
    QVERIFY(kept[3].droppedNativeMass > 0.0 && kept[3].droppedNativeMass < kept[3].nativeMass);
  }

  void aChangedRuleStartsAnew() {
    TemporaryTrace trace;
    const auto generation = startOrDie(fakeModel(demoFolder()), trace.store, settings(12));
    QVERIFY(generation->setProgram(program(), SteeringMode::FromNowOn, {}));
    write(*generation, 6);
    auto changed = program();
    changed.rules[0].experts = {9};
    changed.rules.erase(changed.rules.begin() + 1);
    QVERIFY(generation->setProgram(changed, SteeringMode::FromNowOn, {}));
    const auto run = *generation->run();
    QCOMPARE(trace.store->ruleEffects(run).size(), std::size_t{2});  // the rules that stayed
    write(*generation);
    QCOMPARE(trace.store->ruleEffects(run), byRule(generation->effects()));
    QVERIFY(trace.store->ruleEffects(run)[0].tokensInScope < trace.store->ruleEffects(run)[1].tokensInScope);
    QVERIFY(generation->setProgram({}, SteeringMode::FromNowOn, {}));
    QVERIFY(generation->finish());
    reopen(trace);
    QVERIFY(trace.store->ruleEffects(run).empty());
  }

  void aReplayKeepsItsOwn() {
    TemporaryTrace trace;
    const auto generation = startOrDie(fakeModel(demoFolder()), trace.store, settings(10));
    QVERIFY(generation->setProgram(program({1}), SteeringMode::FromNowOn, {}));
    write(*generation);
    const auto first = *generation->run();
    const auto before = trace.store->ruleEffects(first);
    // A rule on later positions only: what stands before is copied, not computed.
    auto later = program({1});
    auto extra = banRule(later, {LayerIndex{kLayer}, ExpertIndex{7}});
    extra.positions.from = 34;
    later.rules.push_back(extra);
    QVERIFY(generation->setProgram(later, SteeringMode::Counterfactual, {}));
    const auto second = *generation->run();
    QVERIFY(second != first);
    QCOMPARE(trace.store->ruleEffects(second), byRule(generation->effects()));
    const auto live = byRule(generation->effects());
    const auto routed = trace.store->run(second)->routedTokens;
    QCOMPARE(live.size(), std::size_t{3});
    QCOMPARE(live[0].tokensInScope, routed);
    QCOMPARE(live[2].tokensInScope, routed - 34);
    QVERIFY(generation->finish());
    reopen(trace);
    QCOMPARE(trace.store->ruleEffects(first), before);
    QCOMPARE(trace.store->ruleEffects(second), live);
  }

  void aCutTextKeepsWhatStandsBefore() {
    TemporaryTrace trace;
    const auto generation = startOrDie(fakeModel(demoFolder()), trace.store, settings(12));
    QVERIFY(generation->setProgram(program(), SteeringMode::FromNowOn, {}));
    write(*generation);
    QVERIFY(generation->continueFrom(static_cast<std::int64_t>(generation->tokens().size()) - 5, {}));
    const auto run = *generation->run();
    QCOMPARE(trace.store->ruleEffects(run), byRule(generation->effects()));
    QCOMPARE(trace.store->ruleEffects(run)[0].tokensInScope, trace.store->run(run)->routedTokens);
    const auto live = byRule(generation->effects());
    QVERIFY(generation->finish());
    reopen(trace);
    QCOMPARE(trace.store->ruleEffects(run), live);
  }

  void aCorpusCountsItsCompleteSequences() {
    const Corpus corpus;
    TemporaryTrace whole;
    const auto expected = record(*whole.store, corpus.settings());
    QVERIFY(expected);
    const auto effects = whole.store->ruleEffects(expected->run);
    QCOMPARE(effects.size(), std::size_t{4});
    QCOMPARE(effects[0].tokensInScope, expected->tokens);
    QCOMPARE(effects[0].nativelyChosen, nativelyChosen(*whole.store, expected->run, 1));
    // Stopped inside a sequence, and again.
    TemporaryTrace trace;
    for (const int block : {3, 4}) {
      std::stop_source stop;
      const auto outcome = record(*trace.store, corpus.settings(block == 4),
                                  modelAtBlock(block, [&] { stop.request_stop(); }), stop.get_token());
      QVERIFY(outcome->cancelled);
      std::int64_t complete = 0;
      for (const auto& sequence : trace.store->sequences(outcome->run))
        complete += sequence.complete ? sequence.length : 0;
      const auto kept = trace.store->ruleEffects(outcome->run);
      QCOMPARE(kept.empty() ? 0 : kept[0].tokensInScope, complete);
      reopen(trace, trace::OpenMode::ReadWrite);
    }
    const auto last = record(*trace.store, corpus.settings(true));
    QVERIFY2(last, last ? "" : last.error().text().c_str());
    QCOMPARE(trace.store->ruleEffects(last->run), effects);
    reopen(trace);
    QCOMPARE(trace.store->ruleEffects(last->run), effects);
  }

  void aKilledCorpusRunCountsNothingTwice() {
    const Corpus corpus;
    const QTemporaryDir folder;
    const std::string file = folder.filePath("t.moescope").toStdString();
    const pid_t child = ::fork();
    if (child == 0) {
      auto store = *trace::TraceStore::create(file);
      (void)record(*store, corpus.settings(), modelAtBlock(6, [&] {
        (void)store->flush();
        ::raise(SIGKILL);
      }));
      ::_exit(1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    QVERIFY(WIFSIGNALED(status));
    auto opened = *trace::TraceStore::open(file, trace::OpenMode::ReadWrite);
    QVERIFY(!opened->ruleEffects(1).empty());
    QVERIFY(opened->ruleEffects(1)[0].tokensInScope < opened->run(1)->tokens);
    const auto outcome = record(*opened, corpus.settings(true));
    QVERIFY2(outcome, outcome ? "" : outcome.error().text().c_str());
    TemporaryTrace whole;
    const auto expected = record(*whole.store, corpus.settings());
    QCOMPARE(opened->ruleEffects(outcome->run), whole.store->ruleEffects(expected->run));
  }

  void theLiveSessionAndTheFileAgree() {
    TemporaryTrace trace;
    auto behaviour = std::make_shared<FakeBehaviour>();
    LiveSession session(
        [&]() -> Result<std::shared_ptr<Engine>> { return std::make_shared<FakeEngine>(behaviour); });
    const auto idle = [&] {
      return QTest::qWaitFor([&] { return session.status().state == LiveState::Idle; }, 10000);
    };
    session.loadModel(demoFolder(), {});
    QVERIFY(QTest::qWaitFor([&] { return session.model() != nullptr; }, 10000));
    session.setStore(trace.store);
    session.setProgram(program(), SteeringMode::FromNowOn);
    session.generate(settings(8));
    QVERIFY(QTest::qWaitFor([&] { return session.status().generatedTokens == 8; }, 10000) && idle());
    const auto run = *session.status().run;
    const auto live = byRule(session.effects());
    QCOMPARE(live.size(), std::size_t{4});
    QCOMPARE(trace.store->ruleEffects(run), live);
    // A corpus run is another run: nothing of the text's is shown for it.
    const Corpus corpus;
    auto recording = corpus.settings();
    recording.program = {};
    session.recordCorpus(recording);
    QVERIFY(QTest::qWaitFor([&] { return session.status().run != run; }, 10000) && idle());
    QVERIFY(session.effects().empty());
    QVERIFY(trace.store->ruleEffects(*session.status().run).empty());
    session.setStore(nullptr).wait();
    reopen(trace);
    QCOMPARE(trace.store->ruleEffects(run), live);
  }
};

QTEST_GUILESS_MAIN(TestRuleEffects)
#include "tst_rule_effects.moc"
