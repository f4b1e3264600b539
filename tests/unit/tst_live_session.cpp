// LiveSession on the fake engine: commands from this thread, events from its own.
#include <QTest>

#include <thread>

#include "tests/support/live_bench.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;
using Kind = LiveEvent::Kind;

namespace {

const std::string kShortText = "one two three";
const std::string kLongText(400, 'x');

}  // namespace

class TestLiveSession : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void loadsAndUnloads() {
    LiveBench bench;
    QCOMPARE(bench.session.status().state, LiveState::NoModel);
    QVERIFY(bench.load());
    QVERIFY(bench.session.model() != nullptr);
    QVERIFY(bench.session.tokenizer() != nullptr);
    QVERIFY(bench.settle());
    QVERIFY(bench.session.model() == nullptr);
    QVERIFY(bench.log.errors().empty());
  }

  void aBadFolderLeavesTheModelThatIsThere() {
    LiveBench bench;
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

  // A folder whose files are wrong is refused before anything of the model is given up, whatever memory there
  // is.
  void wrongFilesLeaveTheModelThatIsThere_data() {
    QTest::addColumn<QString>("folder");
    for (const char* folder :
         {"missing_tensor", "wrong_tensor_shape", "config_truncated", "valid_olmoe" /* has no tokenizer */})
      QTest::newRow(folder) << folder;
  }
  void wrongFilesLeaveTheModelThatIsThere() {
    QFETCH(QString, folder);
    LiveBench bench;
    bench.behaviour->freeBytes = bench.behaviour->modelBytes;  // not for two
    QVERIFY(bench.load());
    const auto model = bench.session.model();
    bench.session.loadModel((QStringLiteral(MOESCOPE_TEST_DATA "/malformed/") + folder).toStdString(), {});
    QVERIFY(bench.log.waitFor(Kind::Failed));
    QCOMPARE(bench.session.model(), model);
    QCOMPARE(bench.log.count(Kind::ModelUnloaded), 0);
    QVERIFY(bench.log.errors().front() != "machine.out_of_memory");
  }

  void aModelThatCannotFitLeavesTheOneThatIsThere() {
    LiveBench bench;
    bench.behaviour->freeBytes = 1500;
    QVERIFY(bench.loadRecording());
    const auto model = bench.session.model();
    bench.behaviour->modelBytes = 1501;
    bench.session.loadModel(demoFolder(), {});
    QVERIFY(bench.log.waitFor(Kind::Failed));
    QCOMPARE(bench.log.errors(), std::vector<std::string>{"machine.out_of_memory"});
    QCOMPARE(bench.log.count(Kind::ModelUnloaded), 0);
    QCOMPARE(bench.session.model(), model);
    QVERIFY(bench.generate(prompt(kShortText, 3)));
    QCOMPARE(bench.session.status().generatedTokens, std::int64_t{3});
  }

  void aModelThatFitsOnlyAloneTakesThePlace() {
    LiveBench bench;
    bench.behaviour->freeBytes = 1500;
    QVERIFY(bench.load());
    bench.behaviour->modelBytes = 1500;
    bench.session.loadModel(demoFolder(), {});
    QVERIFY(bench.log.waitFor(Kind::ModelLoaded, 2));
    QCOMPARE(bench.log.count(Kind::ModelUnloaded), 1);
    QVERIFY(bench.log.errors().empty());
    QCOMPARE(bench.session.model()->memory().weights, std::int64_t{1500 - 110});
  }

  void loadingCanBeStopped() {
    LiveBench bench;
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

  void tokenisingALongPromptCanBeStopped() {
    LiveBench bench;
    QVERIFY(bench.loadRecording());
    std::string words;
    while (words.size() < 20'000'000) words += "the letters of a prompt that nobody waits for\n";
    bench.session.generate(prompt(words, 5));
    while (bench.session.status().state != LiveState::Running) std::this_thread::yield();
    bench.session.stop();
    QVERIFY(bench.settle());
    QCOMPARE(bench.log.count(Kind::GenerationStarted), 0);
    QVERIFY(bench.log.errors().empty());
    QVERIFY(bench.trace.store->runs().empty());
  }

  void generatesWhatAGenerationWouldGive() {
    LiveBench bench;
    QVERIFY(bench.loadRecording());
    QVERIFY(bench.generate(prompt(kShortText, 20)));
    const auto status = bench.session.status();
    QCOMPARE(status.finish, FinishReason::MaxTokens);
    QCOMPARE(status.generatedTokens, std::int64_t{20});
    QCOMPARE(status.maxTokens, std::int64_t{20});
    QVERIFY(status.canContinue);
    QVERIFY(status.tokensPerSecond > 0);
    QCOMPARE(bench.log.count(Kind::TokenAppended), static_cast<int>(status.promptTokens) + 20);
    QCOMPARE(bench.log.count(Kind::GenerationStarted), 1);
    const auto direct = startOrDie(fakeModel(demoFolder()), bench.trace.store, prompt(kShortText, 20));
    write(*direct);
    COMPARE_DUMPS(dumpRows(*bench.trace.store, *status.run), dumpRows(*bench.trace.store, *direct->run()));
  }

  void stopsDuringPrefillAndContinues() {
    LiveBench bench;
    QVERIFY(bench.loadRecording());
    bench.holdAt(32);
    bench.session.generate(prompt(kLongText, 5));
    bench.gate.reached.acquire();
    bench.session.stop();
    bench.gate.open.release();
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    auto status = bench.session.status();
    QCOMPARE(status.finish, FinishReason::Stopped);
    QCOMPARE(status.generatedTokens, std::int64_t{0});
    QVERIFY(status.canContinue);
    QCOMPARE(bench.trace.store->run(*status.run)->routedTokens, std::int64_t{48});
    bench.session.resume(5);
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded, 2));
    status = bench.session.status();
    QCOMPARE(status.finish, FinishReason::MaxTokens);
    const auto direct = startOrDie(fakeModel(demoFolder()), bench.trace.store, prompt(kLongText, 5));
    write(*direct);
    COMPARE_DUMPS(dumpRows(*bench.trace.store, *status.run), dumpRows(*bench.trace.store, *direct->run()));
  }

  void stopTakesBackWhatWaits() {
    LiveBench bench;
    QVERIFY(bench.load());
    bench.holdAt(12);
    bench.session.generate(prompt(kShortText, 50));
    bench.gate.reached.acquire();
    bench.session.resume(1000);
    bench.session.generate(prompt(kShortText, 1000));
    bench.session.stop();
    bench.gate.open.release();
    QVERIFY(bench.settle());
    QCOMPARE(bench.log.count(Kind::GenerationStarted), 1);
    QCOMPARE(bench.log.count(Kind::GenerationEnded), 1);
  }

  void whatCannotBeDoneIsSaid() {
    LiveBench bench;
    bench.session.generate(prompt(kShortText, 3));
    QVERIFY(bench.log.waitFor(Kind::Failed));
    QVERIFY(bench.load());
    bench.session.stepOne();
    bench.session.recordCorpus({});
    bench.session.generate(prompt("", 3));
    steering::SteeringProgram missing = banning(99);
    bench.session.setProgram(missing, SteeringMode::FromNowOn);
    QVERIFY(bench.log.waitFor(Kind::Failed, 5));
    const std::vector<std::string> expected{"generate.no_model", "generate.nothing", "corpus.no_file",
                                            "generate.empty_prompt", "steering.no_such_expert"};
    QVERIFY(bench.log.errors() == expected);
    bench.session.generate(prompt(kShortText, 3));  // the program that was refused is not kept
    QVERIFY(bench.log.waitFor(Kind::GenerationEnded));
    QCOMPARE(bench.session.status().state == LiveState::Failed, false);
  }

  void endsWhileAModelRuns() {
    auto bench = std::make_unique<LiveBench>();
    QVERIFY(bench->load());
    bench->holdAt(48);
    bench->session.generate(prompt(kLongText, 1000000));
    bench->gate.reached.acquire();
    bench->gate.open.release();
    const auto forwards = bench->behaviour;
    bench.reset();  // joins; the test's time limit would tell if it did not
    QVERIFY(forwards->forwards < 1000);
  }
};

QTEST_APPLESS_MAIN(TestLiveSession)
#include "tst_live_session.moc"
