// ViewContext: one undo step an edit, events of store and engine merged on the GUI thread, and a store that
// is replaced while others still write.
#include <QSignalSpy>
#include <QUndoStack>

#include <atomic>
#include <semaphore>
#include <thread>

#include "tests/support/gui_test.h"
#include "tests/support/view_bench.h"

namespace moescope::views {

namespace {

/// What happened is told well within this time; what was not told by then is not told at all. News are merged
/// for a third of it.
constexpr int kNewsMs = 100;

steering::SteeringProgram banning(std::int32_t expert) {
  steering::SteeringProgram program;
  program.rules.push_back(banRule(program, {LayerIndex{2}, ExpertIndex{expert}}));
  return program;
}

/// A store that says what a test wants it to say.
class FakeStore : public trace::TraceStore {
 public:
  void say(const trace::StoreEvent& event) const {
    if (receiver) receiver(event);
  }
  std::function<void(const trace::StoreEvent&)> receiver;
  std::vector<trace::RunRecord> records;
  std::filesystem::path file;

  [[nodiscard]] const std::filesystem::path& path() const override { return file; }
  [[nodiscard]] bool writable() const override { return true; }
  [[nodiscard]] std::string contentId() const override { return {}; }
  [[nodiscard]] std::vector<std::string> warnings() const override { return {}; }
  [[nodiscard]] std::vector<trace::RunRecord> runs() const override { return records; }
  [[nodiscard]] std::optional<trace::RunRecord> run(trace::RunId) const override { return std::nullopt; }
  [[nodiscard]] std::optional<trace::ModelRecord> model(std::int64_t) const override { return std::nullopt; }
  [[nodiscard]] std::vector<RouterSpec> routers(trace::RunId) const override { return {}; }
  [[nodiscard]] std::vector<trace::SequenceRecord> sequences(trace::RunId) const override { return {}; }
  [[nodiscard]] std::vector<trace::SteeringEvent> steeringEvents(trace::RunId) const override { return {}; }
  [[nodiscard]] std::vector<RuleEffect> ruleEffects(trace::RunId) const override { return {}; }
  [[nodiscard]] std::string tokenBytes(trace::RunId, std::int32_t) const override { return {}; }
  [[nodiscard]] std::shared_ptr<const trace::TokenBlock> tokenBlock(trace::RunId,
                                                                    std::int64_t) const override {
    return {};
  }
  [[nodiscard]] std::shared_ptr<const trace::RouteBlock> routeBlock(trace::RunId, int,
                                                                    std::int64_t) const override {
    return {};
  }
  [[nodiscard]] std::shared_ptr<const trace::LogitBlock> logitBlock(trace::RunId, int,
                                                                    std::int64_t) const override {
    return {};
  }
  [[nodiscard]] trace::LoadSummary load(trace::RunId, int, trace::TokenRange,
                                        std::stop_token) const override {
    return {};
  }
  [[nodiscard]] std::optional<trace::SequenceStats> sequenceStats(trace::RunId, int,
                                                                  std::int32_t) const override {
    return std::nullopt;
  }
  int subscribe(std::function<void(const trace::StoreEvent&)> given) override {
    receiver = std::move(given);
    return 1;
  }
  void unsubscribe(int) override { receiver = nullptr; }
  Result<void> renameRun(trace::RunId, const std::string&) override { return {}; }
  Result<void> setNotes(trace::RunId, const std::string&) override { return {}; }
  Result<void> deleteRun(trace::RunId) override { return {}; }
  [[nodiscard]] std::vector<trace::SeriesRecord> allSeries() const override { return {}; }
  [[nodiscard]] std::optional<std::string> cachedResult(const std::string&, const std::string&,
                                                        const std::string&) const override {
    return std::nullopt;
  }
  Result<std::int64_t> startSeries(const std::string&, const std::string&) override { return 1; }
  Result<void> addToSeries(std::int64_t, trace::RunId) override { return {}; }
  Result<void> renameSeries(std::int64_t, const std::string&) override { return {}; }
  Result<void> deleteSeries(std::int64_t) override { return {}; }
  Result<void> keepResult(const std::string&, const std::string&, const std::string&,
                          std::string_view) override {
    return {};
  }
  Result<void> saveCopy(const std::filesystem::path&) override { return {}; }
  [[nodiscard]] trace::WriterState writerState() const override { return {}; }
  Result<void> flush() override { return {}; }
  Result<std::unique_ptr<trace::RunRecorder>> startRun(const trace::ModelRecord&,
                                                       const trace::RunRecord&) override {
    return fail("test", "", "", "nothing is recorded");
  }
  Result<std::unique_ptr<trace::RunRecorder>> resumeRun(trace::RunId) override {
    return fail("test", "", "", "nothing is recorded");
  }
  Result<void> close() override { return {}; }
};

trace::StoreEvent eventOf(std::uint64_t number, trace::StoreEvent::Kind kind, trace::RunId run) {
  trace::StoreEvent event;
  event.number = number;
  event.kind = kind;
  event.run = run;
  return event;
}

using Kind = trace::StoreEvent::Kind;

}  // namespace

class TestViewContext : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void editsCanBeUndoneAndRedone() {
    SteeringDocument document;
    const QSignalSpy changes(&document, &SteeringDocument::programChanged);
    document.edit(banning(3), QStringLiteral("Ban L2 E3"));
    document.edit(banning(4), QStringLiteral("Ban L2 E4"));
    QCOMPARE(changes.size(), 2);
    QCOMPARE(document.undoStack()->count(), 2);
    QCOMPARE(document.undoStack()->undoText(), QStringLiteral("Ban L2 E4"));
    document.undoStack()->undo();
    QCOMPARE(document.program(), banning(3));
    document.undoStack()->undo();
    QVERIFY(document.program().rules.empty());
    document.undoStack()->redo();
    QCOMPARE(document.program(), banning(3));
    QCOMPARE(changes.size(), 5);
    document.edit(banning(3), QStringLiteral("nothing new"));
    QCOMPARE(changes.size(), 5);
    QCOMPARE(document.undoStack()->count(), 2);
  }

  void editsOfOneDragAreOneStep() {
    SteeringDocument document;
    const ExpertCell cell{LayerIndex{2}, ExpertIndex{3}};
    const auto boosted = [cell](double value) {
      steering::SteeringProgram program;
      program.rules.push_back(addLogitRule(program, cell, value));
      return program;
    };
    document.edit(banning(9), QStringLiteral("Ban"));
    const QSignalSpy changes(&document, &SteeringDocument::programChanged);
    for (int i = 1; i <= 10; ++i) document.edit(boosted(i * 0.05), QStringLiteral("Boost %1").arg(i), 42);
    QCOMPARE(changes.size(), 10);
    QCOMPARE(document.undoStack()->count(), 2);
    document.edit(boosted(2.0), QStringLiteral("another drag"), 43);
    document.edit(boosted(3.0), QStringLiteral("no drag"));
    document.edit(boosted(4.0), QStringLiteral("no drag either"));
    QCOMPARE(document.undoStack()->count(), 5);
    document.undoStack()->setIndex(2);
    QCOMPARE(document.program(), boosted(0.5));
    document.undoStack()->undo();
    QCOMPARE(document.program(), banning(9));
  }

  void aDragThatIsTakenBackIsNoStep() {
    SteeringDocument document;
    document.edit(banning(1), QStringLiteral("drag"), 7);
    document.edit(banning(2), QStringLiteral("drag"), 7);
    document.edit({}, QStringLiteral("drag"), 7);
    QVERIFY(document.program().rules.empty());
    QVERIFY(!document.undoStack()->canUndo());
  }

  void masterSwitchAndMode() {
    SteeringDocument document;
    document.edit(banning(3), QStringLiteral("Ban"));
    const QSignalSpy changes(&document, &SteeringDocument::programChanged);
    document.setMasterOn(false);
    document.setMasterOn(false);
    QCOMPARE(changes.size(), 1);
    QVERIFY(document.effectiveProgram().rules.empty());
    QCOMPARE(document.program(), banning(3));
    document.setMasterOn(true);
    QCOMPARE(document.effectiveProgram(), banning(3));
    document.setCounterfactual(true);
    QCOMPARE(changes.size(), 3);
    QCOMPARE(document.undoStack()->count(), 1);
  }

  void storeEventsAreMerged() {
    ViewBench bench;
    bench.context.setStore(bench.trace.store);
    const QSignalSpy rows(&bench.context, &ViewContext::rowsChanged);
    const QSignalSpy runs(&bench.context, &ViewContext::runsChanged);
    std::atomic<bool> wrongThread = false;
    const auto* gui = QThread::currentThread();
    connect(
        &bench.context, &ViewContext::rowsChanged, this,
        [&] { wrongThread = wrongThread || QThread::currentThread() != gui; }, Qt::DirectConnection);
    std::atomic<trace::RunId> run = 0;
    std::atomic<int> events = 0;
    const int counter = bench.trace.store->subscribe([&events](const trace::StoreEvent&) { ++events; });
    QElapsedTimer clock;
    clock.start();
    std::thread writer([&] { run = bench.addRun("burst", std::vector<int>(20, 150)); });
    const bool isWritten = QTest::qWaitFor([&run] { return run != 0; }, 60000);
    writer.join();
    QVERIFY(isWritten);
    const auto mostFlushes = clock.elapsed() / 33 + 2;
    bench.trace.store->unsubscribe(counter);
    QTRY_VERIFY(!rows.isEmpty());
    QTest::qWait(kNewsMs);  // one flush too many would come by now
    QVERIFY(events > 100);
    QVERIFY2(rows.size() <= mostFlushes,
             qPrintable(QStringLiteral("%1 of at most %2").arg(rows.size()).arg(mostFlushes)));
    QVERIFY(runs.size() <= mostFlushes);
    QVERIFY(!runs.isEmpty());
    QCOMPARE(rows.last().first().toLongLong(), static_cast<qlonglong>(run));
    QVERIFY(!wrongThread);
  }

  void aLonelyEventComesAtOnce() {
    ViewBench bench;
    const auto run = bench.addRun("quiet");
    bench.context.setStore(bench.trace.store);
    const QSignalSpy runs(&bench.context, &ViewContext::runsChanged);
    QVERIFY(bench.trace.store->renameRun(run, "loud"));
    QTRY_COMPARE_WITH_TIMEOUT(runs.size(), 1, 500);
    QTest::qWait(kNewsMs);  // told twice it would be by now
    QCOMPARE(runs.size(), 1);
  }

  void aGapMeansResync() {
    ViewBench bench;
    const auto store = std::make_shared<FakeStore>();
    store->records.resize(3);
    for (int i = 0; i < 3; ++i) store->records[static_cast<std::size_t>(i)].id = i + 1;
    bench.context.setStore(store);
    const QSignalSpy rows(&bench.context, &ViewContext::rowsChanged);
    const QSignalSpy runs(&bench.context, &ViewContext::runsChanged);
    store->say(eventOf(100, Kind::TokensAppended, 2));
    store->say(eventOf(101, Kind::TokensAppended, 2));
    QTRY_COMPARE(rows.size(), 1);
    QCOMPARE(runs.size(), 0);
    store->say(eventOf(103, Kind::TokensAppended, 2));
    QTRY_COMPARE(rows.size(), 4);  // every run of the file
    QCOMPARE(runs.size(), 1);
    store->say(eventOf(104, Kind::TokensAppended, 3));
    QTRY_COMPARE(rows.size(), 5);
    QCOMPARE(rows.last().first().toLongLong(), 3LL);
  }

  void aFailedRecordingIsTold() {
    ViewBench bench;
    const auto store = std::make_shared<FakeStore>();
    bench.context.setStore(store);
    const QSignalSpy failures(&bench.context, &ViewContext::recordingFailed);
    auto event = eventOf(1, Kind::RecordingFailed, 1);
    event.error = Error{"machine.disk_full", "a.moescope", "", "the disk is full", "make room"};
    store->say(event);
    QTRY_COMPARE(failures.size(), 1);
    QCOMPARE(failures.first().first().toString(), QString::fromStdString(event.error->text()));
  }

  void aReplacedStoreIsSilent() {
    ViewBench bench;
    const auto oldStore = std::make_shared<FakeStore>(), newStore = std::make_shared<FakeStore>();
    bench.context.setStore(oldStore);
    const auto stillCalled = oldStore->receiver;  // a call that is under way while it is replaced
    const QSignalSpy rows(&bench.context, &ViewContext::rowsChanged);
    const QSignalSpy replaced(&bench.context, &ViewContext::storeReplaced);
    bench.context.selection().setRun(5);
    bench.context.selection().setTokens({3, 9});
    oldStore->say(eventOf(1, Kind::TokensAppended, 5));
    bench.context.setStore(newStore);
    QCOMPARE(replaced.size(), 1);
    QVERIFY(!bench.context.selection().run());
    QCOMPARE(bench.context.selection().tokens().size(), 0);
    QVERIFY(!oldStore->receiver);
    stillCalled(eventOf(2, Kind::TokensAppended, 5));
    QTest::qWait(kNewsMs);  // the old store's event would be told by now
    QCOMPARE(rows.size(), 0);
    newStore->say(eventOf(1, Kind::TokensAppended, 1));
    QTRY_COMPARE(rows.size(), 1);
    bench.context.setStore(nullptr);
    QCOMPARE(replaced.size(), 2);
    QVERIFY(bench.context.store() == nullptr);
    QVERIFY(!newStore->receiver);
  }

  void sessionEventsReachTheGui() {
    ViewBench bench;
    bench.openTrace();
    const QSignalSpy models(&bench.context, &ViewContext::modelChanged);
    const QSignalSpy started(&bench.context, &ViewContext::generationStarted);
    const QSignalSpy tokens(&bench.context, &ViewContext::tokenAppended);
    QVERIFY(bench.loadModel());
    QTRY_COMPARE(models.size(), 1);
    bool startedFirst = true;
    connect(&bench.context, &ViewContext::tokenAppended, this,
            [&] { startedFirst = startedFirst && started.size() == 1; });
    std::binary_semaphore hold(0);
    bench.behaviour->beforeBlock = [&hold](std::int64_t position, int) {
      if (position == 10) hold.acquire();
    };
    bench.session->generate(ViewBench::settings(20));
    QTRY_VERIFY(bench.session->status().run.has_value() && tokens.size() > 0);
    const auto run = *bench.session->status().run;
    QVERIFY(bench.context.isLive(run));
    QVERIFY(!bench.context.isLive(run + 1));
    hold.release();
    QVERIFY(bench.waitForIdle());
    QTRY_COMPARE(tokens.size(), static_cast<qsizetype>(bench.trace.store->run(run)->tokens));
    QVERIFY(startedFirst);
    QVERIFY(!bench.context.isLive(run));
    int generated = 0;
    for (const auto& token : tokens) generated += token.at(1).toBool() ? 0 : 1;
    QCOMPARE(generated, 20);
    bench.behaviour->beforeBlock = nullptr;
  }

  void sessionFailuresAreTold() {
    ViewBench bench;
    const QSignalSpy failures(&bench.context, &ViewContext::sessionFailed);
    bench.session->loadModel("/nowhere/at/all", {});
    QTRY_COMPARE(failures.size(), 1);
    QVERIFY(failures.first().first().toString().contains(QStringLiteral("/nowhere/at/all")));
  }

  void aContextMayGoWhileOthersWrite() {
    for (int i = 0; i < 20; ++i) {
      auto bench = std::make_unique<ViewBench>();
      bench->context.setStore(bench->trace.store);
      std::thread writer([store = bench->trace.store] {
        for (int n = 0; n < 200; ++n) (void)store->renameRun(1, "no such run");
      });
      const auto run = bench->addRun("r");
      std::thread renamer([store = bench->trace.store, run] {
        for (int n = 0; n < 20; ++n) (void)store->renameRun(run, "name " + std::to_string(n));
      });
      auto keep = bench->trace.store;
      if (i % 2 == 0) QTest::qWait(1);
      bench->context.setStore(nullptr);
      writer.join();
      renamer.join();
      bench.reset();
      QCoreApplication::processEvents();
    }
  }
};

}  // namespace moescope::views

MOESCOPE_GUI_TEST_MAIN(moescope::views::TestViewContext)
#include "tst_view_context.moc"
