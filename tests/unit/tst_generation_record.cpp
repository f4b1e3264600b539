// What a generation on the fake engine records: rows, settings, a pending token, and recording that fails.
#include <QTest>

#include <algorithm>
#include <cmath>

#include "tests/support/generation_fixture.h"

using namespace moescope;
using namespace moescope::engine;
using namespace moescope::tests;

namespace {

double logSumExp(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - top);
  return top + std::log(sum);
}

}  // namespace

class TestGenerationRecord : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void recordingDoesNotChangeTheText() {
    const auto model = fakeModel(demoFolder());
    auto settings = prompt(kLongPrompt, 30);
    const auto plain = startOrDie(model, nullptr, settings);
    write(*plain);
    for (const auto level : {trace::CaptureLevel::None, trace::CaptureLevel::Ids,
                             trace::CaptureLevel::Weights, trace::CaptureLevel::Full}) {
      TemporaryTrace trace;
      settings.capture = level;
      const auto recorded = startOrDie(model, trace.store, settings);
      write(*recorded);
      QCOMPARE(dumpTokens(*recorded), dumpTokens(*plain));
      QCOMPARE(recorded->text(), plain->text());
      QVERIFY(!recorded->recordingError());
    }
  }

  void reopenedTraceEqualsTheLiveOne() {
    TemporaryTrace trace;
    auto settings = prompt(kLongPrompt, 300);  // over the border of a block
    settings.capture = trace::CaptureLevel::Full;
    const auto generation = startOrDie(fakeModel(demoFolder()), trace.store, settings);
    write(*generation);
    const auto run = *generation->run();
    QVERIFY(generation->finish());
    const auto live = dumpRun(*trace.store, run);
    QCOMPARE(trace.store->run(run)->status, trace::RunStatus::Closed);
    QVERIFY(trace.store->close());
    const auto reopened = trace::TraceStore::open(trace.file, trace::OpenMode::ReadOnly);
    QVERIFY(reopened);
    COMPARE_DUMPS(dumpRun(**reopened, run), live);
    QCOMPARE((*reopened)->run(run)->tokens, static_cast<std::int64_t>(generation->tokens().size()));
  }

  void rowsHoldTheDistributionBeforeThem() {
    const auto model = fakeModel(demoFolder());
    TemporaryTrace trace;
    const auto generation = startOrDie(model, trace.store, greedy(kLongPrompt, 5));
    write(*generation);
    std::vector<std::int32_t> ids;
    for (const auto& token : generation->tokens()) ids.push_back(token.id);
    // The same steps by hand: prefill in blocks of 16, then one by one.
    auto session = *model->newSession();
    const auto promptLength = static_cast<std::size_t>(generation->promptTokens());
    std::vector<std::vector<float>> logits;
    const auto vocabulary = static_cast<std::size_t>(model->checkpoint().description().vocabularySize);
    for (std::size_t begin = 0; begin + 1 < ids.size();) {
      const std::size_t end = begin < promptLength ? std::min(begin + 16, promptLength) : begin + 1;
      StepRequest request;
      request.ids = std::span(ids).subspan(begin, end - begin);
      request.decode = begin >= promptLength;
      request.logits = LogitRows::All;
      const auto output = session->forward(request);
      for (std::size_t i = 0; i < end - begin; ++i) {
        const auto row = output->logits.subspan(i * vocabulary, vocabulary);
        logits.emplace_back(row.begin(), row.end());
      }
      begin = end;
    }
    const auto block = trace.store->tokenBlock(*generation->run(), 0);
    QCOMPARE(block->count, static_cast<int>(ids.size()));
    QVERIFY(std::isnan(block->logProbs[0]));
    QCOMPARE(block->alternativeIds[0], -1);
    for (std::size_t i = 1; i < ids.size(); ++i) {
      const auto& before = logits[i - 1];
      const double expected = before[static_cast<std::size_t>(ids[i])] - logSumExp(before);
      QVERIFY(std::abs(block->logProbs[i] - expected) < 5e-6);
      const auto best = std::max_element(before.begin(), before.end()) - before.begin();
      QCOMPARE(std::int64_t{block->alternativeIds[i * 5]}, std::int64_t{best});
      QCOMPARE(block->phases[i], static_cast<std::uint8_t>(i < promptLength ? 0 : 1));
      const double sum = logSumExp(before);
      double entropy = 0;
      for (const float logit : before) entropy -= std::exp(logit - sum) * (logit - sum);
      QVERIFY(std::abs(block->entropies[i - 1] - entropy) < 1e-5);
    }
    QVERIFY(std::isnan(block->entropies.back()));  // pending
  }

  void theLastTokenIsPending() {
    TemporaryTrace trace;
    const auto generation = startOrDie(fakeModel(demoFolder()), trace.store, greedy("one two three", 10));
    for (int i = 1; i <= 4; ++i) {
      write(*generation, 1);
      const auto run = trace.store->run(*generation->run());
      const auto known = static_cast<std::int64_t>(generation->tokens().size());
      QCOMPARE(known, generation->promptTokens() + i);
      QCOMPARE(run->tokens, known);
      QCOMPARE(run->routedTokens, known - 1);
      QCOMPARE(generation->tokens().back().row, known - 1);
    }
  }

  void theRunSaysHowItWasMade() {
    TemporaryTrace trace;
    auto settings = prompt("  The quick brown fox jumps over the lazy dog and runs away", 2);
    settings.sampler.seed = 77;
    settings.capture = trace::CaptureLevel::Ids;
    const auto generation = startOrDie(fakeModel(demoFolder()), trace.store, settings);
    write(*generation);
    QVERIFY(generation->finish());
    const auto run = *trace.store->run(*generation->run());
    QCOMPARE(run.name, std::string("The quick brown fox jumps over the lazy…"));
    QCOMPARE(run.kind, trace::RunKind::Generate);
    QCOMPARE(run.seed, std::uint64_t{77});
    QCOMPARE(run.capture, trace::CaptureLevel::Ids);
    QCOMPARE(run.device, std::string("cpu"));
    QCOMPARE(nlohmann::json::parse(run.samplerJson).at("seed").get<int>(), 77);
    const auto sequences = trace.store->sequences(run.id);
    QCOMPARE(sequences.size(), std::size_t{1});
    QCOMPARE(sequences[0].promptLength, generation->promptTokens());
    QCOMPARE(trace.store->model(run.model)->family, std::string("olmoe"));
  }

  void stoppingDuringPrefillKeepsWhatWasDone() {
    auto behaviour = std::make_shared<FakeBehaviour>();
    const auto model = fakeModel(demoFolder(), behaviour);
    TemporaryTrace trace;
    const auto whole = startOrDie(model, trace.store, prompt(kLongPrompt, 8));
    write(*whole);
    std::stop_source stop;
    behaviour->beforeBlock = [&](std::int64_t position, int) {
      if (position == 16) stop.request_stop();
    };
    const auto parts = startOrDie(model, trace.store, prompt(kLongPrompt, 8));
    const auto token = parts->step(stop.get_token());
    QVERIFY(!token);
    QCOMPARE(token.error().kind, std::string("cancelled"));
    QCOMPARE(parts->finished(), FinishReason::Stopped);
    QCOMPARE(trace.store->run(*parts->run())->routedTokens, std::int64_t{32});
    behaviour->beforeBlock = nullptr;
    QVERIFY(parts->step({}));
    write(*parts);
    QCOMPARE(dumpTokens(*parts), dumpTokens(*whole));
    COMPARE_DUMPS(dumpRows(*trace.store, *parts->run()), dumpRows(*trace.store, *whole->run()));
  }

  void aFullDiskEndsTheRecordingOnly() {
    const auto model = fakeModel(demoFolder());
    auto settings = prompt(kLongPrompt, 600);
    settings.capture = trace::CaptureLevel::Full;
    const auto plain = startOrDie(model, nullptr, settings);
    write(*plain);
    trace::StoreOptions options;
    options.maxPages = 80;
    options.commitIntervalMs = 1;
    TemporaryTrace trace(options);
    const auto generation = startOrDie(model, trace.store, settings);
    while (generation->finished() == FinishReason::Running) {
      QVERIFY(generation->step({}));
      if (generation->tokens().size() % 64 == 0) (void)trace.store->flush();
    }
    QVERIFY(generation->recordingError());
    QCOMPARE(generation->recordingError()->kind, std::string("machine.disk_full"));
    QCOMPARE(generation->tokens().back().row, std::int64_t{-1});
    QCOMPARE(dumpTokens(*generation), dumpTokens(*plain));
    QVERIFY(generation->finish());
    (void)trace.store->close();
    const auto reopened = trace::TraceStore::open(trace.file, trace::OpenMode::ReadOnly);
    QVERIFY(reopened);  // what was acknowledged is kept
  }
};

QTEST_APPLESS_MAIN(TestGenerationRecord)
#include "tst_generation_record.moc"
