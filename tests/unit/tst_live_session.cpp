// LiveSession on the fake engine: commands from this thread, events from its own.
#include <QTest>

#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <semaphore>

#include "core/engine/generation/live_session.h"
#include "tests/support/generation_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;
using Kind = LiveEvent::Kind;

namespace {

/// Keeps events and lets the test wait for them; a test that waits in vain fails after ten seconds.
class EventLog {
 public:
  void add(const LiveEvent& event) {
    const std::lock_guard lock(m_mutex);
    m_events.push_back(event);
    m_changed.notify_all();
  }
  /// Waits for the n-th event of a kind (from 1).
  bool waitFor(Kind kind, int count = 1) {
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, std::chrono::seconds(10), [&] { return countOf(kind) >= count; });
  }
  int count(Kind kind) {
    const std::lock_guard lock(m_mutex);
    return countOf(kind);
  }
  std::vector<std::string> errors() {
    const std::lock_guard lock(m_mutex);
    std::vector<std::string> kinds;
    for (const auto& event : m_events) {
      if (event.error) kinds.push_back(event.error->kind);
    }
    return kinds;
  }

 private:
  int countOf(Kind kind) const {
    int count = 0;
    for (const auto& event : m_events) count += event.kind == kind ? 1 : 0;
    return count;
  }

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::vector<LiveEvent> m_events;
};

/// Holds the engine thread at one place until the test lets it go.
struct Gate {
  std::binary_semaphore reached{0}, open{0};
  void pass() {
    reached.release();
    open.acquire();
  }
};

/// A session with the fake engine and its event log; the log outlives the session.
struct Bench {
  std::shared_ptr<FakeBehaviour> behaviour = std::make_shared<FakeBehaviour>();
  EventLog log;
  LiveSession session{
      [this]() -> Result<std::shared_ptr<Engine>> { return std::make_shared<FakeEngine>(behaviour); }};

  Bench() {
    session.setReceiver([this](const LiveEvent& event) { log.add(event); });
  }
  bool load() {
    session.loadModel(demoFolder(), {});
    return log.waitFor(Kind::ModelLoaded);
  }
  /// Waits until everything posted so far is done.
  bool settle() {
    const int before = log.count(Kind::ModelUnloaded);
    session.unloadModel();
    return log.waitFor(Kind::ModelUnloaded, before + 1);
  }
};

GenerationSettings settings(int maxTokens, const std::string& prompt = "one two three") {
  GenerationSettings result;
  result.prompt = prompt;
  result.maxTokens = maxTokens;
  result.ignoreEndTokens = true;
  return result;
}

steering::SteeringProgram banning(std::int32_t expert) {
  steering::SteeringProgram program;
  program.rules.push_back(banRule(program, {LayerIndex{2}, ExpertIndex{expert}}));
  return program;
}

const std::string kLongPrompt(400, 'x');

}  // namespace

class TestLiveSession : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void loadsAndUnloads() {
    Bench bench;
    QCOMPARE(bench.session.status().state, LiveState::NoModel);
    QVERIFY(bench.load());
    QVERIFY(bench.session.model() != nullptr);
    QVERIFY(bench.session.tokenizer() != nullptr);
    QVERIFY(bench.settle());
    QVERIFY(bench.session.model() == nullptr);
    QVERIFY(bench.log.errors().empty());
  }

  void aBadFolderLeavesTheModelThatIsThere() {
    Bench bench;
    bench.session.loadModel("/nowhere/at/all", {});
    QVERIFY(bench.log.waitFor(Kind::Failed));
    QCOMPARE(bench.session.status().state, LiveState::Failed);
    QVERIFY(bench.load());
    const auto model = bench.session.model();
    bench.session.loadModel("/nowhere/at/all", {});
    QVERIFY(bench.log.waitFor(Kind::Failed, 2));
    QCOMPARE(bench.session.model(), model);
    bench.behaviour->loadError = Error{"machine.no_device", "", "", "there is no such device", ""};
    bench.session.loadModel(demoFolder(), {});
    QVERIFY(bench.log.waitFor(Kind::Failed, 3));
    QCOMPARE(bench.session.model(), model);
    QCOMPARE(bench.log.errors().back(), std::string("machine.no_device"));
  }

  void loadingCanBeStopped() {
    Bench bench;
    Gate gate;
    bench.behaviour->whileLoading = [&](int step) {
      if (step == 4) gate.pass();
    };
    bench.session.loadModel(demoFolder(), {});
    gate.reached.acquire();
    const auto status = bench.session.status();
    QCOMPARE(status.state, LiveState::Loading);
    QVERIFY(status.progress.has_value());
    QCOMPARE(status.progress->done, std::int64_t{4});
    bench.session.stop();
    QCOMPARE(bench.session.status().state, LiveState::Stopping);
    gate.open.release();
    QVERIFY(bench.settle());
    QCOMPARE(bench.log.count(Kind::ModelLoaded), 0);
    QVERIFY(bench.log.errors().empty());
  }

  void generatesWhatAGenerationWouldGive() {
    Bench bench;
    TemporaryTrace trace;
    bench.session.setStore(trace.store);
    QVERIFY(bench.load());
    bench.session.generate(settings(20));
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    const auto status = bench.session.status();
    QCOMPARE(status.finish, FinishReason::MaxTokens);
    QCOMPARE(status.generatedTokens, std::int64_t{20});
    QCOMPARE(status.maxTokens, std::int64_t{20});
    QVERIFY(status.canContinue);
    QVERIFY(status.tokensPerSecond > 0);
    QCOMPARE(bench.log.count(Kind::TokenAppended), static_cast<int>(status.promptTokens) + 20);
    QCOMPARE(bench.log.count(Kind::GenerationStarted), 1);
    const auto direct = startOrDie(fakeModel(demoFolder()), trace.store, settings(20));
    write(*direct);
    COMPARE_DUMPS(dumpRows(*trace.store, *status.run), dumpRows(*trace.store, *direct->run()));
  }

  void stopsDuringPrefillAndContinues() {
    Bench bench;
    TemporaryTrace trace;
    bench.session.setStore(trace.store);
    QVERIFY(bench.load());
    Gate gate;
    std::atomic<bool> wait = true;
    bench.behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position == 32 && wait.exchange(false)) gate.pass();
    };
    bench.session.generate(settings(5, kLongPrompt));
    gate.reached.acquire();
    bench.session.stop();
    gate.open.release();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    auto status = bench.session.status();
    QCOMPARE(status.finish, FinishReason::Stopped);
    QCOMPARE(status.generatedTokens, std::int64_t{0});
    QVERIFY(status.canContinue);
    QCOMPARE(trace.store->run(*status.run)->routedTokens, std::int64_t{48});
    bench.session.resume(5);
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded, 2));
    status = bench.session.status();
    QCOMPARE(status.finish, FinishReason::MaxTokens);
    const auto direct = startOrDie(fakeModel(demoFolder()), trace.store, settings(5, kLongPrompt));
    write(*direct);
    COMPARE_DUMPS(dumpRows(*trace.store, *status.run), dumpRows(*trace.store, *direct->run()));
  }

  void aRuleSetWhileWritingActsOnTheNextToken() {
    Bench bench;
    TemporaryTrace trace;
    bench.session.setStore(trace.store);
    QVERIFY(bench.load());
    Gate gate;
    bench.behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position == 20) gate.pass();
    };
    bench.session.generate(settings(40));
    gate.reached.acquire();  // row 20 is being forwarded
    for (std::int32_t expert = 0; expert < 5; ++expert) {
      bench.session.setProgram(banning(expert), SteeringMode::FromNowOn);  // a slider that is dragged
    }
    gate.open.release();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    const auto run = *bench.session.status().run;
    const auto events = trace.store->steeringEvents(run);
    QCOMPARE(events.size(), std::size_t{1});  // only the last position counts
    QCOMPARE(events[0].token, std::int64_t{21});
    QVERIFY(events[0].programJson.find("4") != std::string::npos);
    QVERIFY(bench.log.count(Kind::EffectsChanged) > 0);
    const auto effects = bench.session.effects();
    QCOMPARE(effects.size(), std::size_t{1});
    QCOMPARE(effects[0].tokensInScope, trace.store->run(run)->routedTokens - 21);
    QCOMPARE(effects[0].chosen, std::int64_t{0});
  }

  void aProgramIsKeptForTheNextText() {
    Bench bench;
    TemporaryTrace trace;
    bench.session.setStore(trace.store);
    bench.session.setProgram(banning(7), SteeringMode::FromNowOn);
    QVERIFY(bench.load());
    bench.session.generate(settings(10));
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    const auto events = trace.store->steeringEvents(*bench.session.status().run);
    QCOMPARE(events.size(), std::size_t{1});
    QCOMPARE(events[0].token, std::int64_t{0});
  }

  void aCounterfactualRuleSwitchesTheRun() {
    Bench bench;
    TemporaryTrace trace;
    bench.session.setStore(trace.store);
    QVERIFY(bench.load());
    bench.session.generate(settings(20));
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    const auto first = *bench.session.status().run;
    bench.session.setProgram(banning(3), SteeringMode::Counterfactual);
    QVERIFY(bench.log.waitFor(Kind::RunSwitched));
    const auto second = *bench.session.status().run;
    QVERIFY(second != first);
    bench.session.stepOne();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded, 2));
    QCOMPARE(bench.session.status().generatedTokens, std::int64_t{21});
    bench.session.continueFrom(10);
    QVERIFY(bench.log.waitFor(Kind::RunSwitched, 2));
    QVERIFY(*bench.session.status().run != second);
    QVERIFY(bench.log.errors().empty());
  }

  void aNewTextEndsTheOneBefore() {
    Bench bench;
    TemporaryTrace trace;
    bench.session.setStore(trace.store);
    QVERIFY(bench.load());
    Gate gate;
    std::atomic<bool> wait = true;
    bench.behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position == 30 && wait.exchange(false)) gate.pass();
    };
    bench.session.generate(settings(900));
    gate.reached.acquire();
    const auto first = *bench.session.status().run;
    bench.session.generate(settings(3));
    gate.open.release();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded, 2));
    QCOMPARE(trace.store->run(first)->status, trace::RunStatus::Closed);
    QCOMPARE(trace.store->run(first)->routedTokens, std::int64_t{31});
    QCOMPARE(bench.session.status().generatedTokens, std::int64_t{3});
  }

  void anotherStoreEndsTheRun() {
    Bench bench;
    TemporaryTrace trace;
    TemporaryTrace other;
    bench.session.setStore(trace.store);
    QVERIFY(bench.load());
    bench.session.generate(settings(5));
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    const auto run = *bench.session.status().run;
    bench.session.setStore(trace.store);  // the same: nothing happens
    bench.session.stepOne();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded, 2));
    QCOMPARE(bench.session.status().generatedTokens, std::int64_t{6});
    QCOMPARE(bench.session.status().maxTokens, std::int64_t{6});  // a step past the limit moves it
    bench.session.setStore(other.store);
    bench.session.generate(settings(5));
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded, 3));
    QCOMPARE(trace.store->run(run)->status, trace::RunStatus::Closed);
    QCOMPARE(other.store->runs().size(), std::size_t{1});
    QVERIFY(trace.store->close());
  }

  void stopTakesBackWhatWaits() {
    Bench bench;
    QVERIFY(bench.load());
    Gate gate;
    bench.behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position == 12) gate.pass();
    };
    bench.session.generate(settings(50));
    gate.reached.acquire();
    bench.session.resume(1000);
    bench.session.generate(settings(1000));
    bench.session.stop();
    gate.open.release();
    QVERIFY(bench.settle());
    QCOMPARE(bench.log.count(Kind::GenerationStarted), 1);
    QCOMPARE(bench.log.count(Kind::GenerationEnded), 1);
  }

  void whatCannotBeDoneIsSaid() {
    Bench bench;
    bench.session.generate(settings(3));
    QVERIFY(bench.log.waitFor(Kind::Failed));
    QVERIFY(bench.load());
    bench.session.stepOne();
    bench.session.recordCorpus({});
    bench.session.generate(settings(3, ""));
    steering::SteeringProgram missing = banning(99);
    bench.session.setProgram(missing, SteeringMode::FromNowOn);
    QVERIFY(bench.log.waitFor(Kind::Failed, 5));
    const std::vector<std::string> expected{"generate.no_model", "generate.nothing", "corpus.no_file",
                                            "generate.empty_prompt", "steering.no_such_expert"};
    QVERIFY(bench.log.errors() == expected);
    bench.session.generate(settings(3));  // the program that was refused is not kept
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    QCOMPARE(bench.session.status().state == LiveState::Failed, false);
  }

  void recordsACorpus() {
    Bench bench;
    TemporaryTrace trace;
    const QTemporaryDir corpus;
    std::ofstream(corpus.filePath("english.txt").toStdString()) << "some words of English";
    bench.session.setStore(trace.store);
    QVERIFY(bench.load());
    CorpusSettings corpusSettings;
    corpusSettings.corpus = corpus.path().toStdString();
    bench.session.recordCorpus(corpusSettings);
    QVERIFY(bench.log.waitFor(Kind::CorpusEnded));
    const auto run = trace.store->run(*bench.session.status().run);
    QCOMPARE(run->kind, trace::RunKind::Corpus);
    QCOMPARE(run->sequences, std::int64_t{1});
  }

  void aFullDiskDoesNotStopTheText() {
    Bench bench;
    trace::StoreOptions options;
    options.maxPages = 80;
    options.commitIntervalMs = 1;
    TemporaryTrace trace(options);
    std::mutex mutex;
    std::vector<std::string> failures;
    trace.store->subscribe([&](const trace::StoreEvent& event) {
      const std::lock_guard lock(mutex);
      if (event.error) failures.push_back(event.error->kind);
    });
    bench.session.setStore(trace.store);
    QVERIFY(bench.load());
    bench.behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position % 64 == 0) (void)trace.store->flush();
    };
    auto wanted = settings(600, kLongPrompt);
    wanted.capture = trace::CaptureLevel::Full;
    bench.session.generate(wanted);
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    QCOMPARE(bench.session.status().generatedTokens, std::int64_t{600});
    const std::lock_guard lock(mutex);
    QVERIFY(!failures.empty());
    QCOMPARE(failures.front(), std::string("machine.disk_full"));
  }

  void endsWhileAModelRuns() {
    auto bench = std::make_unique<Bench>();
    QVERIFY(bench->load());
    Gate gate;
    std::atomic<bool> wait = true;
    bench->behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position == 48 && wait.exchange(false)) gate.pass();
    };
    bench->session.generate(settings(1000000, kLongPrompt));
    gate.reached.acquire();
    gate.open.release();
    const auto forwards = bench->behaviour;
    bench.reset();  // joins; the test's time limit would tell if it did not
    QVERIFY(forwards->forwards < 1000);
  }
};

QTEST_APPLESS_MAIN(TestLiveSession)
#include "tst_live_session.moc"
