// The runs that a LiveSession on the fake engine leaves in its store: steering, new texts, corpora, a full
// disk.
#include <QTest>

#include <fstream>
#include <mutex>

#include "tests/support/live_bench.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;
using Kind = LiveEvent::Kind;

namespace {

const std::string kShortText = "one two three";
const std::string kLongText(400, 'x');

}  // namespace

class TestLiveSessionRuns : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void aRuleSetWhileWritingActsOnTheNextToken() {
    LiveBench bench;
    QVERIFY(bench.loadRecording());
    bench.holdAt(20);
    bench.session.generate(prompt(kShortText, 40));
    bench.gate.reached.acquire();  // row 20 is being forwarded
    for (std::int32_t expert = 0; expert < 5; ++expert) {
      bench.session.setProgram(banning(expert), SteeringMode::FromNowOn);  // a slider that is dragged
    }
    bench.gate.open.release();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    const auto run = *bench.session.status().run;
    const auto events = bench.trace.store->steeringEvents(run);
    QCOMPARE(events.size(), std::size_t{1});  // only the last position counts
    QCOMPARE(events[0].token, std::int64_t{21});
    QVERIFY(events[0].programJson.find("4") != std::string::npos);
    QVERIFY(bench.log.count(Kind::EffectsChanged) > 0);
    const auto effects = bench.session.effects();
    QCOMPARE(effects.size(), std::size_t{1});
    QCOMPARE(effects[0].tokensInScope, bench.trace.store->run(run)->routedTokens - 21);
    QCOMPARE(effects[0].chosen, std::int64_t{0});
  }

  void aProgramIsKeptForTheNextText() {
    LiveBench bench;
    bench.session.setStore(bench.trace.store);
    bench.session.setProgram(banning(7), SteeringMode::FromNowOn);
    QVERIFY(bench.load());
    QVERIFY(bench.generate(prompt(kShortText, 10)));
    const auto events = bench.trace.store->steeringEvents(*bench.session.status().run);
    QCOMPARE(events.size(), std::size_t{1});
    QCOMPARE(events[0].token, std::int64_t{0});
  }

  void aCounterfactualRuleSwitchesTheRun() {
    LiveBench bench;
    QVERIFY(bench.loadRecording());
    QVERIFY(bench.generate(prompt(kShortText, 20)));
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
    LiveBench bench;
    QVERIFY(bench.loadRecording());
    bench.holdAt(30);
    bench.session.generate(prompt(kShortText, 900));
    bench.gate.reached.acquire();
    const auto first = *bench.session.status().run;
    bench.session.generate(prompt(kShortText, 3));
    bench.gate.open.release();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded, 2));
    QCOMPARE(bench.trace.store->run(first)->status, trace::RunStatus::Closed);
    QCOMPARE(bench.trace.store->run(first)->routedTokens, std::int64_t{31});
    QCOMPARE(bench.session.status().generatedTokens, std::int64_t{3});
  }

  void anotherStoreEndsTheRun() {
    LiveBench bench;
    TemporaryTrace other;
    QVERIFY(bench.loadRecording());
    QVERIFY(bench.generate(prompt(kShortText, 5)));
    const auto run = *bench.session.status().run;
    bench.session.setStore(bench.trace.store);  // the same: nothing happens
    bench.session.stepOne();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded, 2));
    QCOMPARE(bench.session.status().generatedTokens, std::int64_t{6});
    QCOMPARE(bench.session.status().maxTokens, std::int64_t{6});  // a step past the limit moves it
    bench.session.setStore(other.store);
    QVERIFY(bench.generate(prompt(kShortText, 5)));
    QCOMPARE(bench.trace.store->run(run)->status, trace::RunStatus::Closed);
    QCOMPARE(other.store->runs().size(), std::size_t{1});
    QVERIFY(bench.trace.store->close());
  }

  void recordsACorpus() {
    LiveBench bench;
    const QTemporaryDir corpus;
    std::ofstream(corpus.filePath("english.txt").toStdString()) << "some words of English";
    QVERIFY(bench.loadRecording());
    CorpusSettings corpusSettings;
    corpusSettings.corpus = corpus.path().toStdString();
    bench.session.recordCorpus(corpusSettings);
    QVERIFY(bench.log.waitFor(Kind::CorpusEnded));
    const auto run = bench.trace.store->run(*bench.session.status().run);
    QCOMPARE(run->kind, trace::RunKind::Corpus);
    QCOMPARE(run->sequences, std::int64_t{1});
  }

  void aFullDiskDoesNotStopTheText() {
    trace::StoreOptions options;
    options.maxPages = 80;
    options.commitIntervalMs = 1;
    std::mutex mutex;
    std::vector<std::string> failures;
    LiveBench bench(options);
    bench.trace.store->subscribe([&](const trace::StoreEvent& event) {
      const std::lock_guard lock(mutex);
      if (event.error) failures.push_back(event.error->kind);
    });
    QVERIFY(bench.loadRecording());
    bench.behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position % 64 == 0) (void)bench.trace.store->flush();
    };
    auto wanted = prompt(kLongText, 600);
    wanted.capture = trace::CaptureLevel::Full;
    QVERIFY(bench.generate(wanted));
    QCOMPARE(bench.session.status().generatedTokens, std::int64_t{600});
    const std::lock_guard lock(mutex);
    QVERIFY(!failures.empty());
    QCOMPARE(failures.front(), std::string("machine.disk_full"));
  }
};

QTEST_APPLESS_MAIN(TestLiveSessionRuns)
#include "tst_live_session_runs.moc"
